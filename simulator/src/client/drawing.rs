//! A finger that draws.

use serde_json::json;

use super::{Client, PATIENCE};

/// Steps in which a finger goes from one point to the next; a panel reports it about so often.
const STEPS: u8 = 12;

impl Client {
    /// Draws strokes in the element with this label. Points are parts of its width and height, from its top left corner.
    pub async fn draw(&self, label: &str, strokes: &[&[(f32, f32)]]) -> anyhow::Result<()> {
        let look = async || {
            let mut all = self.elements().await?.elements.into_iter();
            Ok(all.find(|element| element.label == label && element.enabled))
        };
        let area = self.until(&format!("{label:?} to draw in"), PATIENCE, look).await?;
        for stroke in strokes {
            let places: Vec<(f32, f32)> =
                stroke.iter().map(|(x, y)| (area.x + x * area.w, area.y + y * area.h)).collect();
            let [first, .., last] = places[..] else {
                anyhow::bail!("a stroke goes from one point to another")
            };
            self.touch_step("press", first).await?;
            for pair in places.windows(2) {
                for step in 1..=STEPS {
                    let part = f32::from(step) / f32::from(STEPS);
                    let between = |from: f32, to: f32| from + (to - from) * part;
                    let place = (between(pair[0].0, pair[1].0), between(pair[0].1, pair[1].1));
                    self.touch_step("move", place).await?;
                }
            }
            self.touch_step("release", last).await?;
        }
        Ok(())
    }

    /// One step of a touch: `press`, `move` or `release`.
    pub async fn touch_step(&self, phase: &str, (x, y): (f32, f32)) -> anyhow::Result<()> {
        self.post("/api/touch", json!({ "phase": phase, "x": x, "y": y })).await.map(drop)
    }
}
