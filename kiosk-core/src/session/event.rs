//! Everything that can happen to the kiosk, grouped by where it comes from.

use crate::applicant::Applicant;
use crate::photo::Photo;
use crate::private::Private;
use crate::remedy::{Notice, Remedy};
use crate::service::{FollowUp, ItemCode, QuestionId};
use crate::session::surroundings::{
    Admission, CatalogAge, DocumentPrinterCondition, Power, PrinterCondition,
};
use crate::session::{
    CaseProgress, EngineAnswer, Fetched, PagesEnd, PrintStatus, QueueTicket, SavedCase, Ticket, TypingTouch,
    Whose,
};
use crate::settings::{Contrast, Language, TextSize};

/// When an event happened. The core owns no clock: time is a field of the event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since the process started; never goes back.
    pub monotonic_ms: u64,
    /// Milliseconds since 1970-01-01T00:00:00Z by the wall clock, which may jump.
    pub wall_ms: i64,
}

/// One event, by source.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The resident touched something.
    Citizen(Citizen),
    /// A key of a real keyboard, with the meaning of the one on the screen.
    Keyboard(Citizen),
    /// A device reported.
    Device(Device),
    /// A timer that an effect had started ran out.
    Timer(Ticket),
    /// The store answered.
    Store(Store),
    /// The city answered, or cannot be asked.
    City(City),
    /// The engine behind the keyboard on the screen answered, or was lost.
    Engine(EngineAnswer),
}

/// A touch of the resident, as meaning.
#[derive(Clone, Debug, PartialEq)]
pub enum Citizen {
    /// Somewhere without meaning: only shows that somebody is there.
    Touched,
    /// 长辈版 on or off.
    SeniorToggled,
    /// Another language.
    LanguageChosen(Language),
    /// 字号: open the panel with the settings, or put it away.
    SettingsWanted,
    /// The settings are as they should be.
    SettingsDone,
    /// Another text size.
    TextSizeChosen(TextSize),
    /// High contrast, or the theme's own colours.
    ContrastChosen(Contrast),
    /// 上一步.
    Back,
    /// 结束.
    End,
    /// 语音播报 on or off.
    VoiceToggled,
    /// The voice by so many steps faster, or slower.
    SpeedStepped(i8),
    /// The voice by so many steps louder, or softer.
    VolumeStepped(i8),
    /// 再听一遍.
    VoiceRepeated,
    /// 停: no more of this.
    VoiceStopped,
    /// A text on the screen, to be read out.
    TextTouched(Private<String>, Whose),
    /// 请人帮忙: call the keeper, or see how the call stands.
    HelpWanted,
    /// 不用了: nobody has to come any more.
    HelpNotNeeded,
    /// The notice was read.
    NoticeClosed,
    /// The notice was read, and the resident wants to go on all the same.
    NoticeContinued,
    /// An item on the home screen.
    ItemChosen(ItemCode),
    /// "The case just saved" on the home screen: show it.
    SavedCaseOpened,
    /// "The case just saved" on the home screen: not mine.
    SavedCaseDismissed,
    /// Begin, on the guide.
    Started,
    /// Print the guide.
    GuidePrintWanted,
    /// Consent given.
    Agreed,
    /// Consent refused.
    Declined,
    /// Type the number instead of using a card.
    TypingChosen,
    /// Use a card instead of typing.
    CardChosen,
    /// One key of a pad or keyboard.
    KeyTyped(char),
    /// Text that came at once: a phrase, or a real keyboard's composed characters.
    TextTyped(Private<String>),
    /// Something of the keyboard that is no character yet.
    Typing(TypingTouch),
    /// The last character goes; while something is typed that is not final, the last mark of it.
    Erased,
    /// All of the field goes.
    Cleared,
    /// The typed number is complete.
    NumberSubmitted,
    /// "This is me."
    PersonConfirmed,
    /// "This is not me."
    PersonDenied,
    /// An option of the current question.
    OptionChosen(String),
    /// A step of the date: years, months, days.
    DateStepped(i32, i32, i32),
    /// Take a photo.
    PhotoWanted,
    /// The photo that was just taken is good enough.
    PhotoKept,
    /// It is not: take another.
    PhotoRetaken,
    /// The photo at this place, from 0, goes.
    PhotoRemoved(usize),
    /// Leave the optional question out.
    Skipped,
    /// The question is answered.
    Answered,
    /// "Change this" on the check page.
    ChangeWanted(QuestionId),
    /// Everything is right: submit.
    Confirmed,
    /// Print, or print again.
    PrintWanted,
    /// Go on from the receipt.
    ReceiptDone,
    /// Five (very satisfied) to one star.
    Rated(u8),
    /// No rating.
    RatingSkipped,
    /// The farewell was read.
    FarewellDone,
    /// 查办件进度: ask how a case, or another one, is getting on.
    ProgressWanted,
    /// The field of the enquiry is complete.
    EnquirySubmitted,
    /// The progress was read.
    ProgressRead,
    /// 取号: a number of the window that is shown.
    QueueTicketWanted,
    /// 补材料 or 撤回: what follows the case.
    FollowUpWanted(FollowUp),
    /// Where to go was read.
    OutcomeRead,
    /// What was fetched, or why not, was read.
    FetchedRead,
    /// Ask the city once more.
    AskedAgain,
    /// The city cannot be asked: leave the request as a case.
    LeftAsCase,
    /// Of a life event, all is done that the resident wanted.
    LifeEventDone,
    /// 另办一件: this is done, and the same person wants something else.
    AnotherItemWanted,
}

/// A report of a device.
#[derive(Clone, Debug, PartialEq)]
pub enum Device {
    /// A card is there and is being read. The ticket tells in which reader.
    CardFound(Ticket),
    /// A card was read completely.
    CardRead(Ticket, Box<Applicant>),
    /// A card could not be read.
    CardFailed(Ticket, Remedy),
    /// Whether a card is still there, as far as its reader can tell. One that sees cards being taken tells it each time.
    CardLeft(Ticket, bool),
    /// The ID-card reader answers (true) or does not.
    ReaderPresent(bool),
    /// The social-security card's reader answers (true) or does not.
    SocialCardReaderPresent(bool),
    /// A code was scanned; what it says is private until somebody knows better.
    CodeScanned(Ticket, Private<String>),
    /// Something was scanned that is no code, or only a part of one.
    ScanFailed(Ticket, Remedy),
    /// The scanner is there (true) or is not.
    ScannerPresent(bool),
    /// The document camera answers (true) or does not.
    CameraPresent(bool),
    /// What is wrong with the live picture of this preview, or nothing.
    CameraSees(Ticket, Option<Notice>),
    /// The photo was taken.
    PhotoTaken {
        /// Of the order.
        ticket: Ticket,
        /// The photo.
        photo: Photo,
        /// What may be wrong with it.
        doubt: Option<Notice>,
    },
    /// No photo was taken.
    PhotoFailed(Ticket, Remedy),
    /// The printer's state changed.
    PrinterChanged(PrinterCondition),
    /// The print-out is out, confirmed to this level (1 or 2, see the printer driver).
    Printed(Ticket, u8),
    /// The print-out is not, or not wholly, out.
    PrintFailed {
        /// Of the order.
        ticket: Ticket,
        /// Why.
        why: PrintStatus,
        /// Whether a part of it may be on paper.
        begun: bool,
    },
    /// The A4 printer's state changed.
    DocumentPrinterChanged(DocumentPrinterCondition),
    /// What came of printing pages on A4: a guide, or a document.
    PagesPrintEnded(Ticket, PagesEnd),
    /// The mains failed or came back, or the battery runs low.
    PowerChanged(Power),
    /// Headphones were plugged in (true) or pulled out.
    HeadphonesPlugged(bool),
    /// Somebody stands before the machine (true), or nobody does.
    SomebodyNear(bool),
    /// A door of the cabinet was opened (true) or closed.
    CabinetOpened(bool),
    /// The city can be reached (true) or not, as far as the sync agent last knew.
    NetworkChanged(bool),
    /// The catalog went stale, or is fresh again, as far as the sync agent last knew.
    CatalogAged(CatalogAge),
}

/// An answer of the store.
#[derive(Clone, Debug, PartialEq)]
pub enum Store {
    /// The case is on disk.
    Finalised(Ticket, SavedCase),
    /// The case is not on disk, and nothing of it was kept.
    FinaliseFailed(Ticket, Remedy),
    /// Whether new cases can be taken.
    AdmissionChanged(Admission),
    /// At start: a case was saved shortly before the kiosk stopped.
    RecentCaseFound(SavedCase, PrintStatus),
    /// The city has acknowledged the case.
    Delivered(String),
}

/// What came of a question to the city. Answers to questions no longer asked are dropped.
#[derive(Clone, Debug, PartialEq)]
pub enum City {
    /// The city answered.
    Answered(Ticket, CityAnswer),
    /// It cannot be asked now; why.
    CannotAsk(Ticket, CannotAsk),
}

/// An answer of the city.
#[derive(Clone, Debug, PartialEq)]
pub enum CityAnswer {
    /// How the case is getting on.
    CaseProgress(Box<CaseProgress>),
    /// What a register keeps.
    Fetched(Box<Fetched>),
    /// A register keeps nothing about this person.
    NothingHeld,
    /// No such case, or the code is wrong: the city does not tell the two apart. Or no such queue.
    NotFound,
    /// How a call for the keeper stands.
    KeeperCall(CallState),
    /// A number of a window.
    QueueTicket(QueueTicket),
}

/// How a call for the keeper stands at the city.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallState {
    /// The city keeps it; no keeper's page has shown it yet.
    Ringing,
    /// A keeper's page shows it, and rings.
    Heard,
    /// A keeper is coming.
    Coming,
    /// Nobody will.
    Over,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CannotAsk {
    /// There is no way to the city, or nobody who would go it, or the answer was none.
    Away,
    /// The city did not answer in time.
    TooLate,
    /// The city, or the way to it, has too much to do.
    Busy,
    /// The city answers, and the department behind it does not.
    DepartmentAway,
}
