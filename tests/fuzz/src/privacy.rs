//! What a resident entered, in every good example, so that a target can tell whether an error repeats it.

/// A name, an identity number (area 990001), words, a telephone number, and the identity number of the golden vectors,
/// whose check digit is wrong; they are in the examples that hold personal data, and mutations keep most of them.
pub const PRIVATE: [&str; 5] =
    ["𬱖㛃", "990001199001011008", "路灯不亮", "13800000000", "990001199001011005"];

/// An error, or what a log line would say, repeats nothing of a resident.
///
/// # Panics
/// When it does; the text itself is not repeated here either.
#[track_caller]
pub fn assert_quiet(said: &str) {
    assert!(!PRIVATE.iter().any(|word| said.contains(word)), "an error repeats what a resident entered");
}

/// The same for an error and its `Debug` text.
///
/// # Panics
/// When it does.
#[track_caller]
pub fn assert_error_quiet(error: &impl std::error::Error) {
    assert_quiet(&format!("{error} {error:?}"));
    let mut source = error.source();
    while let Some(cause) = source {
        assert_quiet(&cause.to_string());
        source = cause.source();
    }
}
