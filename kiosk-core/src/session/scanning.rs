//! 扫码: a code is wanted while 查办件进度 is typed, and at no other time. The one on a receipt fills both fields and asks
//! the city; any other is said to be of no use here, and is forgotten.

use super::{Effect, Page, Session, Ticket, Turn, enquiry};
use crate::private::Private;
use crate::receipt_code;
use crate::remedy::{Notice, Remedy};

/// Scans on one page that came to nothing. After so many no more are taken there: a scanner that only babbles must keep
/// nobody from typing.
const FAILED_MAX: u8 = 5;

/// What is asked of the scanner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Scanning {
    /// Codes must name it; `None` while none is wanted.
    ticket: Option<Ticket>,
    failed: u8,
}

impl Session {
    /// Whether a code can be scanned on this page: there is a scanner, and it has not babbled.
    pub fn can_scan(&self) -> bool {
        self.surroundings.scanner_present && self.scanning.failed < FAILED_MAX
    }

    /// Another notice than one about a scan covers the page: what lies beneath takes nothing.
    fn wants_codes(&self) -> bool {
        let about_a_scan = |notice| matches!(notice, Notice::ScanAgain | Notice::CodeUnusable);
        matches!(self.page, Page::Enquiry(_))
            && self.notice.is_none_or(about_a_scan)
            && self.scanning.failed < FAILED_MAX
    }
}

/// After every event: the scanner follows the page, so that no way off it can forget to stop it.
pub(super) fn follow(turn: &mut Turn) {
    if !matches!(turn.session.page, Page::Enquiry(_)) {
        turn.session.scanning.failed = 0;
    }
    match (turn.session.wants_codes(), turn.session.scanning.ticket) {
        (true, None) => {
            let ticket = turn.new_ticket();
            turn.session.scanning.ticket = Some(ticket);
            turn.effects.push(Effect::StartScanning(ticket));
        }
        (false, Some(_)) => {
            turn.session.scanning.ticket = None;
            turn.effects.push(Effect::StopScanning);
        }
        (true, Some(_)) | (false, None) => {}
    }
}

pub(super) fn on_code(turn: &mut Turn, ticket: Ticket, code: &Private<String>) {
    if turn.session.scanning.ticket != Some(ticket) {
        return;
    }
    match receipt_code::parse(code.expose()) {
        Some(read) => {
            turn.somebody_is_there();
            turn.session.notice = None;
            enquiry::fill(turn, &read);
        }
        None => failed(turn, Notice::CodeUnusable),
    }
}

pub(super) fn on_failed(turn: &mut Turn, ticket: Ticket, remedy: Remedy) {
    if turn.session.scanning.ticket == Some(ticket) {
        failed(
            turn,
            match remedy {
                Remedy::AskCitizen(notice) => notice,
                Remedy::Retry | Remedy::CallOperator(_) => Notice::ScanAgain,
            },
        );
    }
}

fn failed(turn: &mut Turn, notice: Notice) {
    turn.somebody_is_there();
    turn.session.scanning.failed += 1;
    turn.session.notice = Some(notice);
}
