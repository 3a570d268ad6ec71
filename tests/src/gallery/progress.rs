//! 办件进度 in pictures: what is typed, every status of a case, and what is said instead.

use super::{NOW_MS, Visitor, first_item};
use kiosk_core::remedy::{Notice, Remedy};
use kiosk_core::service::ItemCode;
use kiosk_core::session::{
    CannotAsk, CaseProgress, CaseStatus, CaseStep, Citizen, City, CityAnswer, Device, Effect, Event, Ticket,
};

impl Visitor {
    /// 办件进度 in each status, and what is said instead.
    pub(super) fn enquire(&mut self, show: &mut impl FnMut(&str, &Visitor)) {
        let number = number();
        self.touch(Citizen::ProgressWanted);
        show("enquiry-number", self);
        self.scan(show);
        self.touch(Citizen::TextTyped(number.as_str().into()));
        self.send(Event::Device(Device::NetworkChanged(false)));
        show("enquiry-number-offline", self);
        self.send(Event::Device(Device::NetworkChanged(true)));
        self.touch(Citizen::EnquirySubmitted);
        self.touch(Citizen::TextTyped("WWMMQQ".into()));
        show("enquiry-code", self);
        self.send(Event::Device(Device::ScannerPresent(true)));
        show("enquiry-code-scan", self);
        self.send(Event::Device(Device::ScannerPresent(false)));
        self.touch(Citizen::EnquirySubmitted);
        show("notice-code-length", self);
        self.touch(Citizen::NoticeClosed);
        self.touch(Citizen::TextTyped("WWMMQQGGHH".into()));
        for (name, why) in [
            ("notice-city-away", CannotAsk::Away),
            ("notice-city-slow", CannotAsk::TooLate),
            ("notice-city-busy", CannotAsk::Busy),
        ] {
            let ticket = self.ask();
            self.send(Event::City(City::CannotAsk(ticket, why)));
            show(name, self);
            self.touch(Citizen::NoticeClosed);
        }
        let ticket = self.ask();
        show("asking", self);
        self.send(Event::City(City::Answered(ticket, CityAnswer::NotFound)));
        show("notice-case-not-found", self);
        self.touch(Citizen::NoticeClosed);
        self.touch(Citizen::EnquirySubmitted);
        for (name, lives) in LIVES {
            let ticket = self.ask();
            let progress = told(&number, first_item(&self.catalog), lives);
            self.send(Event::City(City::Answered(ticket, CityAnswer::CaseProgress(Box::new(progress)))));
            show(&format!("progress-{name}"), self);
            self.touch(Citizen::ProgressWanted);
            self.touch(Citizen::TextTyped(number.as_str().into()));
            self.touch(Citizen::EnquirySubmitted);
            self.touch(Citizen::TextTyped("WWMMQQGGHHJJKKLL".into()));
        }
        self.touch(Citizen::End);
    }

    /// The same page where there is a scanner, and what is said of codes that are none.
    fn scan(&mut self, show: &mut impl FnMut(&str, &Visitor)) {
        let ticket = self.ticket(|effect| match effect {
            Effect::StartScanning(ticket) => Some(*ticket),
            _ => None,
        });
        self.send(Event::Device(Device::ScannerPresent(true)));
        show("enquiry-scan", self);
        let torn = Remedy::AskCitizen(Notice::ScanAgain);
        self.send(Event::Device(Device::ScanFailed(ticket, torn)));
        show("notice-scan-again", self);
        self.send(Event::Device(Device::CodeScanned(ticket, "4240000000000000001234400000".into())));
        show("notice-code-unusable", self);
        self.touch(Citizen::NoticeClosed);
        self.send(Event::Device(Device::ScannerPresent(false)));
    }

    pub(super) fn ask(&mut self) -> Ticket {
        self.touch(Citizen::EnquirySubmitted);
        self.ticket(|effect| match effect {
            Effect::AskCity { ticket, .. } => Some(*ticket),
            _ => None,
        })
    }
}

/// The number of the case that is asked about.
pub(super) fn number() -> String {
    kiosk_core::case_number::compose("DG0001", [7; 8])
}

/// Status, reason and note of one step.
pub(super) type Made = (CaseStatus, &'static str, &'static str);

const RECEIVED: Made = (CaseStatus::PreReview, "", "");
pub(super) const WANTED: Made = (
    CaseStatus::SupplementRequested,
    "missing_material",
    "请补交房屋租赁合同的复印件一份，并请房东在上面签名。材料交到莞城街道政务服务中心 3 号窗口，周一至周五 9:00 到 17:00，\
     截止 2026 年 12 月 6 日。来的时候请带上您的身份证。",
);

/// Lives of cases, as they are shown.
const LIVES: [(&str, &[Made]); 10] = [
    ("submitted", &[RECEIVED]),
    ("accepted", &[RECEIVED, (CaseStatus::Accepted, "complete", "")]),
    ("supplement", &[RECEIVED, WANTED]),
    ("returned", &[RECEIVED, (CaseStatus::Returned, "out_of_scope", "")]),
    (
        "closed",
        &[RECEIVED, (CaseStatus::Accepted, "complete", ""), (CaseStatus::Closed, "done", "路灯已经修好。")],
    ),
    ("supplied", &[RECEIVED, WANTED, (CaseStatus::PreReview, "supplied", "")]),
    ("withdrawn", &[RECEIVED, (CaseStatus::Closed, "withdrawn", "")]),
    (
        "too-late",
        &[
            RECEIVED,
            (CaseStatus::Accepted, "complete", ""),
            (CaseStatus::Closed, "done", "路灯已经修好。"),
            (CaseStatus::Closed, "withdrawal_late", ""),
        ],
    ),
    ("joined", &[RECEIVED, (CaseStatus::Closed, "joined", "")]),
    (
        "long",
        &[
            RECEIVED,
            WANTED,
            (CaseStatus::Accepted, "supplemented", ""),
            WANTED,
            (CaseStatus::Accepted, "supplemented", "材料收到了，正在核实。"),
            (CaseStatus::Closed, "refused", "经核实不符合条件，详情请看寄给您的书面答复。"),
        ],
    ),
];

pub(super) fn told(number: &str, item: ItemCode, life: &[Made]) -> CaseProgress {
    const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
    let step = |(days, (status, reason, note)): (i64, &Made)| CaseStep {
        status: *status,
        at_ms: NOW_MS + (days - life.len() as i64) * DAY_MS,
        reason: (*reason).into(),
        note: (*note).into(),
    };
    CaseProgress {
        case_number: number.into(),
        item,
        status: life.last().map_or(CaseStatus::PreReview, |(status, _, _)| *status),
        steps: (0..).zip(life).map(step).collect(),
    }
}
