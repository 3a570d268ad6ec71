//! Every status that a reader can answer, through the whole driver: what the citizen or the operator is asked.

use device_drivers::id_card_reader::protocol::StatusClass;
use device_drivers::id_card_reader::protocol::status::STATUSES;
use device_drivers::id_card_reader::simulator::{ReaderStep, WireFault};
use device_drivers::id_card_reader::{ReaderError, Refusal};
use device_drivers::{Fault, Hint, Remedy};

use crate::desk::{Desk, contract_on_every_cable, image, name_read};

contract_on_every_cable! {
    every_status_instead_of_a_card_has_its_error_and_remedy,
    a_status_that_passes_is_got_over,
    a_forged_card_is_refused_each_time,
    another_chip_is_no_id_card,
}

/// What a read answers when the reader has nothing but this status for it; `None` where the status says "good".
fn expected(code: u8) -> Option<(ReaderError, Remedy)> {
    let refused = Remedy::AskCitizen(Hint::CardRefused);
    let fault = Remedy::CallOperator(Fault::ReaderFault);
    Some(match code {
        0x90 | 0x9F | 0x80 | 0x37 => return None,
        0x81 | 0x41 | 0x47 => (ReaderError::CardMoved, Remedy::AskCitizen(Hint::HoldCardStill)),
        0x32 => (ReaderError::Refused(Refusal::NotGenuine), refused),
        0x33 => (ReaderError::Refused(Refusal::CheckFailed), refused),
        0x3F => (ReaderError::Refused(Refusal::WrongLength), refused),
        0x40 => (ReaderError::NotAnIdCard, Remedy::AskCitizen(Hint::NotAnIdCard)),
        0x10 | 0x11 => (ReaderError::Garbled, Remedy::AskCitizen(Hint::LayCardAgain)),
        0x31 | 0x60 | 0x66 => (ReaderError::SamFault(code), fault),
        _ => (ReaderError::Unexpected(code), fault),
    })
}

fn every_status_instead_of_a_card_has_its_error_and_remedy(desk: fn() -> Desk) {
    let mut desk = desk();
    let known = STATUSES.map(|info| info.code);
    let mut judged = 0;
    // 77 stands for whatever is not in the table.
    for code in known.into_iter().chain([0x77]) {
        let Some((error, remedy)) = expected(code) else { continue };
        desk.simulator.lay(image("测试样本"));
        desk.simulator.set_fault(Some(WireFault::Status(code)));
        let outcome = desk.reader.read().unwrap_err();
        assert_eq!((outcome, outcome.remedy()), (error, remedy), "{code:02X}");
        desk.simulator.set_fault(None);
        assert_eq!(name_read(&mut desk), "测试样本", "after {code:02X}");
        judged += 1;
    }
    assert_eq!(judged, STATUSES.len() - 4 + 1, "each status is judged but the four that are no failures");
}

fn a_status_that_passes_is_got_over(desk: fn() -> Desk) {
    let mut desk = desk();
    for info in STATUSES {
        let passes = match info.class {
            StatusClass::Retry | StatusClass::RetryOnce | StatusClass::Resend => true,
            StatusClass::DriverBug | StatusClass::DeviceFault | StatusClass::Refuse => false,
            StatusClass::Ok
            | StatusClass::OkEmpty
            | StatusClass::Idle
            | StatusClass::Partial
            | StatusClass::Unknown => continue,
        };
        desk.simulator.lay(image("测试样本"));
        desk.simulator.inject_at(ReaderStep::Select, WireFault::Status(info.code));
        let outcome = desk.reader.read().map(|card| card.text.name().to_owned());
        assert_eq!(outcome.is_ok(), passes, "{:02X} once: {outcome:?}", info.code);
    }
}

fn a_forged_card_is_refused_each_time(desk: fn() -> Desk) {
    let mut desk = desk();
    desk.simulator.lay(image("测试样本").forged());
    for _ in 0..3 {
        assert_eq!(desk.reader.read(), Err(ReaderError::Refused(Refusal::NotGenuine)));
    }
    desk.simulator.lay(image("测试样本"));
    assert_eq!(name_read(&mut desk), "测试样本");
    assert_eq!(desk.simulator.reads(), 1, "nothing of the forgery was given out");
}

fn another_chip_is_no_id_card(desk: fn() -> Desk) {
    let mut desk = desk();
    desk.simulator.lay(device_drivers::id_card_reader::simulator::CardImage::unknown_chip());
    assert_eq!(desk.reader.read(), Err(ReaderError::NotAnIdCard));
    assert_eq!(desk.simulator.reads(), 0);
}
