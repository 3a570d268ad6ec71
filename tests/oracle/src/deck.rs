//! A shuffled deck: every card comes once before any comes again, so that a short run has a bit of everything and a
//! long one no favourites.

use rand::rngs::StdRng;
use rand::seq::SliceRandom;

/// Cards of one kind.
pub struct Deck<T: Copy> {
    cards: Vec<T>,
    left: Vec<T>,
}

impl<T: Copy> Deck<T> {
    /// A deck of these, not shuffled yet.
    pub fn of(cards: &[T]) -> Self {
        Self { cards: cards.to_vec(), left: Vec::new() }
    }

    /// The next card; a used-up deck is shuffled anew. `None` when there are no cards.
    pub fn draw(&mut self, random: &mut StdRng) -> Option<T> {
        if self.left.is_empty() {
            self.left.clone_from(&self.cards);
            self.left.shuffle(random);
        }
        self.left.pop()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn every_card_comes_once_before_any_comes_again_and_a_seed_repeats_the_order() {
        let drawn = |seed| {
            let (mut deck, mut random) = (Deck::of(&[1, 2, 3, 4]), StdRng::seed_from_u64(seed));
            (0..8).map(|_| deck.draw(&mut random).unwrap()).collect::<Vec<_>>()
        };
        let eight = drawn(7);
        for half in eight.chunks(4) {
            let mut sorted = half.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, [1, 2, 3, 4]);
        }
        assert_eq!(eight, drawn(7));
        assert_ne!(eight, drawn(8));
        assert_eq!(Deck::<u8>::of(&[]).draw(&mut StdRng::seed_from_u64(0)), None);
    }
}
