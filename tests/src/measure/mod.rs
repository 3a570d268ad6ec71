//! What a screen is measured by. `tree` reads words and controls, with their places, out of the window; `rules` judges
//! them; `ink` looks at the pixels behind the words; `tally` keeps what was found and the worst of each kind.
//!
//! Where the limits come from: MIIT's rules for elders, EN 301 549, Section 508 and WCAG 2.2.

pub mod ink;
pub mod rules;
pub mod tally;
pub mod tree;
