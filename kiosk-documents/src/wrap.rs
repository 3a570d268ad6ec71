//! Breaks plain text into lines of columns, as a printer's own characters stand: one for an ASCII character, two for any
//! other.

use std::iter::successors;

/// What may not begin a line.
const CLOSING: &str = "，。、；：！？）》」』】〕〉”’…·,.;:!?)]}%";
/// What may not end one.
const OPENING: &str = "（《「『【〔〈“‘([{";

/// Columns that a text takes.
pub(crate) fn columns(text: &str) -> u32 {
    text.chars().map(width).sum()
}

fn width(character: char) -> u32 {
    if (' '..='~').contains(&character) { 1 } else { 2 }
}

/// The lines of a text in so many columns, at least two; none of an empty one. A word that is longer than a line is
/// broken where the line ends.
pub(crate) fn wrap(text: &str, columns: u32) -> Vec<&str> {
    successors(Some(text.trim()), |rest| Some(rest[line_end(rest, columns)..].trim_start()))
        .take_while(|rest| !rest.is_empty())
        .map(|rest| rest[..line_end(rest, columns)].trim_end())
        .collect()
}

/// Bytes of the first line, the spaces at its end included.
fn line_end(text: &str, columns: u32) -> usize {
    let (mut used, mut possible, mut before) = (0, None, None);
    for (at, character) in text.char_indices() {
        if before.is_some_and(|before| may_break(before, character)) {
            possible = Some(at);
        }
        used += width(character);
        // A space at the end of a line needs no room.
        if used > columns && character != ' ' {
            return possible.unwrap_or(at).max(text.chars().next().map_or(0, char::len_utf8));
        }
        before = Some(character);
    }
    text.len()
}

fn may_break(before: char, after: char) -> bool {
    let between_words = before == ' ' || width(before) == 2 || width(after) == 2;
    between_words && after != ' ' && !CLOSING.contains(after) && !OPENING.contains(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_breaks_anywhere_but_beside_its_signs() {
        assert_eq!(wrap("东莞市示例镇", 8), ["东莞市示", "例镇"]);
        assert_eq!(wrap("东莞市示，例镇", 8), ["东莞市", "示，例镇"]);
        assert_eq!(wrap("东莞市（示例）镇", 8), ["东莞市", "（示例）", "镇"]);
        assert_eq!(wrap("事项：12345 诉求", 10), ["事项：", "12345 诉求"]);
    }

    #[test]
    fn words_stay_whole_where_they_can() {
        assert_eq!(wrap("  keep it with you ", 8), ["keep it", "with you"]);
        assert_eq!(wrap("Fernandez-Montesinos x", 9), ["Fernandez", "-Montesin", "os x"]);
        assert_eq!(wrap("", 9), [""; 0]);
        assert_eq!(wrap("   ", 9), [""; 0]);
    }

    #[test]
    fn every_line_fits_and_nothing_is_lost() {
        let text =
            "申请人：𬱖㛃 (MÜLLER-O’BRIEN)，办理地点：莞城街道示例社区党群服务中心。a b c,d 12345 诉求提交……";
        let kept = |text: &str| text.chars().filter(|character| *character != ' ').collect::<String>();
        for room in 2..=60 {
            let lines = wrap(text, room);
            assert!(lines.iter().all(|line| columns(line) <= room && !line.is_empty()), "{room}: {lines:?}");
            assert_eq!(kept(&lines.concat()), kept(text), "{room}");
        }
    }
}
