//! How often handwriting finds what was meant, over strokes that others drew: the centre lines of hanzi-writer-data
//! (Arphic Public Licence, fetched for this test and kept nowhere else), clean and as an unsteady hand draws them.

use std::fs;
use std::path::Path;

use chinese_input::{HandwritingEngine, InputEngine, Mark, PEN_SIDE, Point, Sources, Stroke};
use foreign_programs::Bench;

use super::surroundings::{Numbers, enter_all, texts};

/// Characters that are drawn, taken evenly from all that both the model and the data know.
const CHARACTERS: usize = 60;
/// The height of the line on which the data's square begins; its y grows upwards.
const TOP: f64 = 900.0;
/// The side of the data's square.
const SIDE: f64 = 1024.0;
/// How far apart a panel's points are at a usual speed, in the data's units.
const STEP: f64 = 24.0;

type Line = Vec<(f64, f64)>;

/// Every stroke of a character, from its file.
fn lines(path: &Path) -> Vec<Line> {
    let data: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let point = |point: &serde_json::Value| (point[0].as_f64().unwrap(), TOP - point[1].as_f64().unwrap());
    let strokes = data["medians"].as_array().unwrap().iter();
    strokes.map(|stroke| stroke.as_array().unwrap().iter().map(point).collect()).collect()
}

/// Points as a panel gives them along a line.
fn along(line: &Line) -> Line {
    let mut points = vec![line[0]];
    for pair in line.windows(2) {
        let (dx, dy) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
        let steps = (dx.hypot(dy) / STEP).ceil().max(1.0);
        points.extend((1..=steps as u32).map(|step| {
            let part = f64::from(step) / steps;
            (pair[0].0 + dx * part, pair[0].1 + dy * part)
        }));
    }
    points
}

/// An unsteady hand: slanted, narrower or wider, each stroke a little off its place, and trembling.
fn unsteady(lines: &mut [Line], numbers: &mut Numbers) {
    let mut spread = |most: f64| (numbers.below(2001) as f64 / 1000.0 - 1.0) * most;
    let (slant, wide, high) = (spread(0.12), 0.85 + spread(0.12), 0.85 + spread(0.12));
    for line in lines {
        let (right, down) = (spread(35.0), spread(35.0));
        for (x, y) in line {
            let (from_middle_x, from_middle_y) = (*x - SIDE / 2.0, *y - SIDE / 2.0);
            *x = SIDE / 2.0 + from_middle_x * wide - from_middle_y * slant + right + spread(10.0);
            *y = SIDE / 2.0 + from_middle_y * high + from_middle_x * slant + down + spread(10.0);
        }
    }
}

fn mark(line: &Line) -> Mark {
    let inside =
        |value: f64| (value / SIDE * f64::from(PEN_SIDE)).clamp(0.0, f64::from(PEN_SIDE) - 1.0) as u16;
    let points: Vec<Point> = line.iter().map(|(x, y)| Point { x: inside(*x), y: inside(*y) }).collect();
    Mark::Stroke(Stroke::new(&points).unwrap())
}

#[test]
fn most_characters_are_among_the_first_five() {
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/drawn");
    let modules = Bench::new(scripts, env!("CARGO_TARGET_TMPDIR")).node_modules("drawn-characters");
    let mut engine = HandwritingEngine::open(&Sources::deployed_in("unused")).unwrap();
    assert_eq!(engine.known(), 6763);
    let mut characters: Vec<char> = fs::read_dir(modules.join("hanzi-writer-data"))
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let mut characters = name.strip_suffix(".json")?.chars();
            characters.next().filter(|first| *first >= '一' && characters.next().is_none())
        })
        .filter(|character| engine.knows(*character))
        .collect();
    characters.sort();
    println!("{} characters are known to both the model and the data", characters.len());
    let chosen: Vec<char> =
        characters.iter().copied().step_by(characters.len() / CHARACTERS).take(CHARACTERS).collect();

    let mut numbers = Numbers(0xACC);
    let mut results = Vec::new();
    for (hand, least_percent) in [("clean", 75), ("unsteady", 60)] {
        let (mut first, mut among_five, mut missed) = (0, 0, String::new());
        for character in &chosen {
            let mut drawn: Vec<Line> =
                lines(&modules.join("hanzi-writer-data").join(format!("{character}.json")))
                    .iter()
                    .map(along)
                    .collect();
            if hand == "unsteady" {
                unsteady(&mut drawn, &mut numbers);
            }
            let composition = enter_all(&mut engine, &drawn.iter().map(mark).collect::<Vec<_>>());
            let place = texts(&composition).iter().position(|text| **text == character.to_string());
            first += usize::from(place == Some(0));
            among_five += usize::from(place.is_some_and(|place| place < 5));
            if place.is_none_or(|place| place >= 5) {
                missed.push(*character);
            }
            engine.clear().unwrap();
        }
        let percent = among_five * 100 / chosen.len();
        println!(
            "{hand}: {first} of {} first, {among_five} among the first five ({percent} %), not among them: {missed}",
            chosen.len()
        );
        results.push((hand, percent, least_percent));
    }
    for (hand, percent, least_percent) in results {
        assert!(percent >= least_percent, "{hand}: {percent} % among the first five");
    }
}
