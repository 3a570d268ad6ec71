//! Many places turned on their side: one array for each column, as one statement takes them.

use super::accept::position;
use crate::store::{Place, StoreError};

/// Places as three arrays of equal length.
#[derive(Default)]
pub(super) struct Places {
    pub(super) terminal: Vec<String>,
    pub(super) incarnation: Vec<String>,
    pub(super) seq: Vec<i64>,
}

impl Places {
    pub(super) fn of<'a>(places: impl IntoIterator<Item = &'a Place>) -> Result<Self, StoreError> {
        let mut columns = Self::default();
        for place in places {
            columns.terminal.push(place.terminal.clone());
            columns.incarnation.push(place.incarnation.clone());
            columns.seq.push(position(place.seq)?);
        }
        Ok(columns)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.seq.is_empty()
    }
}
