//! Line charts as SVG, in a hundred lines, because the documents need three of them.
//!
//! Deliberately absent: anything that depends on the viewer (scripts, fonts, links). The picture brings its own
//! background, so it can be read on a dark page too.

use std::fmt::Write;

/// How numbers are spread over an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Evenly, from nothing.
    Linear,
    /// By powers of ten.
    Powers,
}

/// One line.
pub struct Series {
    /// What it is.
    pub name: String,
    /// Its points, from left to right.
    pub points: Vec<(f64, f64)>,
    /// Whether it is a limit and not a measurement: drawn thin and broken, and without points.
    pub is_limit: bool,
}

/// One chart.
pub struct Panel {
    /// What it shows.
    pub title: String,
    /// What lies to the right.
    pub across: &'static str,
    /// How that is spread.
    pub scale: Scale,
    /// The lines.
    pub series: Vec<Series>,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 176.0;
const TOP: f64 = 36.0;
const BOTTOM: f64 = 44.0;

/// Told apart without colours too: each line carries its name at its end.
const COLOURS: [&str; 4] = ["#0b5cad", "#b3541e", "#2a7d4f", "#7a3e9d"];

/// Beyond so many points they are not marked one by one.
const MARKED: usize = 24;

/// The charts below each other.
pub fn draw(panels: &[Panel]) -> String {
    let height = HEIGHT * panels.len() as f64;
    let mut svg = String::new();
    put(
        &mut svg,
        format_args!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12" fill="#222"><rect width="100%" height="100%" fill="#fff"/>"##
        ),
    );
    for (at, panel) in panels.iter().enumerate() {
        put(&mut svg, format_args!(r#"<g transform="translate(0 {})">"#, HEIGHT * at as f64));
        panel.draw(&mut svg);
        svg.push_str("</g>");
    }
    svg.push_str("</svg>\n");
    svg
}

impl Panel {
    fn draw(&self, svg: &mut String) {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let right = points().map(|point| point.0).fold(1.0, f64::max);
        let left = match self.scale {
            Scale::Linear => 0.0,
            Scale::Powers => points().map(|point| point.0).fold(right, f64::min).max(1.0),
        };
        let marks = round_steps(points().map(|point| point.1).fold(0.0, f64::max));
        let top = marks.last().copied().unwrap_or(1.0);
        let place = |(x, y): (f64, f64)| {
            let share = match self.scale {
                Scale::Linear => x / right,
                Scale::Powers => (x.max(1.0) / left).log10() / (right / left).log10().max(f64::MIN_POSITIVE),
            };
            (LEFT + share * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM))
        };
        put(
            svg,
            format_args!(r#"<text x="{LEFT}" y="20" font-weight="bold">{}</text>"#, escaped(&self.title)),
        );
        for &mark in &marks {
            let (x, y) = place((left, mark));
            let end = WIDTH - RIGHT;
            put(
                svg,
                format_args!(
                    r##"<line x1="{x:.1}" y1="{y:.1}" x2="{end:.1}" y2="{y:.1}" stroke="#ddd"/><text x="{:.1}" y="{:.1}" text-anchor="end">{}</text>"##,
                    x - 8.0,
                    y + 4.0,
                    short(mark)
                ),
            );
        }
        for mark in self.marks_across(left, right) {
            let (x, y) = place((mark, 0.0));
            put(
                svg,
                format_args!(
                    r#"<text x="{x:.1}" y="{:.1}" text-anchor="middle">{}</text>"#,
                    y + 18.0,
                    short(mark)
                ),
            );
        }
        let (middle, below) = ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 8.0);
        put(
            svg,
            format_args!(
                r##"<text x="{middle:.1}" y="{below:.1}" text-anchor="middle" fill="#555">{}</text>"##,
                escaped(self.across)
            ),
        );
        let mut labels: Vec<f64> = Vec::new();
        for (at, series) in self.series.iter().enumerate() {
            let Some(&last) = series.points.last() else { continue };
            let colour = COLOURS[at % COLOURS.len()];
            let places: Vec<(f64, f64)> = series.points.iter().map(|&point| place(point)).collect();
            line(svg, &places, colour, series.is_limit);
            let (_, mut y) = place(last);
            // Names of lines that end at the same height stand below each other.
            while labels.iter().any(|taken| (taken - y).abs() < 14.0) {
                y += 14.0;
            }
            labels.push(y);
            put(
                svg,
                format_args!(
                    r#"<text x="{:.1}" y="{:.1}" fill="{colour}">{}</text>"#,
                    WIDTH - RIGHT + 8.0,
                    y + 4.0,
                    escaped(&series.name)
                ),
            );
        }
    }

    fn marks_across(&self, left: f64, right: f64) -> Vec<f64> {
        match self.scale {
            Scale::Linear => round_steps(right).into_iter().filter(|&mark| mark <= right).collect(),
            Scale::Powers => {
                let powers = (0..=9).map(|power| 10_f64.powi(power));
                powers.filter(|&mark| (left..=right * 1.001).contains(&mark)).collect()
            }
        }
    }
}

fn line(svg: &mut String, places: &[(f64, f64)], colour: &str, is_limit: bool) {
    let path: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let stroke = if is_limit { r#"stroke-width="1" stroke-dasharray="4 4""# } else { r#"stroke-width="2""# };
    put(
        svg,
        format_args!(r#"<polyline points="{}" fill="none" stroke="{colour}" {stroke}/>"#, path.join(" ")),
    );
    if !is_limit && places.len() <= MARKED {
        for (x, y) in places {
            put(svg, format_args!(r#"<circle cx="{x:.1}" cy="{y:.1}" r="3.5" fill="{colour}"/>"#));
        }
    }
}

/// From nothing to at least this much in four to six steps of a round size.
fn round_steps(most: f64) -> Vec<f64> {
    let rough = (most / 5.0).max(1e-9);
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|times| times * power).into_iter().find(|&step| step >= rough);
    let step = step.unwrap_or(10.0 * power);
    let steps = (most / step).ceil().max(1.0) as u32;
    (0..=steps).map(|count| f64::from(count) * step).collect()
}

fn short(value: f64) -> String {
    match value {
        value if value >= 10_000.0 => format!("{}k", value / 1000.0),
        value if value >= 10.0 || value == 0.0 => format!("{value:.0}"),
        value => format!("{}", (value * 1000.0).round() / 1000.0),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn put(svg: &mut String, arguments: std::fmt::Arguments<'_>) {
    svg.write_fmt(arguments).expect("a String takes everything");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round_and_reach_far_enough() {
        assert_eq!(round_steps(9.3), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(round_steps(1.0).last(), Some(&1.0));
        assert_eq!(round_steps(0.0).len(), 2);
    }

    #[test]
    fn every_point_lies_within_its_chart_and_names_do_not_cover_each_other() {
        let series = |name: &str, last: f64| Series {
            name: name.into(),
            points: vec![(1000.0, 2.0), (100_000.0, last)],
            is_limit: false,
        };
        let panel = Panel {
            title: "a < b".into(),
            across: "terminals",
            scale: Scale::Powers,
            series: vec![series("gateway", 3.0), series("PostgreSQL", 3.01)],
        };
        let svg = draw(&[panel]);
        assert!(svg.contains("a &lt; b") && svg.ends_with("</svg>\n"));
        let circles: Vec<&str> = svg.split("<circle cx=\"").skip(1).collect();
        assert_eq!(circles.len(), 4);
        for circle in circles {
            let x: f64 = circle.split('"').next().unwrap().parse().unwrap();
            assert!((LEFT - 0.1..=WIDTH - RIGHT + 0.1).contains(&x), "{x}");
        }
        let heights: Vec<f64> = ["gateway<", "PostgreSQL<"]
            .map(|name| svg.split(name).next().unwrap().rsplit("y=\"").next().unwrap())
            .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
            .to_vec();
        assert!((heights[0] - heights[1]).abs() >= 13.9, "{heights:?}");
    }
}
