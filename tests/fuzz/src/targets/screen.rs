//! The socket between kiosk and simulator: what the kiosk says about its screen.

use simulator::screen::{Canvas, FromKiosk, Hello, PatchArea};

use crate::Target;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "device-screen",
        decodes: "frames of the simulator's screen link, kind and payload: FromKiosk, PatchArea, Canvas",
        inputs: 5000,
        seeds,
        run,
    }]
}

/// A panel small enough that thousands of them cost nothing.
const PANEL: Hello = Hello { width: 24, height: 16, mm_per_px: 0.25 };

fn seeds() -> Vec<Vec<u8>> {
    let area = PatchArea { x: 3, y: 2, w: 4, h: 2, last: true };
    let patch = [&[2][..], &area.to_bytes(), &[9; 32]].concat();
    let elements = br#"{"screen":"home","elements":[{"role":"button","label":"x","x":1,"y":2,"w":3,"h":4.5,"more":[]}]}"#;
    let hello = br#"{"width":1080,"height":1920,"mm_per_px":0.248}"#;
    vec![patch, [&[3][..], elements].concat(), [&[1][..], hello].concat(), vec![77]]
}

fn run(bytes: &[u8]) {
    let Some((&kind, payload)) = bytes.split_first() else { return };
    match FromKiosk::read(kind, payload.to_vec()) {
        Ok(FromKiosk::Hello(hello)) => {
            // The largest panels are not made here: that they are refused is what counts.
            let sensible = (1..=8192).contains(&hello.width) && (1..=8192).contains(&hello.height);
            if !sensible || u64::from(hello.width) * u64::from(hello.height) <= 1 << 16 {
                assert_eq!(Canvas::new(hello).is_ok(), sensible && hello.mm_per_px.is_finite());
            }
        }
        Ok(FromKiosk::Patch(patch)) => {
            let mut canvas = Canvas::new(PANEL).expect("a small panel is one");
            let (area, _) = PatchArea::read(&patch).expect("it was read a moment ago");
            let inside = u32::from(area.x) + u32::from(area.w) <= PANEL.width
                && u32::from(area.y) + u32::from(area.h) <= PANEL.height;
            assert_eq!(
                canvas.apply(&patch).is_ok(),
                inside,
                "what lies outside is refused, and nothing else"
            );
        }
        Ok(FromKiosk::Elements(elements)) => {
            assert!(serde_json::to_vec(&elements).is_ok(), "what was understood can be shown in the page");
        }
        Err(error) => drop(error.to_string()),
    }
}
