//! A list on the screen that changes in place: rows that stay the same are not touched, so that the
//! element under a finger lives from press to release.

use slint::{Model, ModelRc, VecModel};
use std::rc::Rc;

pub(super) struct Rows<T: Clone + PartialEq + 'static>(Rc<VecModel<T>>);

impl<T: Clone + PartialEq + 'static> Default for Rows<T> {
    fn default() -> Self {
        Rows(Rc::new(VecModel::default()))
    }
}

impl<T: Clone + PartialEq + 'static> Rows<T> {
    /// The list for the markup. Set it once.
    pub(super) fn model(&self) -> ModelRc<T> {
        self.0.clone().into()
    }

    /// Shows these rows.
    pub(super) fn show(&self, rows: Vec<T>) {
        if rows.len() != self.0.row_count() {
            self.0.set_vec(rows);
            return;
        }
        for (at, row) in rows.into_iter().enumerate() {
            if self.0.row_data(at).as_ref() != Some(&row) {
                self.0.set_row_data(at, row);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_change_in_place() {
        let rows = Rows::default();
        let model = rows.model();
        rows.show(vec![1, 2]);
        rows.show(vec![1, 3]);
        assert_eq!(model.iter().collect::<Vec<_>>(), [1, 3]);
        rows.show(vec![]);
        assert_eq!(model.row_count(), 0);
    }
}
