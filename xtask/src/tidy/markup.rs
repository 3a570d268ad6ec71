//! Rules for the screen's markup: one window, and data that flows one way.

use super::Finding;
use super::files::TextFile;

/// All `.slint` files together, since one rule counts windows.
pub fn check(files: &[TextFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut windows = Vec::new();
    for file in files.iter().filter(|file| file.has_extension(&["slint"])) {
        let mut global_depth: Option<usize> = None;
        let mut depth = 0_usize;
        for (at, line) in file.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or(line);
            if code.contains("inherits Window") {
                windows.push(file.line(at + 1));
            }
            let words: Vec<&str> = code.split_whitespace().collect();
            if words.first() == Some(&"global") || words.starts_with(&["export", "global"]) {
                global_depth = Some(depth);
            }
            if global_depth.is_some() && words.first() == Some(&"in-out") {
                let why =
                    "the screen is a picture of the state: set from Rust alone, changed by events alone";
                findings.push(Finding::new(file.line(at + 1), "`in-out` in a global", why));
            }
            depth = (depth + code.matches('{').count()).saturating_sub(code.matches('}').count());
            if code.contains('}') && global_depth.is_some_and(|opened| depth <= opened) {
                global_depth = None;
            }
        }
    }
    if windows.len() > 1 {
        let why = "globals are not shared between windows; overlays do what a second window would";
        findings.push(Finding::new(windows.join(", "), format!("{} windows", windows.len()), why));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(texts: &[&str]) -> Vec<String> {
        let files: Vec<_> = texts.iter().map(|text| TextFile::new("ui/a.slint", text)).collect();
        check(&files).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn good_markup_has_no_findings() {
        let text = "export global Home {\n    in property <string> a;\n    callback b-tapped();\n}\n\
                    component C {\n    in-out property <int> own;\n}\nexport component App inherits Window {}\n";
        assert_eq!(findings(&[text]), [""; 0]);
    }

    #[test]
    fn data_that_flows_both_ways_is_found() {
        let text = "export global Home {\n    in-out property <string> a;\n}\n";
        assert_eq!(findings(&[text]), ["`in-out` in a global"]);
    }

    #[test]
    fn a_second_window_is_found() {
        let text = "export component A inherits Window {\n}\n";
        assert_eq!(findings(&[text, text]), ["2 windows"]);
    }
}
