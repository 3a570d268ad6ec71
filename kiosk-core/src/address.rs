//! Addresses in the city: a town (镇街), perhaps a village (村居), and the rest as written. Names are simplified Chinese,
//! which is what is stored and sent.

use crate::private::Private;

/// Longest rest of an address, characters.
pub const REST_MAX_CHARS: usize = 60;

/// The towns and villages that are known. Public words: they are nobody's address yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    /// Name of the city, as addresses on cards have it.
    pub city: String,
    /// In the order of the screen.
    pub towns: Vec<Town>,
}

/// A town.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Town {
    /// Name.
    pub name: String,
    /// The villages of it that are known.
    pub villages: Vec<String>,
}

/// An address that was given.
#[derive(Clone, Debug, PartialEq)]
pub struct Address {
    /// 镇街.
    pub town: Private<String>,
    /// 村居, where one was chosen.
    pub village: Option<Private<String>>,
    /// Road, number, building, room.
    pub rest: Private<String>,
}

impl Areas {
    /// The town with this name.
    pub fn town(&self, name: &str) -> Option<&Town> {
        self.towns.iter().find(|town| town.name == name)
    }

    /// What a card says, if it is an address in one of the towns: `广东省东莞市莞城街道…`. Where the card leaves the
    /// last character of a town out (莞城区 or 莞城 for 莞城街道), nothing is guessed.
    pub fn read(&self, address: &str) -> Option<Address> {
        let (_, within) = address.split_once(self.city.as_str()).filter(|_| !self.city.is_empty())?;
        let (town, after) =
            self.towns.iter().find_map(|town| Some((town, within.strip_prefix(&*town.name)?)))?;
        let known =
            town.villages.iter().filter_map(|village| Some((village, after.strip_prefix(&**village)?)));
        // 一村 and 一村口: the longer name is the one that was meant.
        let village = known.max_by_key(|(village, _)| village.len());
        let rest = village.map_or(after, |(_, rest)| rest).trim();
        let fits = (1..=REST_MAX_CHARS).contains(&rest.chars().count());
        fits.then(|| Address {
            town: Private::from(town.name.as_str()),
            village: village.map(|(name, _)| Private::from(name.as_str())),
            rest: Private::from(rest),
        })
    }
}

impl Town {
    /// Whether it has this village.
    pub fn has(&self, village: &str) -> bool {
        self.villages.iter().any(|known| known == village)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn areas() -> Areas {
        let town = |name: &str, villages: &[&str]| Town {
            name: name.into(),
            villages: villages.iter().map(|&village| village.into()).collect(),
        };
        Areas {
            city: "示例市".into(), towns: vec![town("甲街道", &["一村", "一村口"]), town("乙镇", &[])]
        }
    }

    #[test]
    fn an_address_on_a_card_is_read_where_it_is_sure() {
        let read = |text: &str| areas().read(text);
        let full = read("样本省示例市甲街道一村口样本路 1 号").unwrap();
        assert_eq!(full.town.expose(), "甲街道");
        assert_eq!(full.village.unwrap().expose(), "一村口");
        assert_eq!(full.rest.expose(), "样本路 1 号");
        assert_eq!(read("示例市乙镇二村 2 号").unwrap().rest.expose(), "二村 2 号");
        assert!(read("示例市乙镇").is_none(), "nothing is left to confirm");
        assert!(read("样本省别处市甲街道 1 号").is_none());
        assert!(read("示例市甲区 1 号").is_none());
        assert!(Areas::default().read("示例市甲街道 1 号").is_none());
    }

    #[test]
    fn debug_shows_no_address() {
        let shown = format!("{:?}", areas().read("示例市甲街道一村样本路 1 号"));
        assert!(!shown.contains("样本路") && !shown.contains("一村"), "{shown}");
    }
}
