//! Which department a case belongs to: the one its item names in the catalog, and the default one for items that the
//! catalog does not know (any more). Pure.

use service_catalog::Catalog;

use crate::store::desk::ItemSet;

/// Departments and their items.
#[derive(Debug, Clone)]
pub(crate) struct Departments {
    default: String,
    /// Item code and department.
    items: Vec<(String, String)>,
}

impl Departments {
    pub(crate) fn new(catalog: &Catalog, default: &str) -> Self {
        let items = catalog
            .items
            .iter()
            // What follows a case belongs to the department of its case.
            .filter(|item| item.shape.follows().is_none())
            .map(|item| (item.code.clone(), item.guide.department.zh_hans.clone()))
            .collect();
        Self { default: default.to_owned(), items }
    }

    /// The department of an item.
    pub(crate) fn of(&self, item: &str) -> &str {
        self.items.iter().find(|(code, _)| code == item).map_or(&self.default, |(_, department)| department)
    }

    /// All of them, each once, the default one last.
    pub(crate) fn all(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self
            .items
            .iter()
            .map(|(_, department)| department.as_str())
            .filter(|department| *department != self.default)
            .collect();
        all.sort_unstable();
        all.dedup();
        all.push(&self.default);
        all
    }

    /// The items of a department. Unknown items belong to the default one.
    pub(crate) fn items_of(&self, department: &str) -> ItemSet {
        let codes = |own: bool| {
            let chosen = self.items.iter().filter(|(_, owner)| (owner == department) == own);
            chosen.map(|(code, _)| code.clone()).collect()
        };
        if department == self.default { ItemSet::AllBut(codes(false)) } else { ItemSet::Only(codes(true)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn departments() -> Departments {
        let item = |code: &str, department: &str| (code.to_owned(), department.to_owned());
        Departments {
            default: "政务中心".into(),
            items: vec![item("a", "人社局"), item("b", "热线"), item("c", "人社局"), item("d", "政务中心")],
        }
    }

    #[test]
    fn every_item_has_one_department() {
        let departments = departments();
        assert_eq!(departments.of("a"), "人社局");
        assert_eq!(departments.of("gone"), "政务中心");
        assert_eq!(departments.all(), ["人社局", "热线", "政务中心"]);
        assert_eq!(departments.items_of("人社局"), ItemSet::Only(vec!["a".into(), "c".into()]));
        assert_eq!(
            departments.items_of("政务中心"),
            ItemSet::AllBut(vec!["a".into(), "b".into(), "c".into()])
        );
        assert_eq!(departments.items_of("nobody"), ItemSet::Only(vec![]));
    }
}
