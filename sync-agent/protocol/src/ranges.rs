//! Sets of queue positions, kept as inclusive ranges. Pure arithmetic, safe at both ends of `u64`.

use std::collections::BTreeMap;

/// A set of positions. Small however many positions it holds, as long as they lie together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RangeSet {
    /// First position of a range → its last. Ranges neither overlap nor touch.
    spans: BTreeMap<u64, u64>,
}

impl RangeSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one position.
    pub fn insert(&mut self, at: u64) {
        self.insert_range(at, at);
    }

    /// Adds every position from `first` to `last`; an inverted range adds nothing.
    pub fn insert_range(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        let (mut first, mut last) = (first, last);
        // Everything that overlaps or touches [first, last] melts into it.
        let reach = last.saturating_add(1);
        while let Some((&start, &end)) = self.spans.range(..=reach).next_back() {
            if end.saturating_add(1) < first {
                break;
            }
            self.spans.remove(&start);
            first = first.min(start);
            last = last.max(end);
        }
        self.spans.insert(first, last);
    }

    /// Takes one position out.
    pub fn remove(&mut self, at: u64) {
        let Some((&start, &end)) = self.spans.range(..=at).next_back() else { return };
        if end < at {
            return;
        }
        self.spans.remove(&start);
        if start < at {
            self.spans.insert(start, at - 1);
        }
        if at < end {
            self.spans.insert(at + 1, end);
        }
    }

    /// Whether the position is in the set.
    pub fn contains(&self, at: u64) -> bool {
        self.spans.range(..=at).next_back().is_some_and(|(_, &end)| at <= end)
    }

    /// Positions from 1 to `upto` that are not in the set, in order.
    pub fn missing(&self, upto: u64) -> impl Iterator<Item = u64> + '_ {
        self.missing_ranges(upto).flat_map(|(first, last)| first..=last)
    }

    /// The same as ranges; at most one more than the set has.
    pub fn missing_ranges(&self, upto: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        let mut next = Some(1_u64);
        let mut spans = self.spans.iter();
        std::iter::from_fn(move || {
            loop {
                let from = next?;
                if from > upto {
                    return None;
                }
                let Some((&start, &end)) = spans.next() else {
                    next = None;
                    return Some((from, upto));
                };
                // `None` after a range that ends at the last number there is.
                next = end.checked_add(1).map(|after| after.max(from));
                if start > from {
                    return Some((from, upto.min(start - 1)));
                }
            }
        })
    }

    /// How far the set reaches from 1 without a gap; 0 when 1 is missing.
    pub fn contiguous(&self) -> u64 {
        self.spans.range(..=1).next_back().map_or(0, |(_, &end)| end)
    }

    /// How many positions the set holds; saturates.
    pub fn len(&self) -> u64 {
        self.spans.iter().fold(0_u64, |sum, (start, end)| sum.saturating_add((end - start).saturating_add(1)))
    }

    /// Whether the set holds nothing.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Adds everything of another set.
    pub fn extend(&mut self, other: &RangeSet) {
        for (&first, &last) in &other.spans {
            self.insert_range(first, last);
        }
    }

    /// The ranges in order, as they travel.
    pub fn to_vec(&self) -> Vec<(u64, u64)> {
        self.spans.iter().map(|(&first, &last)| (first, last)).collect()
    }
}

impl From<&[(u64, u64)]> for RangeSet {
    /// Takes ranges in any order, overlapping or inverted: they may come from outside.
    fn from(ranges: &[(u64, u64)]) -> Self {
        let mut set = Self::new();
        for &(first, last) in ranges {
            set.insert_range(first, last);
        }
        set
    }
}

impl From<Vec<(u64, u64)>> for RangeSet {
    fn from(ranges: Vec<(u64, u64)>) -> Self {
        Self::from(ranges.as_slice())
    }
}

impl From<RangeSet> for Vec<(u64, u64)> {
    fn from(set: RangeSet) -> Self {
        set.to_vec()
    }
}

impl FromIterator<u64> for RangeSet {
    fn from_iter<I: IntoIterator<Item = u64>>(positions: I) -> Self {
        let mut set = Self::new();
        for at in positions {
            set.insert(at);
        }
        set
    }
}
