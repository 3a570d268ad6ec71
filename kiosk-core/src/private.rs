//! Personal data as a type: it can be carried and compared, but not printed, and it erases itself.
//!
//! Absent on purpose: `Display`, `Serialize`, `Deref`, and a `Debug` that shows the value.

use std::fmt;
use zeroize::Zeroize;

/// Personal data of a resident. Reaching the value takes a visible [`Private::expose`], and the
/// memory is overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Private<T: Zeroize>(T);

impl<T: Zeroize> Private<T> {
    /// Takes personal data into custody.
    pub fn new(value: T) -> Self {
        Private(value)
    }

    /// Reads the value. Every call of this is a place where personal data is used: keep them few.
    pub fn expose(&self) -> &T {
        &self.0
    }

    /// Changes the value in place.
    pub fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl Private<String> {
    /// An empty text whose buffer is already large enough for `bytes`, so that typing into it leaves
    /// no outgrown copies behind in memory.
    pub fn with_capacity(bytes: usize) -> Self {
        Private(String::with_capacity(bytes))
    }
}

impl From<&str> for Private<String> {
    fn from(text: &str) -> Self {
        Private(text.to_owned())
    }
}

impl<T: Zeroize> fmt::Debug for Private<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Private(…)")
    }
}

impl<T: Zeroize> Drop for Private<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_value() {
        let name = Private::new("样本".to_owned());
        assert_eq!(format!("{name:?}"), "Private(…)");
        assert_eq!(format!("{:?}", Some(&name)), "Some(Private(…))");
    }

    #[test]
    fn equality_is_that_of_the_value() {
        assert_eq!(Private::from("a"), Private::from("a"));
        assert_ne!(Private::from("a"), Private::from("b"));
    }
}
