//! Numbers that people type or a card holds.

use kiosk_core::citizen_number::CitizenNumber;
use kiosk_core::{calendar, case_number, phone, receipt_code, verification_code};
use kiosk_store::{AuditCode, AuditId};

use crate::Target;

use super::as_text;

pub(super) fn targets() -> Vec<Target> {
    vec![Target {
        name: "core-numbers",
        decodes: "case numbers, receipts' codes, identity numbers, telephones, days and ids as text: case_number, receipt_code, \
                  CitizenNumber, calendar",
        inputs: 10_000,
        seeds,
        run,
    }]
}

fn seeds() -> Vec<Vec<u8>> {
    let case = case_number::compose("DG0001", [0, 1, 2, 3, 4, 5, 6, 255]);
    let code = receipt_code::compose("https://localhost/v/", "ABCDEFGHJKLMNPQR", &case);
    let wide = "９９０００１１９９００１０１１００５";
    let texts = [
        case.as_str(),
        code.as_str(),
        "990001199001011008",
        wide,
        "99000119900101101x",
        "13800000000",
        "0085212345678",
        "2024-02-29",
        "20240229",
        "6f0c7c5e-6f5b-4b0a-9d3c-0b6a7b1f2e3d",
        "ABCD EFGH JKLM NPQR",
        "DG0001",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}

fn run(bytes: &[u8]) {
    let text = as_text(bytes);
    if let Ok(number) = case_number::parse(&text) {
        assert!(case_number::is_valid(&number));
        assert_eq!(case_number::parse(&number).as_ref(), Ok(&number), "a number is read as it is printed");
    }
    if let Some(code) = receipt_code::parse(&text) {
        assert!(case_number::is_valid(code.case_number.expose()));
        assert!(code.verification.expose().chars().all(verification_code::may_hold));
    }
    let _ = (case_number::is_valid(&text), case_number::grouped(&text), phone::is_valid(&text));
    if let Ok(number) = CitizenNumber::parse(&text) {
        let again = CitizenNumber::parse(number.expose());
        assert!(
            again.is_ok_and(|again| again.expose() == number.expose() && again.birth() == number.birth())
        );
        assert!(number.expose().len() == 18 && number.birth() > calendar::Date::MIN);
    }
    if let Some(day) = calendar::from_iso(&text) {
        assert_eq!(calendar::iso(day), text);
    }
    if let Some(day) = calendar::from_compact(&text) {
        assert_eq!(calendar::iso(day).replace('-', ""), text);
    }
    assert!(
        verification_code::grouped(&text)
            .chars()
            .filter(|c| *c != ' ')
            .eq(text.chars().filter(|c| *c != ' '))
    );
    if let Some(id) = AuditId::parse(&text) {
        assert!(id.to_string().eq_ignore_ascii_case(&text));
    }
    if let Some(code) = AuditCode::new(&text) {
        assert!(code.as_str() == text && CitizenNumber::parse(&text).is_err() && !phone::is_valid(&text));
    }
    if let Some(wall_ms) = bytes.first_chunk::<8>().map(|bytes| i64::from_le_bytes(*bytes)) {
        let _ = (calendar::day_in_china(wall_ms), calendar::minute_in_china(wall_ms));
        let _ = service_catalog::day_in_china(wall_ms);
    }
}
