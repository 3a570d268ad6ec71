//! What was used last comes first, for as long as a session lasts.

use std::collections::VecDeque;

use kiosk_core::Private;

use crate::{Composition, InputEngine, InputError, Mark};

/// Choices that are remembered.
const REMEMBERED: usize = 64;

/// Something that was chosen, and what was typed for it. The same text under other keys stays where the engine puts it:
/// who types `nihao` after having chosen 你 for `ni` does not want 你 in front of 你好.
struct Choice {
    typed: Private<String>,
    text: Private<String>,
}

/// An engine whose candidates are put into another order: what was chosen before for the same keys comes first.
pub struct RecentFirst<E> {
    engine: E,
    /// The latest first.
    choices: VecDeque<Choice>,
    shown: Composition,
    /// For each candidate shown, its place with the engine.
    places: Vec<usize>,
}

impl<E: InputEngine> RecentFirst<E> {
    /// Nothing was chosen yet.
    pub fn new(engine: E) -> Self {
        RecentFirst { engine, choices: VecDeque::new(), shown: Composition::empty(), places: Vec::new() }
    }

    /// The engine behind.
    pub fn engine_mut(&mut self) -> &mut E {
        &mut self.engine
    }

    /// Orders what the engine says, and remembers it as what is on the screen.
    fn show(&mut self, mut composition: Composition) -> Composition {
        let rank = |text: &Private<String>| {
            let chosen = |choice: &Choice| choice.typed == composition.typed && choice.text == *text;
            self.choices.iter().position(chosen).unwrap_or(usize::MAX)
        };
        let ranks: Vec<usize> = composition.candidates.iter().map(rank).collect();
        self.places = (0..ranks.len()).collect();
        // Stable: those that were never chosen stay in the engine's order.
        self.places.sort_by_key(|place| ranks[*place]);
        let mut candidates: Vec<Option<Private<String>>> =
            std::mem::take(&mut composition.candidates).into_iter().map(Some).collect();
        composition.candidates = self.places.iter().filter_map(|place| candidates[*place].take()).collect();
        self.shown = composition.clone();
        composition
    }

    fn hide(&mut self) {
        self.shown = Composition::empty();
        self.places.clear();
    }

    fn remember(&mut self, index: usize) {
        let Some(text) = self.shown.candidates.get(index) else { return };
        let choice = Choice { typed: self.shown.typed.clone(), text: text.clone() };
        self.choices.retain(|other| other.typed != choice.typed || other.text != choice.text);
        self.choices.push_front(choice);
        self.choices.truncate(REMEMBERED);
    }
}

impl<E: InputEngine> InputEngine for RecentFirst<E> {
    fn enter(&mut self, mark: &Mark) -> Result<Composition, InputError> {
        let composition = self.engine.enter(mark).inspect_err(|_| self.hide())?;
        Ok(self.show(composition))
    }

    fn choose(&mut self, index: usize) -> Result<Composition, InputError> {
        // A place that is not there is not there with the engine either.
        let place = self.places.get(index).copied().unwrap_or(usize::MAX);
        let composition = self.engine.choose(place).inspect_err(|_| self.hide())?;
        self.remember(index);
        Ok(self.show(composition))
    }

    fn take_back(&mut self) -> Result<Composition, InputError> {
        let composition = self.engine.take_back().inspect_err(|_| self.hide())?;
        Ok(self.show(composition))
    }

    fn clear(&mut self) -> Result<(), InputError> {
        self.hide();
        self.engine.clear()
    }

    fn forget(&mut self) -> Result<(), InputError> {
        self.choices.clear();
        self.hide();
        self.engine.forget()
    }
}
