//! The search itself: what differs from the mat, its largest piece, its four sides.

use super::geometry::{Line, Point, doubled_area, from_top_left, hull, smallest_rectangle};
use super::{Mat, Shape, Sheet, small};
use crate::camera::Picture;

/// How much a colour channel must differ from the mat, of 255.
const DIFFERS: u8 = 28;
/// The smallest share of the picture that counts as something: a quarter of a card under a camera that sees A3.
const SMALLEST_SHARE: f32 = 0.008;
/// The part of a side near each corner that does not count: corners may be round or folded.
const CORNER: f32 = 0.10;
/// Places along a side where its edge is looked for.
const PROBES: usize = 60;
/// Share of the rectangle around it that a sheet fills at least; a hand or a crumpled sheet fills less.
const FILLS: f32 = 0.80;
/// Bend of something that has no four sides at all.
const NO_SIDES: f32 = 1.0;

/// A sheet, and which pixels of the small picture belong to it.
pub(in crate::camera) struct Found {
    pub(in crate::camera) sheet: Sheet,
    pub(in crate::camera) mask: Vec<bool>,
}

/// Looks for a sheet. Without a learned mat its colour is guessed from the picture's rim.
pub fn find(picture: &Picture, mat: Option<&Mat>) -> Option<Sheet> {
    let (small, factor) = small(picture);
    find_in(picture, &small, factor, mat).map(|found| found.sheet)
}

/// As [`find`], with the small picture made already.
pub(in crate::camera) fn find_in(
    picture: &Picture,
    small: &Picture,
    factor: u32,
    mat: Option<&Mat>,
) -> Option<Found> {
    let guessed;
    let mat = match mat.filter(|mat| (mat.0.width(), mat.0.height()) == (small.width(), small.height())) {
        Some(mat) => mat,
        None => {
            guessed = Mat::guess(small);
            &guessed
        }
    };
    let mask = largest_piece(&differing(small, mat), small.width() as usize)?;
    let piece = Piece::of(&mask, small.width() as usize);
    let share = piece.count as f32 / mask.len() as f32;
    if share < SMALLEST_SHARE {
        return None;
    }
    let (corners, bend) = four_sides(&piece, &mask, small.width() as usize);
    let corners = corners.map(|p| {
        let full = |place: f32| (place + 0.5) * factor as f32 - 0.5;
        Point { x: full(p.x), y: full(p.y) }
    });
    let finer = if bend < NO_SIDES { on_edges(corners, picture, mat, factor) } else { None };
    let (corners, bend) = finer.unwrap_or((corners, bend));
    let side = |from: usize, to: usize| corners[to].minus(corners[from]).length();
    let shape = Shape::of((side(0, 1) + side(3, 2)) / 2.0, (side(1, 2) + side(0, 3)) / 2.0);
    let sheet = Sheet { corners, shape, bend, cut_off: piece.touches_rim, share };
    Some(Found { sheet, mask })
}

/// The largest difference of a channel.
fn difference(a: [u8; 3], b: [u8; 3]) -> u8 {
    (0..3).map(|channel| a[channel].abs_diff(b[channel])).max().unwrap_or(0)
}

fn differing(small: &Picture, mat: &Mat) -> Vec<bool> {
    let pairs = small.rgb().chunks_exact(3).zip(mat.0.rgb().chunks_exact(3));
    pairs.map(|(a, b)| difference([a[0], a[1], a[2]], [b[0], b[1], b[2]]) >= DIFFERS).collect()
}

/// The largest connected piece of what is marked (neighbours share a side).
fn largest_piece(marked: &[bool], width: usize) -> Option<Vec<bool>> {
    let mut left = marked.to_vec();
    let mut best: Vec<usize> = Vec::new();
    for start in 0..left.len() {
        if !left[start] {
            continue;
        }
        left[start] = false;
        let mut piece = vec![start];
        let mut next = 0;
        while let Some(&at) = piece.get(next) {
            next += 1;
            let x = at % width;
            let beside = [
                (x > 0).then(|| at - 1),
                (x + 1 < width).then(|| at + 1),
                at.checked_sub(width),
                Some(at + width).filter(|below| *below < left.len()),
            ];
            for neighbour in beside.into_iter().flatten() {
                if left[neighbour] {
                    left[neighbour] = false;
                    piece.push(neighbour);
                }
            }
        }
        if piece.len() > best.len() {
            best = piece;
        }
    }
    if best.is_empty() {
        return None;
    }
    let mut mask = vec![false; marked.len()];
    best.into_iter().for_each(|at| mask[at] = true);
    Some(mask)
}

/// The outline of a piece: the first and last pixel of every row and column.
struct Piece {
    outline: Vec<Point>,
    count: usize,
    touches_rim: bool,
}

impl Piece {
    fn of(mask: &[bool], width: usize) -> Piece {
        let height = mask.len() / width;
        let mut outline = Vec::new();
        let point = |x: usize, y: usize| Point { x: x as f32, y: y as f32 };
        for y in 0..height {
            let row = &mask[y * width..(y + 1) * width];
            let ends = [row.iter().position(|set| *set), row.iter().rposition(|set| *set)];
            outline.extend(ends.into_iter().flatten().map(|x| point(x, y)));
        }
        for x in 0..width {
            let set = |y: &usize| mask[*y * width + x];
            let ends = [(0..height).find(set), (0..height).rev().find(set)];
            outline.extend(ends.into_iter().flatten().map(|y| point(x, y)));
        }
        let (right, bottom) = (width as f32 - 1.0, height as f32 - 1.0);
        let on_rim = |p: &Point| p.x == 0.0 || p.y == 0.0 || p.x == right || p.y == bottom;
        let touches_rim = outline.iter().any(on_rim);
        Piece { outline, count: mask.iter().filter(|set| **set).count(), touches_rim }
    }
}

/// Four corners of a piece and how far its edges bend; the rectangle around it when it has no four sides.
fn four_sides(piece: &Piece, mask: &[bool], width: usize) -> ([Point; 4], f32) {
    let hull = hull(&mut piece.outline.clone());
    let Some(around) = smallest_rectangle(&hull) else {
        // A line of pixels: no sheet, but something.
        let corner = piece.outline.first().copied().unwrap_or(Point { x: 0.0, y: 0.0 });
        return ([corner; 4], NO_SIDES);
    };
    let around = from_top_left(around);
    let mut sides: [Vec<Point>; 4] = Default::default();
    for point in &piece.outline {
        let (side, place) = nearest_side(around, *point);
        if (CORNER..=1.0 - CORNER).contains(&place) {
            sides[side].push(*point);
        }
    }
    // One pixel is what a straight edge may be off on a grid.
    let fitted: Option<Vec<(Line, f32)>> = sides.iter().map(|points| fitted(points, 1.0)).collect();
    let Some(fitted) = fitted else { return (around, NO_SIDES) };
    let (lines, bend) = with_largest_bend(fitted);
    let Some(corners) = corners_of(&lines) else { return (around, NO_SIDES) };
    let area = doubled_area(&corners) / 2.0;
    let inside =
        mask.iter().enumerate().filter(|(at, set)| **set && within(corners, *at, width)).count() as f32;
    if inside < FILLS * area { (corners, NO_SIDES) } else { (corners, bend) }
}

/// Whether a pixel lies inside the corners (clockwise).
fn within(corners: [Point; 4], at: usize, width: usize) -> bool {
    let point = Point { x: (at % width) as f32, y: (at / width) as f32 };
    (0..4).all(|side| corners[(side + 1) % 4].minus(corners[side]).cross(point.minus(corners[side])) >= -2.0)
}

/// The side of a rectangle that is nearest to a point, and how far along it the point lies, from 0 to 1.
fn nearest_side(corners: [Point; 4], point: Point) -> (usize, f32) {
    let mut best = (0, 0.0, f32::MAX);
    for side in 0..4 {
        let (from, to) = (corners[side], corners[(side + 1) % 4]);
        let whole = to.minus(from);
        let distance = Line { at: from, direction: whole.unit() }.distance(point);
        let place = point.minus(from).dot(whole) / whole.dot(whole).max(f32::EPSILON);
        if distance < best.2 && (0.0..=1.0).contains(&place) {
            best = (side, place, distance);
        }
    }
    (best.0, best.1)
}

/// The line of one side without the points that are more than `far` off, and its bend: how far nine of ten points are
/// off at most, as a share of its length. What is not more than half of `far` is none.
fn fitted(points: &[Point], far: f32) -> Option<(Line, f32)> {
    let all = Line::through(points)?;
    let places = points.iter().map(|point| point.minus(all.at).dot(all.direction));
    let (low, high) =
        places.fold((f32::MAX, f32::MIN), |(low, high), place| (low.min(place), high.max(place)));
    let mut off: Vec<f32> = points.iter().map(|point| all.distance(*point)).collect();
    off.sort_unstable_by(f32::total_cmp);
    let bend = (off[off.len() * 9 / 10] - far / 2.0).max(0.0) / (high - low).max(1.0);
    Some((Line::through_most(points, far)?, bend))
}

fn with_largest_bend(fitted: Vec<(Line, f32)>) -> (Vec<Line>, f32) {
    let bend = fitted.iter().map(|(_, bend)| *bend).fold(0.0, f32::max);
    (fitted.into_iter().map(|(line, _)| line).collect(), bend)
}

/// The corners where four lines meet in turn, when they go around clockwise.
fn corners_of(lines: &[Line]) -> Option<[Point; 4]> {
    let [top, right, bottom, left] = lines else { return None };
    let corners = [left.meets(top)?, top.meets(right)?, right.meets(bottom)?, bottom.meets(left)?];
    (doubled_area(&corners) > 0.0).then_some(corners)
}

/// Moves each side onto its edge in the full picture: the place where half the step from mat to sheet is made. Returns
/// the corners, and how far the edges bend, which is known better here than in the small picture.
fn on_edges(corners: [Point; 4], picture: &Picture, mat: &Mat, factor: u32) -> Option<([Point; 4], f32)> {
    let mut sides = Vec::with_capacity(4);
    for side in 0..4 {
        let (from, to) = (corners[side], corners[(side + 1) % 4]);
        let whole = to.minus(from);
        let inward = Point { x: -whole.y, y: whole.x }.unit();
        let edge: Vec<Point> = (0..PROBES)
            .filter_map(|probe| {
                let place = CORNER + (1.0 - 2.0 * CORNER) * probe as f32 / (PROBES - 1) as f32;
                edge_near(from.along(whole, place), inward, picture, mat, factor)
            })
            .collect();
        if edge.len() < PROBES / 2 {
            return None;
        }
        sides.push(fitted(&edge, 0.7)?);
    }
    let (lines, bend) = with_largest_bend(sides);
    Some((corners_of(&lines)?, bend))
}

fn edge_near(at: Point, inward: Point, picture: &Picture, mat: &Mat, factor: u32) -> Option<Point> {
    let reach = 2 * factor as i32 + 2;
    let values: Vec<f32> = (-reach..=reach)
        .map(|step| {
            let place = at.along(inward, step as f32);
            let cell = |place: f32| (place / factor as f32) as i64;
            let mat = mat.0.pixel(cell(place.x), cell(place.y));
            f32::from(difference(picture.between(place.x, place.y), mat))
        })
        .collect();
    let (outside, inside) =
        (values[0].min(values[1]), values[values.len() - 1].max(values[values.len() - 2]));
    if inside - outside < f32::from(DIFFERS) {
        return None;
    }
    let half = (inside + outside) / 2.0;
    let step = values.windows(2).position(|pair| pair[0] < half && pair[1] >= half)?;
    let part = (half - values[step]) / (values[step + 1] - values[step]);
    Some(at.along(inward, step as f32 - reach as f32 + part))
}
