//! Personal data as a technician may see it: enough to tell that the right card was read, too little to know whose.

/// A name by its first character.
pub fn name(name: &str) -> String {
    name.chars().next().map_or("-".to_owned(), |first| format!("{first}*"))
}

/// A number by its first three and last four characters, in its length; a short one not at all.
pub fn number(number: &str) -> String {
    let length = number.chars().count();
    let shown = |at: usize| length > 11 && (at < 3 || at + 4 >= length);
    number.chars().enumerate().map(|(at, character)| if shown(at) { character } else { '*' }).collect()
}

#[cfg(test)]
mod tests {
    use super::{name, number};

    #[test]
    fn little_is_left_of_names_and_numbers() {
        assert_eq!((name("张三丰"), name("䶮"), name("")), ("张*".into(), "䶮*".into(), "-".into()));
        assert_eq!(number("99000119900101001X"), "990***********001X");
        assert_eq!(number("ZZZ990001000001"), "ZZZ********0001");
        assert_eq!((number("ZZ0000001"), number("")), ("*********".into(), String::new()));
    }
}
