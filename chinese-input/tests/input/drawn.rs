//! A few characters as a finger draws them, written down for these tests, from 0 to 99 in both directions.

use chinese_input::{Mark, Point, Stroke};

/// A stroke as lines between a few points.
type Corners = &'static [(u16, u16)];

/// A character and its strokes.
pub const DRAWN: &[(char, &[Corners])] = &[
    ('十', &[&[(12, 45), (88, 42)], &[(50, 10), (50, 90)]]),
    ('口', &[&[(22, 25), (25, 80)], &[(22, 25), (78, 23), (75, 78)], &[(25, 76), (75, 74)]]),
    ('大', &[&[(12, 38), (88, 34)], &[(50, 8), (46, 50), (14, 90)], &[(50, 40), (62, 66), (90, 90)]]),
    (
        '中',
        &[
            &[(20, 30), (22, 60)],
            &[(20, 30), (80, 28), (78, 58)],
            &[(22, 58), (78, 56)],
            &[(50, 6), (50, 95)],
        ],
    ),
    ('人', &[&[(50, 10), (44, 50), (12, 90)], &[(48, 40), (62, 68), (90, 90)]]),
    ('上', &[&[(48, 12), (48, 84)], &[(50, 44), (78, 43)], &[(10, 86), (92, 84)]]),
    ('王', &[&[(18, 20), (82, 18)], &[(22, 50), (78, 48)], &[(50, 20), (50, 84)], &[(12, 86), (90, 84)]]),
    (
        '日',
        &[
            &[(28, 14), (28, 88)],
            &[(28, 14), (74, 13), (74, 87)],
            &[(29, 48), (73, 47)],
            &[(29, 84), (73, 83)],
        ],
    ),
];

/// The strokes as an engine takes them, with a point every few millimetres as a touch panel gives them.
pub fn marks(strokes: &[Corners]) -> Vec<Mark> {
    const STEPS: u16 = 8;
    let between = |a: u16, b: u16, step: u16| (a * (STEPS - step) + b * step) * 10 / STEPS;
    let drawn = |corners: &Corners| {
        let points: Vec<Point> = corners
            .windows(2)
            .flat_map(|pair| {
                (0..=STEPS).map(|step| Point {
                    x: between(pair[0].0, pair[1].0, step),
                    y: between(pair[0].1, pair[1].1, step),
                })
            })
            .collect();
        Mark::Stroke(Stroke::new(&points).unwrap())
    };
    strokes.iter().map(drawn).collect()
}

/// The strokes of one of [`DRAWN`].
pub fn drawn(character: char) -> Vec<Mark> {
    marks(DRAWN.iter().find(|(drawn, _)| *drawn == character).unwrap().1)
}
