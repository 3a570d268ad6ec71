//! What of a person may be shown: enough to find a case again with the paper in hand, not enough to know who it
//! is.

/// Family names of two characters that are met with; all others have one.
const DOUBLE_SURNAMES: &[&str] = &[
    "欧阳", "歐陽", "司徒", "司马", "司馬", "上官", "诸葛", "諸葛", "东方", "東方", "皇甫", "尉迟", "尉遲",
    "公孙", "公孫", "慕容", "令狐", "夏侯", "长孙", "長孫", "端木", "轩辕", "軒轅", "宇文", "司空", "南宫",
    "南宮",
];

/// Family name and one mark, so that the length of the name is not shown either: 陈＊, 欧阳＊, S＊.
pub(crate) fn name(name: &str) -> String {
    let name = name.trim();
    let double = DOUBLE_SURNAMES
        .iter()
        .find(|surname| name.strip_prefix(**surname).is_some_and(|given| !given.is_empty()));
    let mut masked: String = match double {
        Some(surname) => (*surname).to_owned(),
        None => {
            let mut rest = name.chars();
            let first = rest.next();
            // A variation selector belongs to the character before it.
            let selector = rest
                .next()
                .filter(|next| matches!(next, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}'));
            first.into_iter().chain(selector).collect()
        }
    };
    masked.push('＊');
    masked
}

/// First three and last two: 990*************11. Shorter than eight characters: nothing at all.
pub(crate) fn number(number: &str) -> String {
    ends(number, 3, 2, 8)
}

/// First three and last four: 138****1234. Shorter than ten characters: nothing at all.
pub(crate) fn phone(number: &str) -> String {
    ends(number, 3, 4, 10)
}

fn ends(text: &str, first: usize, last: usize, shortest: usize) -> String {
    let characters: Vec<char> = text.trim().chars().collect();
    let count = characters.len();
    if count < shortest {
        return "*".repeat(count);
    }
    let shown = |at: usize| at < first || at >= count - last;
    characters
        .into_iter()
        .enumerate()
        .map(|(at, character)| if shown(at) { character } else { '*' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_the_family_name_only() {
        assert_eq!(name("陈桂英"), "陈＊");
        assert_eq!(name("欧阳娜"), "欧阳＊");
        // Two characters are a family name of one and a given name of one.
        assert_eq!(name("欧阳"), "欧＊");
        assert_eq!(name("𬱖㛃"), "𬱖＊");
        assert_eq!(name("葛\u{E0100}某"), "葛\u{E0100}＊");
        assert_eq!(name("SMITH JOHN"), "S＊");
        assert_eq!(name(""), "＊");
    }

    #[test]
    fn numbers_keep_their_ends_only() {
        assert_eq!(number("990001199001011234"), "990*************34");
        assert_eq!(number("E12345678"), "E12****78");
        assert_eq!(number("123456"), "******");
        assert_eq!(phone("13812341234"), "138****1234");
        assert_eq!(phone("110"), "***");
    }
}
