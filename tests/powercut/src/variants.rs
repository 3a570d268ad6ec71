//! Which combinations of unsynced changes are tried at one cut. The number of a variant and the seed say everything, so a
//! finding can be replayed alone.

use crate::chance::Chance;
use crate::disk::{Fate, Kept};
use crate::recorder::Op;

/// The fates of the pending changes in variant `number`, or `None` when it would only repeat an earlier one. The first
/// ten are the same for every seed, the rest are drawn.
pub fn fates<'a>(
    number: usize,
    pending: impl ExactSizeIterator<Item = &'a Op>,
    chance: &mut Chance,
) -> Option<Vec<Fate>> {
    let pending: Vec<&Op> = pending.collect();
    let count = pending.len();
    if count == 0 {
        return (number == 0).then(Vec::new);
    }
    let last = count - 1;
    let all = |fate: Fate| vec![fate; count];
    let all_but_last = |fate: Fate| {
        let mut fates = all(Fate::Whole);
        fates[last] = fitting(pending[last], fate);
        fates
    };
    let only_names = |names: Fate, bytes: Fate| {
        let fates = pending.iter().map(|op| if is_name(op) { names } else { bytes });
        Some(fates.collect())
    };
    let torn = |sector, kept| Fate::Torn { sector, kept };
    match number {
        0 => Some(all(Fate::Lost)),
        1 => Some(all(Fate::Whole)),
        2 => Some(all_but_last(torn(512, Kept::First(1)))),
        3 => Some(pending.iter().map(|op| fitting(op, Fate::LengthOnly)).collect()),
        4 => only_names(Fate::Lost, Fate::Whole),
        5 => only_names(Fate::Whole, Fate::Lost),
        6 => Some(all_but_last(torn(512, Kept::AfterFirst(1)))),
        7 => Some(all_but_last(Fate::LengthOnly)),
        8 => {
            let mut fates = all(Fate::Lost);
            fates[last] = Fate::Whole;
            Some(fates)
        }
        9 => Some(all_but_last(torn(4096, Kept::First(1)))),
        _ => Some(drawn(&pending, chance)),
    }
}

fn drawn(pending: &[&Op], chance: &mut Chance) -> Vec<Fate> {
    let count = pending.len();
    let one = chance.below(count);
    let bits = chance.next();
    match chance.below(8) {
        // Each single one missing, each single one present.
        0 => (0..count).map(|at| if at == one { Fate::Lost } else { Fate::Whole }).collect(),
        1 => (0..count).map(|at| if at == one { Fate::Whole } else { Fate::Lost }).collect(),
        // In order up to one that is torn.
        2 => (0..count)
            .map(|at| match at.cmp(&one) {
                std::cmp::Ordering::Less => Fate::Whole,
                std::cmp::Ordering::Equal => fitting(pending[at], tear(chance)),
                std::cmp::Ordering::Greater => Fate::Lost,
            })
            .collect(),
        // The newest without the oldest.
        3 => (0..count).map(|at| if at >= one { Fate::Whole } else { Fate::Lost }).collect(),
        // Whole files or nothing of them.
        4 => pending
            .iter()
            .map(|op| if bits >> (op.target() % 64) & 1 == 1 { Fate::Whole } else { Fate::Lost })
            .collect(),
        // Nearly all.
        5 => (0..count).map(|_| if chance.once_in(8) { Fate::Lost } else { Fate::Whole }).collect(),
        // A coin for each.
        6 => (0..count).map(|_| if chance.once_in(2) { Fate::Lost } else { Fate::Whole }).collect(),
        // Anything.
        _ => pending.iter().map(|op| any(op, chance)).collect(),
    }
}

/// Any fate that a change can have.
pub fn any(op: &Op, chance: &mut Chance) -> Fate {
    match chance.below(4) {
        0 => Fate::Lost,
        1 => Fate::Whole,
        2 => fitting(op, Fate::LengthOnly),
        _ => fitting(op, tear(chance)),
    }
}

fn tear(chance: &mut Chance) -> Fate {
    let sector = if chance.once_in(3) { 4096 } else { 512 };
    let kept = match chance.below(3) {
        0 => Kept::First(1 + chance.below(8) as u32),
        1 => Kept::AfterFirst(1 + chance.below(8) as u32),
        _ => Kept::Scattered(chance.next()),
    };
    Fate::Torn { sector, kept }
}

/// Only writes can be torn or leave just their length; other changes happen or do not.
fn fitting(op: &Op, fate: Fate) -> Fate {
    match (op, fate) {
        (Op::Write { .. }, fate) | (_, fate @ (Fate::Whole | Fate::Lost)) => fate,
        (_, Fate::LengthOnly | Fate::Torn { .. }) => Fate::Lost,
    }
}

fn is_name(op: &Op) -> bool {
    matches!(op, Op::Link { .. } | Op::Rename { .. } | Op::Unlink { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_two_are_nothing_and_everything_and_a_number_repeats() {
        let ops =
            [Op::Write { node: 1, offset: 0, bytes: [1; 8].into() }, Op::Truncate { node: 1, length: 4 }];
        let of = |number| fates(number, ops.iter(), &mut Chance::new(7, &[number as u64])).unwrap();
        assert_eq!((of(0), of(1)), (vec![Fate::Lost; 2], vec![Fate::Whole; 2]));
        for number in 0..60 {
            assert_eq!(of(number), of(number));
            assert!(matches!(of(number)[1], Fate::Lost | Fate::Whole), "a truncation is not torn");
        }
        assert!((10..60).any(|number| matches!(of(number)[0], Fate::Torn { .. })));
        let nothing = |number| fates(number, [].iter(), &mut Chance::new(7, &[]));
        assert_eq!((nothing(0), nothing(1)), (Some(Vec::new()), None));
    }
}
