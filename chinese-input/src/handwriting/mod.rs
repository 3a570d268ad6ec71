//! Handwriting through zinnia with tegaki's model of 6,763 simplified characters.
//!
//! Every stroke gives candidates; there is no waiting for the last one. Characters that the model does not know are found
//! with the [picker](crate::picker).

mod zinnia_calls;

use kiosk_core::Private;

use self::zinnia_calls::Recognizer;
use crate::{Composition, InputEngine, InputError, Mark, STROKES_MAX, Sources, Stroke};

/// Candidates that are shown: those behind are never the right one.
const SHOWN: usize = 20;

/// Strokes of the pen in, characters out.
pub struct HandwritingEngine {
    recognizer: Recognizer,
    strokes: Vec<Stroke>,
    /// What was last shown.
    candidates: Vec<Private<String>>,
}

impl HandwritingEngine {
    /// Opens the model.
    pub fn open(sources: &Sources) -> Result<HandwritingEngine, InputError> {
        let recognizer = Recognizer::open(&sources.model)?;
        Ok(HandwritingEngine { recognizer, strokes: Vec::with_capacity(STROKES_MAX), candidates: Vec::new() })
    }

    /// How many characters the model knows.
    pub fn known(&self) -> usize {
        self.recognizer.known()
    }

    /// Whether the model knows this character.
    pub fn knows(&self, character: char) -> bool {
        let mut buffer = [0; 4];
        self.recognizer.knows(character.encode_utf8(&mut buffer))
    }

    fn recognize(&mut self) -> Composition {
        self.candidates =
            if self.strokes.is_empty() { Vec::new() } else { self.recognizer.classify(&self.strokes, SHOWN) };
        Composition { candidates: self.candidates.clone(), ..Composition::empty() }
    }
}

impl InputEngine for HandwritingEngine {
    fn enter(&mut self, mark: &Mark) -> Result<Composition, InputError> {
        if let Mark::Stroke(stroke) = mark
            && self.strokes.len() < STROKES_MAX
        {
            self.strokes.push(stroke.clone());
        }
        Ok(self.recognize())
    }

    fn choose(&mut self, index: usize) -> Result<Composition, InputError> {
        let Some(chosen) = self.candidates.get(index).cloned() else { return Ok(self.recognize()) };
        self.clear()?;
        Ok(Composition { committed: chosen, ..Composition::empty() })
    }

    fn take_back(&mut self) -> Result<Composition, InputError> {
        self.strokes.pop();
        Ok(self.recognize())
    }

    fn clear(&mut self) -> Result<(), InputError> {
        self.strokes.clear();
        self.candidates.clear();
        Ok(())
    }

    fn forget(&mut self) -> Result<(), InputError> {
        self.clear()
    }
}
