//! Figures as the text that Prometheus reads (exposition format 0.0.4). Written by hand, because it is three kinds of
//! lines.

use std::fmt::Write;

use super::{Family, Kind, Sample, Times, Value};

/// What a server of this text says it is.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The text.
pub(crate) fn text(families: &[Family]) -> String {
    let mut text = String::new();
    for Family { name, kind, help, samples } in families {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        push(&mut text, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        for sample in samples {
            line(&mut text, name, sample);
        }
    }
    text
}

fn line(text: &mut String, name: &str, Sample { labels, value }: &Sample) {
    let words: Vec<_> = labels.iter().map(|(label, word)| format!("{label}=\"{}\"", escaped(word))).collect();
    let label = words.join(",");
    match value {
        Value::Number(value) if label.is_empty() => push(text, format_args!("{name} {value}\n")),
        Value::Number(value) => push(text, format_args!("{name}{{{label}}} {value}\n")),
        Value::Times(Times { within, count, seconds }) => {
            for (bound, within) in within {
                push(text, format_args!("{name}_bucket{{{label},le=\"{bound}\"}} {within}\n"));
            }
            push(text, format_args!("{name}_bucket{{{label},le=\"+Inf\"}} {count}\n"));
            push(text, format_args!("{name}_sum{{{label}}} {seconds}\n"));
            push(text, format_args!("{name}_count{{{label}}} {count}\n"));
        }
    }
}

fn escaped(word: &str) -> String {
    word.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a String takes everything");
}
