//! Drawn sheets are found where they were drawn, and come out straight.

use super::super::simulator::{Laid, Scene, card, drawn, paper};
use super::geometry::{Homography, Point, hull, smallest_rectangle};
use super::*;

const FRAME: (u32, u32) = (1280, 720);

/// Cards and papers in many positions.
fn positions() -> Vec<(Laid, Shape)> {
    let mut positions = Vec::new();
    for (turned, tilt) in
        [(0.0, 0.0), (3.0, 0.0), (-11.0, 0.02), (20.0, 0.0), (-38.0, 0.0), (88.0, 0.01), (1.0, 0.04)]
    {
        let paper = Laid { turned, tilt, ..Laid::straight(paper(800), FRAME, 380.0) };
        positions.push((paper, Shape::Paper));
        let card = Laid::straight(card(900), FRAME, 330.0);
        positions.push((Laid { turned, tilt, middle: (500.3, 300.7), ..card }, Shape::Card));
    }
    positions
}

fn seen(laid: &Laid) -> Picture {
    drawn(&Scene::with(FRAME.0, FRAME.1, laid.clone()))
}

/// The farthest that a found corner is from the drawn one nearest to it.
fn farthest(found: [Point; 4], drawn: [Point; 4]) -> f32 {
    let nearest = |corner: Point| drawn.iter().map(|d| d.minus(corner).length()).fold(f32::MAX, f32::min);
    found.into_iter().map(nearest).fold(0.0, f32::max)
}

#[test]
fn sheets_are_found_to_the_pixel_with_and_without_a_learned_mat() {
    let mat = Mat::learn(&drawn(&Scene::empty(FRAME.0, FRAME.1)));
    for (laid, shape) in positions() {
        let picture = seen(&laid);
        for mat in [None, Some(&mat)] {
            let sheet = find(&picture, mat).unwrap();
            let off = farthest(sheet.corners, laid.corners());
            assert!(off < 1.5, "{off} px at {} degrees, {shape:?}", laid.turned);
            assert_eq!(sheet.shape, shape, "at {} degrees", laid.turned);
            assert!(sheet.bend < 0.002 && !sheet.cut_off, "{sheet:?}");
            if laid.turned.abs() < 40.0 {
                // The first corner is the top left one.
                let pairs = sheet.corners.into_iter().zip(laid.corners());
                pairs.for_each(|(found, drawn)| assert!(found.minus(drawn).length() < 1.5, "{sheet:?}"));
            }
        }
    }
}

#[test]
fn a_sheet_comes_out_straight_and_whole() {
    for (laid, _) in positions().into_iter().filter(|(laid, _)| laid.turned.abs() < 40.0).step_by(3) {
        let picture = seen(&laid);
        let cut = straightened(&picture, &find(&picture, None).unwrap()).unwrap();
        let ratio = cut.width() as f32 / cut.height() as f32;
        let wanted = laid.picture.width() as f32 / laid.picture.height() as f32;
        assert!((ratio / wanted - 1.0).abs() < 0.04, "{cut:?}");
        let off = unlikeness(&cut, &laid.picture);
        assert!(off < 9.0, "{off} at {} degrees", laid.turned);
        // And that is no accident: the same sheet upside down is far off.
        let other = unlikeness(&cut, &upside_down(&laid.picture));
        assert!(other > 2.0 * off, "{other} upside down, {off} at {} degrees", laid.turned);
    }
}

/// How much two pictures of the same thing differ, cell by cell of a coarse grid.
fn unlikeness(a: &Picture, b: &Picture) -> f32 {
    const CELLS: usize = 12;
    const SAMPLES: usize = 24;
    let mut sum = 0.0;
    for cell in 0..CELLS * CELLS {
        let mean = |picture: &Picture| {
            let samples = (0..SAMPLES * SAMPLES).map(|sample| {
                let at = |cell: usize, sample: usize, whole: u32| {
                    (cell as f32 + (sample as f32 + 0.5) / SAMPLES as f32) / CELLS as f32 * whole as f32 - 0.5
                };
                let x = at(cell % CELLS, sample % SAMPLES, picture.width());
                let y = at(cell / CELLS, sample / SAMPLES, picture.height());
                picture.between(x, y).map(f32::from).iter().sum::<f32>() / 3.0
            });
            samples.sum::<f32>() / (SAMPLES * SAMPLES) as f32
        };
        sum += (mean(a) - mean(b)).abs();
    }
    sum / (CELLS * CELLS) as f32
}

fn upside_down(picture: &Picture) -> Picture {
    let rgb = picture.rgb().chunks_exact(3).rev().flatten().copied().collect();
    Picture::from_rgb(picture.width(), picture.height(), rgb).unwrap()
}

#[test]
fn an_empty_mat_is_nothing_even_when_it_is_uneven() {
    assert_eq!(find(&drawn(&Scene::empty(FRAME.0, FRAME.1)), None), None);
    // A mat with a stripe: something until it is learned.
    let mut stripe = Scene::empty(FRAME.0, FRAME.1);
    let band = Picture::filled(60, 20, [120, 120, 90]);
    stripe.laid = Some(Laid::straight(band, FRAME, 600.0));
    let striped = drawn(&stripe);
    assert_eq!(find(&striped, None).map(|sheet| sheet.shape), Some(Shape::Other));
    assert_eq!(find(&striped, Some(&Mat::learn(&striped))), None);
}

#[test]
fn what_is_no_known_shape_or_not_whole_is_not_cut() {
    let square = Laid::straight(Picture::filled(100, 100, [220; 3]), FRAME, 300.0);
    let picture = seen(&square);
    let sheet = find(&picture, None).unwrap();
    assert_eq!(sheet.shape, Shape::Other);
    assert_eq!(straightened(&picture, &sheet), None);
    let half_out = Laid { middle: (60.0, 360.0), ..Laid::straight(card(900), FRAME, 330.0) };
    let picture = seen(&half_out);
    let sheet = find(&picture, None).unwrap();
    assert!(sheet.cut_off);
    assert_eq!(straightened(&picture, &sheet), None);
}

#[test]
fn a_curled_sheet_bends() {
    let flat = Laid::straight(paper(800), FRAME, 380.0);
    let bend = |laid: &Laid| find(&seen(laid), None).unwrap().bend;
    let curled = bend(&Laid { bow: 14.0, ..flat.clone() });
    assert!(curled > 0.012 && bend(&flat) < 0.004, "{curled} {}", bend(&flat));
}

#[test]
fn strange_pictures_are_no_trouble() {
    for (width, height) in [(1, 1), (1, 700), (2000, 1), (319, 3), (17, 17)] {
        let mut picture = Picture::filled(width, height, [40; 3]);
        let _ = find(&picture, None);
        picture.set(width / 2, height / 2, [255; 3]);
        if let Some(sheet) = find(&picture, None) {
            let _ = straightened(&picture, &sheet);
        }
    }
    // A cross and a diagonal line have no four sides.
    let mut cross = Picture::filled(640, 480, [40; 3]);
    for at in 0..400 {
        for thick in 0..20 {
            cross.set(120 + at, 230 + thick, [220; 3]);
            cross.set(310 + thick, 40 + at, [220; 3]);
        }
    }
    let sheet = find(&cross, None).unwrap();
    assert!(sheet.bend > 0.1, "{sheet:?}");
}

#[test]
fn a_projection_takes_corners_to_corners_and_back() {
    let p = |x: f32, y: f32| Point { x, y };
    let corners = [p(10.0, 12.0), p(90.0, 20.0), p(80.0, 77.0), p(5.0, 60.0)];
    let view = Homography::of_square(corners).unwrap();
    for (square, corner) in [p(0.0, 0.0), p(1.0, 0.0), p(1.0, 1.0), p(0.0, 1.0)].into_iter().zip(corners) {
        assert!(view.of(square).minus(corner).length() < 1e-3);
        assert!(view.inverse().of(corner).minus(square).length() < 1e-3);
    }
    assert_eq!(Homography::of_square([p(0.0, 0.0), p(1.0, 0.0), p(2.0, 0.0), p(3.0, 0.0)]), None);
}

#[test]
fn the_smallest_rectangle_of_a_turned_square_is_the_square() {
    let p = |x: f32, y: f32| Point { x, y };
    let mut points =
        vec![p(5.0, 0.0), p(10.0, 5.0), p(5.0, 10.0), p(0.0, 5.0), p(5.0, 5.0), p(4.0, 4.0), p(5.0, 0.0)];
    let hull = hull(&mut points);
    assert_eq!(hull.len(), 4);
    let rectangle = smallest_rectangle(&hull).unwrap();
    assert!(farthest(rectangle, [p(5.0, 0.0), p(10.0, 5.0), p(5.0, 10.0), p(0.0, 5.0)]) < 1e-3);
}
