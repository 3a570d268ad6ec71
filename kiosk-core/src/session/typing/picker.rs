//! 部首检字, one question after the other: how many strokes has the radical, which radical, how many strokes has the
//! rest, which character. The tables behind it are not known here.

use crate::private::Private;

/// What was chosen so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picker {
    /// How many strokes the radical has.
    pub radical_strokes: Option<u8>,
    /// The form of the radical that was touched, such as 氵.
    pub radical: Option<Private<char>>,
    /// How many strokes the rest of the character has.
    pub residual_strokes: Option<u8>,
}

/// An answer to the picker's question.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// The radical's number of strokes.
    RadicalStrokes(u8),
    /// The radical's form.
    Radical(Private<char>),
    /// The number of further strokes.
    ResidualStrokes(u8),
    /// The character itself, which goes into the field.
    Character(Private<char>),
}

impl Picker {
    /// Takes an answer, if it is one to the question that is open.
    pub(super) fn pick(&mut self, pick: &Pick) {
        match (&*self, pick) {
            (Picker { radical_strokes: None, .. }, Pick::RadicalStrokes(count)) => {
                self.radical_strokes = Some(*count);
            }
            (Picker { radical_strokes: Some(_), radical: None, .. }, Pick::Radical(radical)) => {
                self.radical = Some(radical.clone());
            }
            (Picker { radical: Some(_), residual_strokes: None, .. }, Pick::ResidualStrokes(count)) => {
                self.residual_strokes = Some(*count);
            }
            _ => {}
        }
    }

    /// To the question before.
    pub(super) fn step_back(&mut self) {
        if self.residual_strokes.take().is_none() && self.radical.take().is_none() {
            self.radical_strokes = None;
        }
    }
}
