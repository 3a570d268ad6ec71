//! The printer's protocol by the standards' own words and numbers.

use ipp::prelude::Uri;

use super::answer::decode;
use super::*;
use crate::document_printer::Sides;
use crate::vectors::hex;

fn asker() -> Asker {
    Asker::new(Uri::from_static("ipp://printer.local/ipp/print"), "DG0001").unwrap()
}

/// One attribute: tag, name, value.
fn attribute(tag: u8, name: &str, value: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| (bytes.len() as u16).to_be_bytes();
    [&[tag][..], &length(name.as_bytes()), name.as_bytes(), &length(value), value].concat()
}

/// An answer to request 7 with status 0 and these groups.
pub(super) fn answer(groups: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 0, 0, 7][..], groups, &[3]].concat()
}

fn printer(attributes: &[Vec<u8>]) -> Result<PrinterFacts, AnswerError> {
    decode(&answer(&[&[4][..], &attributes.concat()].concat()), 7)?.printer()
}

#[test]
fn a_request_is_written_as_the_standard_writes_it() {
    // RFC 8010 appendix A.1 puts the same parts in the same order.
    let head = "02 00 0009 0000002A 01";
    let common = [
        attribute(0x47, "attributes-charset", b"utf-8"),
        attribute(0x48, "attributes-natural-language", b"en"),
        attribute(0x45, "printer-uri", b"ipp://printer.local/ipp/print"),
        attribute(0x21, "job-id", &[0, 0, 0, 147]),
    ]
    .concat();
    let asked = asker().job_attributes(42, JobNumber(147)).unwrap();
    let expected = [hex(head), common].concat();
    assert!(asked.starts_with(&expected), "{:02X?}", &asked[..expected.len()]);
    let user = attribute(0x42, "requesting-user-name", b"DG0001");
    assert_eq!(asked[expected.len()..][..user.len()], user);
    assert_eq!(asked.last(), Some(&3));
}

#[test]
fn a_job_says_copies_paper_and_sides() {
    let contains = |message: &[u8], part: &[u8]| message.windows(part.len()).any(|bytes| bytes == part);
    let both = asker().create_job(1, 3, Some(Sides::Both)).unwrap();
    for part in [
        attribute(0x21, "copies", &[0, 0, 0, 3]),
        attribute(0x44, "media", b"iso_a4_210x297mm"),
        attribute(0x44, "sides", b"two-sided-long-edge"),
        attribute(0x22, "ipp-attribute-fidelity", &[0]),
    ] {
        assert!(contains(&both, &part));
    }
    let groups = both.iter().position(|byte| *byte == 2).is_some();
    assert!(groups && contains(&both, b"kiosk print-out"));
    assert!(!contains(&asker().create_job(1, 1, None).unwrap(), b"sides"));
}

#[test]
fn what_is_too_long_for_the_protocol_is_refused_at_once() {
    let uri = Uri::from_static("ipp://printer.local/ipp/print");
    assert!(Asker::new(uri.clone(), &"x".repeat(255)).is_ok());
    assert!(Asker::new(uri, &"x".repeat(256)).is_err());
    let long: Uri = format!("ipp://printer.local/{}", "x".repeat(1100)).parse().unwrap();
    assert!(Asker::new(long, "DG0001").is_err());
}

#[test]
fn a_printer_is_understood() {
    let facts = printer(&[
        attribute(0x23, "printer-state", &[0, 0, 0, 5]),
        attribute(0x44, "printer-state-reasons", b"media-empty-error"),
        attribute(0x44, "", b"toner-low-warning"),
        attribute(0x22, "printer-is-accepting-jobs", &[1]),
        attribute(0x49, "document-format-supported", b"image/urf"),
        attribute(0x49, "", b"application/pdf"),
        attribute(0x33, "copies-supported", &[0, 0, 0, 1, 0, 0, 0, 99]),
        attribute(0x44, "sides-supported", b"one-sided"),
        attribute(0x44, "", b"two-sided-long-edge"),
    ])
    .unwrap();
    assert!(
        facts.stopped && !facts.idle && facts.accepting && facts.pdf && facts.two_sided && facts.knows_sides
    );
    assert_eq!((facts.copies, facts.obstacle()), (99, Some(Obstacle::PaperEnd)));
    let bare = printer(&[attribute(0x23, "printer-state", &[0, 0, 0, 3])]).unwrap();
    assert!(bare.idle && bare.accepting && !bare.pdf && !bare.knows_sides && bare.copies == 1);
    assert_eq!(printer(&[]), Err(AnswerError::Missing("printer state")));
}

#[test]
fn jobs_are_understood_one_by_one() {
    let job = |id: u8, state: u8| {
        let parts = [
            attribute(0x21, "job-id", &[0, 0, 0, id]),
            attribute(0x23, "job-state", &[0, 0, 0, state]),
            attribute(0x44, "job-state-reasons", b"job-completed-with-errors"),
            attribute(0x21, "job-impressions-completed", &[0, 0, 0, 4]),
            attribute(0x36, "job-originating-user-name", &[&[0, 2][..], b"zh", &[0, 6], b"DG0001"].concat()),
        ];
        [&[2][..], &parts.concat()].concat()
    };
    let decoded = decode(&answer(&[job(1, 9), job(2, 3), job(3, 77)].concat()), 7).unwrap();
    let jobs: Vec<JobFacts> = decoded.jobs().collect();
    assert_eq!(jobs.len(), 2, "a state that the standard does not know is no job");
    assert_eq!((jobs[0].number, jobs[0].state), (JobNumber(1), JobState::Completed));
    assert!(
        jobs[0].with_errors && jobs[0].impressions == Some(4) && jobs[0].user.as_deref() == Some("DG0001")
    );
    assert!(!jobs[1].state.is_over());
}

#[test]
fn a_damaged_answer_is_an_error_and_never_a_panic() {
    let good = answer(&[&[4][..], &attribute(0x23, "printer-state", &[0, 0, 0, 3])].concat());
    assert!(decode(&good, 7).is_ok());
    assert_eq!(decode(&good, 8).unwrap_err(), AnswerError::OtherRequest);
    for length in 0..good.len() {
        assert_eq!(decode(&good[..length], 7).unwrap_err(), AnswerError::Damaged, "{length} bytes");
    }
    // Lengths inside a text with language that reach beyond it.
    let lying = attribute(0x35, "printer-state-message", &[0, 200, b'e', b'n']);
    assert_eq!(decode(&answer(&[&[4][..], &lying].concat()), 7).unwrap_err(), AnswerError::Damaged);
    let nested = attribute(0x34, "media-col", &[]).repeat(100);
    assert_eq!(decode(&answer(&[&[4][..], &nested].concat()), 7).unwrap_err(), AnswerError::Damaged);
}

#[test]
fn reasons_go_by_their_stem_and_what_stands_still_counts() {
    let of = |words: &[&str]| words.iter().copied().collect::<Reasons>();
    for (words, running, stopped) in [
        (&["none"][..], None, Some(Obstacle::Fault)),
        (&["media-empty-error"], Some(Obstacle::PaperEnd), Some(Obstacle::PaperEnd)),
        (&["media-empty"], Some(Obstacle::PaperEnd), Some(Obstacle::PaperEnd)),
        (&["media-empty-report"], None, Some(Obstacle::PaperEnd)),
        (&["media-jam-warning", "toner-low-report"], None, Some(Obstacle::Jam)),
        (&["toner-empty-error", "cover-open-error"], Some(Obstacle::CoverOpen), Some(Obstacle::CoverOpen)),
        (&["door-open"], Some(Obstacle::CoverOpen), Some(Obstacle::CoverOpen)),
        (&["moving-to-paused"], Some(Obstacle::Paused), Some(Obstacle::Paused)),
        (&["output-area-full-error"], Some(Obstacle::OutputFull), Some(Obstacle::OutputFull)),
        (&["vendor-thing-error"], Some(Obstacle::Fault), Some(Obstacle::Fault)),
        (&["vendor-thing"], None, Some(Obstacle::Fault)),
        (&["offline-report"], None, Some(Obstacle::Fault)),
    ] {
        let reasons = of(words);
        assert_eq!((reasons.obstacle(false), reasons.obstacle(true)), (running, stopped), "{words:?}");
    }
    assert_eq!(of(&["media-low-warning"]).attention(), Some(Obstacle::PaperEnd));
    assert_eq!(of(&["media-empty-report"]).attention(), Some(Obstacle::PaperEnd));
    assert_eq!(of(&["none"]).attention(), None);
}
