//! Splits Rust text into what the compiler obeys and what people read, line by line.
//!
//! Not a parser: it knows comments, strings and character literals, which is all that the rules
//! need to look for a word in code without finding it in prose.

/// The code of a Rust file, with comments and the contents of strings blanked out; the number and
/// the order of lines stay, so that a place in it is a place in the file.
pub fn code_only(text: &str) -> String {
    let mut rest = text;
    let mut code = String::with_capacity(text.len());
    let mut previous = ' ';
    while let Some(character) = rest.chars().next() {
        let blank = blank_length(rest, previous);
        if blank == 0 {
            code.push(character);
            previous = character;
            rest = &rest[character.len_utf8()..];
        } else {
            code.push(' ');
            code.extend(rest[..blank].chars().filter(|character| *character == '\n'));
            previous = ' ';
            rest = &rest[blank..];
        }
    }
    code
}

/// The bytes of the comment or literal that starts here; 0 when code starts here.
fn blank_length(text: &str, previous: char) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return block_comment(text);
    }
    if text.starts_with('"') {
        return quoted(text, 1);
    }
    if text.starts_with('\'') {
        return character_literal(text);
    }
    if previous.is_alphanumeric() || previous == '_' {
        return 0;
    }
    prefixed_string(text)
}

/// A block comment, which may hold others.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// A string with escapes whose content starts at `start`.
fn quoted(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// `'x'` or `'\n'`; a lifetime is code.
fn character_literal(text: &str) -> usize {
    let mut characters = text[1..].char_indices();
    match characters.next() {
        Some((_, '\\')) => {
            let after = characters.nth(1).map_or(text.len(), |(at, _)| at + 1);
            text[after..].find('\'').map_or(text.len(), |at| after + at + 1)
        }
        Some((_, character)) if text[1 + character.len_utf8()..].starts_with('\'') => {
            character.len_utf8() + 2
        }
        _ => 0,
    }
}

/// `b"…"`, `c"…"`, `r"…"`, `r#"…"#`, `br#"…"#`, `b'x'`.
fn prefixed_string(text: &str) -> usize {
    if text.starts_with("b'") {
        return 1 + character_literal(&text[1..]);
    }
    if text.starts_with("b\"") || text.starts_with("c\"") {
        return quoted(text, 2);
    }
    let Some(prefix) = ["br", "cr", "r"].into_iter().find(|prefix| text.starts_with(prefix)) else {
        return 0;
    };
    let after = &text[prefix.len()..];
    let hashes = after.bytes().take_while(|byte| *byte == b'#').count();
    if !after[hashes..].starts_with('"') {
        return 0;
    }
    let content = prefix.len() + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    text[content..].find(&end).map_or(text.len(), |at| content + at + end.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_goes_and_code_stays() {
        for (text, word_stays) in [
            ("let WORD = 1;", true),
            ("// WORD", false),
            ("/* a /* b */ WORD */", false),
            ("let a = \"WORD\";", false),
            ("let a = \"\\\"WORD\";", false),
            ("let a = r#\"\" WORD\"#;", false),
            ("let a = br\"WORD\";", false),
            ("let a = b\"WORD\";", false),
            ("let a = '\"'; WORD", true),
            ("let a = '\\''; WORD", true),
            ("let a = '\\u{4e00}'; WORD", true),
            ("let a = b'\"'; WORD", true),
            ("fn f<'a>(x: &'a str) { WORD }", true),
            ("let r = 1; attr\"WORD\"", false),
            ("/* 莞 */ let 字 = '家'; WORD", true),
        ] {
            assert_eq!(code_only(text).contains("WORD"), word_stays, "{text}");
        }
    }

    #[test]
    fn lines_keep_their_numbers() {
        let text = "a\n/* b\nc */\n\"d\ne\"\nf";
        let code = code_only(text);
        assert_eq!(code.lines().count(), text.lines().count());
        assert_eq!(code.lines().nth(5), Some("f"));
    }
}
