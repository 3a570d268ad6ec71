//! Generates the audit events from `docs/audit-events.toml`, so that an undeclared event does not compile.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    version: u32,
    event: Vec<Event>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    name: String,
    process: String,
    role: String,
    zh: String,
    en: String,
    #[serde(default)]
    fields: Vec<Field>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    name: String,
    kind: String,
    #[serde(default)]
    words: Vec<String>,
}

fn main() {
    // Relative to the package, where cargo runs this: a built script may serve another checkout.
    let source = Path::new("../docs/audit-events.toml");
    println!("cargo::rerun-if-changed={}", source.display());
    println!("cargo::rerun-if-changed=build.rs");
    let text = std::fs::read_to_string(source).expect("docs/audit-events.toml is part of the source");
    let catalogue: Catalogue = toml::from_str(&text).expect("docs/audit-events.toml must be valid");
    assert_eq!(catalogue.version, 1, "docs/audit-events.toml: unknown version");
    check(&catalogue);
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(Path::new(&out).join("audit_event.rs"), generate(&catalogue))
        .expect("OUT_DIR is writable");
}

fn check(catalogue: &Catalogue) {
    let mut names = BTreeSet::new();
    for event in &catalogue.event {
        let name = &event.name;
        assert!(is_name(name), "audit event {name}: names are lower case words joined by _");
        assert!(names.insert(name), "audit event {name} is declared twice");
        assert!(matches!(event.process.as_str(), "kiosk" | "agent"), "audit event {name}: unknown process");
        assert!(
            matches!(event.role.as_str(), "citizen" | "terminal" | "city"),
            "audit event {name}: unknown role"
        );
        assert!(!event.zh.is_empty() && !event.en.is_empty(), "audit event {name}: words in both languages");
        for field in &event.fields {
            let at = format!("audit event {name}, field {}", field.name);
            assert!(is_name(&field.name), "{at}: bad name");
            let kinds = ["code", "count", "millis", "uuid", "word"];
            assert!(
                kinds.contains(&field.kind.as_str()),
                "{at}: kind must be one of {kinds:?}; there is no free text"
            );
            assert_eq!(field.kind == "word", !field.words.is_empty(), "{at}: words go with kind word");
            let plain = |word: &String| {
                word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            };
            assert!(field.words.iter().all(plain), "{at}: words are lower case ASCII");
        }
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn generate(catalogue: &Catalogue) -> String {
    let mut words = String::new();
    let mut variants = String::new();
    let mut infos = String::new();
    let mut index = String::new();
    let mut fields = String::new();
    for (at, event) in catalogue.event.iter().enumerate() {
        let variant = camel(&event.name);
        let mut members = String::new();
        let mut names = String::new();
        let mut values = String::new();
        for field in &event.fields {
            let kind = rust_type(&variant, field);
            if field.kind == "word" {
                words += &word_enum(&kind, event, field);
            }
            let name = &field.name;
            writeln!(
                members,
                "        /// {} ({}).\n        {name}: {kind},",
                name.replace('_', " "),
                field.kind
            )
            .expect("a String takes all");
            write!(names, "{name}, ").expect("a String takes all");
            write!(values, "({name:?}, AuditValue::from(*{name})), ").expect("a String takes all");
        }
        let body = if members.is_empty() { String::new() } else { format!(" {{\n{members}    }}") };
        writeln!(variants, "    /// {} · {}\n    {variant}{body},", event.en, event.zh)
            .expect("a String takes all");
        writeln!(
            infos,
            "    AuditEventInfo {{ name: {:?}, process: {:?}, role: {:?}, zh: {:?}, en: {:?} }},",
            event.name, event.process, event.role, event.zh, event.en
        )
        .expect("a String takes all");
        writeln!(index, "            Self::{variant} {{ .. }} => {at},").expect("a String takes all");
        writeln!(fields, "            Self::{variant} {{ {names} }} => vec![{values}],")
            .expect("a String takes all");
    }
    format!(
        "/// Everything an auditor can find; declared in `docs/audit-events.toml`.\n\
         #[derive(Clone, Copy, Debug, PartialEq, Eq)]\npub enum AuditEvent {{\n{variants}}}\n\n{words}\n\
         /// What is declared about each event, in the order of the file.\n\
         pub const AUDIT_EVENTS: &[AuditEventInfo] = &[\n{infos}];\n\n\
         impl AuditEvent {{\n    fn index(&self) -> usize {{\n        match self {{\n{index}        }}\n    }}\n\n    \
         fn values(&self) -> Vec<(&'static str, AuditValue)> {{\n        match self {{\n{fields}        }}\n    }}\n}}\n"
    )
}

fn rust_type(variant: &str, field: &Field) -> String {
    match field.kind.as_str() {
        "code" => "AuditCode".into(),
        "uuid" => "AuditId".into(),
        "word" => format!("{variant}{}", camel(&field.name)),
        _ => "u64".into(),
    }
}

fn word_enum(kind: &str, event: &Event, field: &Field) -> String {
    let mut variants = String::new();
    let mut texts = String::new();
    for word in &field.words {
        let variant = camel(&word.replace('-', "_"));
        writeln!(variants, "    /// `{word}`\n    {variant},").expect("a String takes all");
        writeln!(texts, "            {kind}::{variant} => {word:?},").expect("a String takes all");
    }
    format!(
        "/// Words for `{}` of `{}`.\n#[derive(Clone, Copy, Debug, PartialEq, Eq)]\npub enum {kind} {{\n{variants}}}\n\n\
         impl From<{kind}> for AuditValue {{\n    fn from(word: {kind}) -> Self {{\n        \
         AuditValue::Word(match word {{\n{texts}        }})\n    }}\n}}\n\n",
        field.name, event.name
    )
}

fn camel(name: &str) -> String {
    name.split('_')
        .map(|part| {
            let mut chars = part.chars();
            chars
                .next()
                .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
        })
        .collect()
}
