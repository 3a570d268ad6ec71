//! Which fonts draw Chinese: Noto Sans CJK, and for rare characters BabelStone Han and HanaMin after it.
//!
//! Slint asks fontconfig for one family a script, so the rarer characters of GB 18030-2022 level 3
//! would be missing, and the software renderer leaves a gap for them; the fall-backs are therefore given by hand.
//!
//! The files are mapped, not read: a process that has drawn every character of level 3 in one size held 77 MiB more than
//! before, 16 of them its own (tests/characters prints it).

use slint::fontique_011::{fontique, shared_collection};

/// In this order, for the script Hani.
const FALLBACKS: [&str; 5] =
    ["Noto Sans CJK SC", "Noto Sans CJK HK", "BabelStone Han", "HanaMinA", "HanaMinB"];

/// Sets the fall-backs for the whole process. Call it once a window exists.
pub fn set_fallbacks() {
    let mut collection = shared_collection();
    let families: Vec<_> = FALLBACKS.iter().filter_map(|name| collection.family_id(name)).collect();
    if families.len() < FALLBACKS.len() {
        tracing::warn!(
            found = families.len(),
            wanted = FALLBACKS.len(),
            "fonts for rare characters are missing"
        );
    }
    let key = fontique::FallbackKey::new(fontique::Script::from_bytes(*b"Hani"), None);
    collection.set_fallbacks(key, families.into_iter());
}
