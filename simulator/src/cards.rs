//! The four made-up people whose cards lie on the desk. Area code 990001 exists nowhere, so no number here can
//! be anybody's.

use device_drivers::id_card_reader::MainlandCard;
use serde::Serialize;

/// A card on the desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeskCard {
    /// Its name in the HTTP interface.
    pub id: &'static str,
    /// Whether its validity has passed.
    pub expired: bool,
    /// What is printed on it.
    pub name: &'static str,
    sex: Sex,
    ethnic: &'static str,
    birth: &'static str,
    order: u16,
    address: &'static str,
    valid_from: &'static str,
    valid_to: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sex {
    Male,
    Female,
}

const ISSUER: &str = "示例市公安局";
const AREA: &str = "990001";

/// All cards, in the order of the desk.
pub const CARDS: [DeskCard; 4] = [
    DeskCard {
        id: "ordinary",
        expired: false,
        name: "陈桂英",
        sex: Sex::Female,
        ethnic: "01",
        birth: "19710523",
        order: 4,
        address: "广东省东莞市示例镇样本路12号3栋501房",
        valid_from: "20190612",
        valid_to: "长期",
    },
    DeskCard {
        id: "rare-name",
        expired: false,
        name: "𬱖㛃",
        sex: Sex::Female,
        ethnic: "08",
        birth: "19880716",
        order: 12,
        address: "广东省东莞市示例镇样本路36号",
        valid_from: "20180309",
        valid_to: "20380309",
    },
    DeskCard {
        id: "elder",
        expired: false,
        name: "何润添",
        sex: Sex::Male,
        ethnic: "01",
        birth: "19460308",
        order: 7,
        address: "广东省东莞市示例镇样本路祠堂巷2号",
        valid_from: "20060420",
        valid_to: "长期",
    },
    DeskCard {
        id: "expired",
        expired: true,
        name: "吴志强",
        sex: Sex::Male,
        ethnic: "01",
        birth: "19721102",
        order: 31,
        address: "广东省东莞市示例镇样本路工业区8号宿舍楼",
        valid_from: "20000817",
        valid_to: "20200817",
    },
];

/// Their names, in the same order.
pub const CARD_IDS: [&str; CARDS.len()] = [CARDS[0].id, CARDS[1].id, CARDS[2].id, CARDS[3].id];

/// A card as the page shows it: the number masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CardView {
    id: &'static str,
    name: &'static str,
    sex: &'static str,
    number: String,
    birth: String,
    valid_to: String,
    expired: bool,
}

impl DeskCard {
    /// The card with this id.
    pub fn by_id(id: &str) -> Option<&'static Self> {
        CARDS.iter().find(|card| card.id == id)
    }

    /// 公民身份号码 with its check character (GB 11643).
    pub fn number(&self) -> String {
        let body = format!("{AREA}{}{:03}", self.birth, self.order);
        let check = check_character(&body);
        format!("{body}{check}")
    }

    /// The fields as the chip holds them.
    pub fn fields(&self) -> MainlandCard {
        MainlandCard {
            name: self.name.to_owned(),
            sex: if self.sex == Sex::Male { "1" } else { "2" }.to_owned(),
            ethnic: self.ethnic.to_owned(),
            birth: self.birth.to_owned(),
            address: self.address.to_owned(),
            number: self.number(),
            issuer: ISSUER.to_owned(),
            valid_from: self.valid_from.to_owned(),
            valid_to: self.valid_to.to_owned(),
        }
    }

    /// The card for the page.
    pub fn view(&self) -> CardView {
        let number = self.number();
        CardView {
            id: self.id,
            name: self.name,
            sex: if self.sex == Sex::Male { "男" } else { "女" },
            number: format!("{}********{}", &number[..6], &number[14..]),
            birth: dashed(self.birth),
            valid_to: dashed(self.valid_to),
            expired: self.expired,
        }
    }
}

fn dashed(date: &str) -> String {
    match (date.get(..4), date.get(4..6), date.get(6..8)) {
        (Some(year), Some(month), Some(day)) if date.len() == 8 => format!("{year}-{month}-{day}"),
        _ => date.to_owned(),
    }
}

/// ISO 7064 MOD 11-2 over 17 digits.
fn check_character(body: &str) -> char {
    let sum = body.bytes().fold(0, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
    match (12 - sum) % 11 {
        10 => 'X',
        digit => char::from_digit(digit, 10).expect("below ten"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use device_drivers::id_card_reader::CardText;
    use device_drivers::id_card_reader::protocol::text_block::{decode_text, encode_text};

    #[test]
    fn check_characters_are_right() {
        // The example of GB 11643 and of every textbook.
        assert_eq!(check_character("11010519491231002"), 'X');
        assert_eq!(check_character("44052418800101001"), '4');
    }

    #[test]
    fn every_card_fits_the_chip_and_says_the_same_everywhere() {
        for card in CARDS {
            let fields = card.fields();
            let block = encode_text(&CardText::Mainland(fields.clone())).unwrap();
            let CardText::Mainland(read) = decode_text(&block).unwrap() else { panic!("another layout") };
            assert_eq!(read.name, card.name);
            assert!(read == fields, "{} changed on the chip", card.id);
            let number = card.number();
            assert_eq!(number.len(), 18);
            assert!(number.starts_with("990001") && number[6..14] == *card.birth);
            let odd = number.as_bytes()[16] % 2 == 1;
            assert_eq!(odd, card.sex == Sex::Male, "{}: the order digit tells the sex", card.id);
            assert!(!card.view().number.contains(card.birth));
        }
        assert_eq!(DeskCard::by_id("elder").unwrap().view().birth, "1946-03-08");
        assert!(DeskCard::by_id("nobody").is_none());
    }
}
