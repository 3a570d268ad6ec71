//! Everything the session can ask the world to do. Effects are data; the kiosk process carries them out.

use crate::answers::Answers;
use crate::applicant::{Applicant, CardKind, DocumentKind};
use crate::private::Private;
use crate::remedy::Remedy;
use crate::service::ItemCode;
use crate::session::surroundings::Power;
use crate::session::{
    CaseReference, DirectionsOrder, DocumentOrder, EngineQuestion, FetchOutcome, FetchRequest, GuideOrder,
    PagesEnd, Passage, PrintStatus, SavedCase, Ticket,
};
use crate::settings::{Language, Manner, Theme};

/// One thing to do. Effects that answer later carry a [`Ticket`].
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send `Event::Timer(ticket)` after so long. A newer timer of the same kind replaces it.
    StartTimer(TimerKind, Ticket, u64),
    /// Forget the timer of this kind.
    StopTimer(TimerKind),
    /// Look for this card until one is read; report with this ticket.
    StartReading(CardKind, Ticket),
    /// Look for no card any more.
    StopReading,
    /// See whether this card is still there; answer with this ticket.
    LookForCardLeft(CardKind, Ticket),
    /// Read this prompt out, and break off what is being read out. Answers nothing: the screen says the same.
    Say(Prompt, Language),
    /// Read this out, and break off what is being read out. What is a resident's leaves no trace. Answers nothing.
    ReadAloud(Passage, Language),
    /// Speak like this from now on.
    SpeakLike(Manner),
    /// Break off what is being read out.
    Hush,
    /// Hand on each code that is scanned from now on; report with this ticket.
    StartScanning(Ticket),
    /// Forget what is scanned.
    StopScanning,
    /// Show what lies under the document camera, and say with this ticket what is wrong with the picture.
    StartPreview(Ticket),
    /// Stop that, and erase the last picture.
    StopPreview,
    /// Take a photo of what the preview shows; answer with this ticket.
    TakePhoto(Ticket),
    /// Seal the submission, commit it to disk, answer with the saved case.
    Finalise(Ticket, Box<Submission>),
    /// Seal the rating as a record of its own that names the case. Answers nothing.
    StoreRating(SavedCase, u8),
    /// Print the receipt of a case that is on disk.
    Print(Ticket, ReceiptOrder),
    /// Print where to go, on the receipt printer.
    PrintDirections(Ticket, Box<DirectionsOrder>),
    /// Print the guide of an item on A4.
    PrintGuide(Ticket, GuideOrder),
    /// Print a document on A4.
    PrintDocument(Ticket, DocumentOrder),
    /// Erase everything of the session outside the session value: drafts, bitmaps, keyboard, frames.
    WipeSession,
    /// Ask the city and answer with this ticket, at the latest after so long.
    AskCity {
        /// Names the question.
        ticket: Ticket,
        /// Milliseconds.
        within_ms: u64,
        /// What is asked.
        question: CityQuestion,
    },
    /// Say this to the city; nobody waits for an answer, and the end of the session does not take it back.
    TellCity(CityQuestion),
    /// Ask the engine behind the keyboard on the screen; answer with this ticket. `WipeSession` ends its process.
    AskEngine(Ticket, EngineQuestion),
    /// Somebody is there, or something waits to be sent: deliver now, whatever is being waited for. Answers nothing.
    TryNow,
    /// Write an audit line.
    Audit(AuditFact),
}

/// What is read out in fixed words, none of them a resident's own. The words live in `assets/voice`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Prompt {
    /// 请取走身份证.
    TakeCard,
    /// 请取走凭条.
    TakeReceipt,
    /// 请取走身份证和凭条.
    TakeCardAndReceipt,
    /// The reader is sure that the card still lies there.
    CardStillThere,
    /// 请取走社保卡.
    TakeSocialCard,
    /// 请取走社保卡和凭条.
    TakeSocialCardAndReceipt,
    /// 请取走身份证和社保卡.
    TakeBothCards,
    /// The social-security card is still in its reader.
    SocialCardStillThere,
    /// 请取走打印件.
    TakePapers,
    /// 请取走身份证和打印件.
    TakeCardAndPapers,
    /// 请取走社保卡和打印件.
    TakeSocialCardAndPapers,
}

impl Prompt {
    /// Every prompt.
    pub const ALL: [Prompt; 11] = [
        Prompt::TakeCard,
        Prompt::TakeReceipt,
        Prompt::TakeCardAndReceipt,
        Prompt::CardStillThere,
        Prompt::TakeSocialCard,
        Prompt::TakeSocialCardAndReceipt,
        Prompt::TakeBothCards,
        Prompt::SocialCardStillThere,
        Prompt::TakePapers,
        Prompt::TakeCardAndPapers,
        Prompt::TakeSocialCardAndPapers,
    ];

    /// Its name in `assets/voice`.
    pub fn name(self) -> &'static str {
        match self {
            Prompt::TakeCard => "take-card",
            Prompt::TakeReceipt => "take-receipt",
            Prompt::TakeCardAndReceipt => "take-card-and-receipt",
            Prompt::CardStillThere => "card-still-there",
            Prompt::TakeSocialCard => "take-social-card",
            Prompt::TakeSocialCardAndReceipt => "take-social-card-and-receipt",
            Prompt::TakeBothCards => "take-both-cards",
            Prompt::SocialCardStillThere => "social-card-still-there",
            Prompt::TakePapers => "take-papers",
            Prompt::TakeCardAndPapers => "take-card-and-papers",
            Prompt::TakeSocialCardAndPapers => "take-social-card-and-papers",
        }
    }
}

/// What the city can be asked while a resident waits. Only the city can read it.
#[derive(Clone, Debug, PartialEq)]
pub enum CityQuestion {
    /// How is this case getting on?
    CaseProgress {
        /// Case number as printed.
        case_number: Private<String>,
        /// Verification code as printed, without spaces.
        verification: Private<String>,
    },
    /// What does a department's register keep?
    Fetch(Box<FetchRequest>),
    /// 请人帮忙: ring the keeper. Asked again it is the same call.
    CallKeeper {
        /// Names the call, also afterwards.
        call: Ticket,
        /// Where the resident is stuck; nothing of who it is.
        at: Whereabouts,
    },
    /// How does this call stand?
    CallState(Ticket),
    /// Nobody has to come any more.
    CallCancelled(Ticket),
    /// 取号: a number of this queue, today.
    QueueTicket {
        /// Names the request: asked again it is the same number.
        request: Ticket,
        /// The queue, as the catalog names it.
        queue: String,
    },
}

/// Where somebody asked for help: what the keeper reads of it, all of it the machine's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// Kind of the page: `home`, `question`.
    pub page: &'static str,
    /// The item that is being done.
    pub item: Option<ItemCode>,
    /// Language of the screen.
    pub language: Language,
    /// Theme of the screen.
    pub theme: Theme,
}

/// Timers, by what they are for. At most one of each kind runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimerKind {
    /// Until the idle warning, then each second of its countdown.
    Idle,
    /// A page that goes on by itself: farewell, saved-case offer.
    Page,
    /// Until saving is overdue.
    Saving,
    /// Until the city has had its time to answer.
    Asking,
    /// Until the printer has had its time to print.
    Printing,
    /// Until the A4 printer has had its time to print.
    PagesPrint,
    /// Until the city is asked again how a call stands.
    Keeper,
    /// Until the document camera has had its time to take a photo.
    Photo,
}

/// What is sealed and sent. Built once, at the moment the resident confirms.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// 事项.
    pub item: ItemCode,
    /// Version of its data.
    pub item_version: u32,
    /// Version of the consent text agreed to.
    pub consent_version: u32,
    /// The language in which the questions were read.
    pub language: Language,
    /// Who asks.
    pub by: Submitter,
    /// What was answered.
    pub answers: Answers,
}

/// Who asks, and what proves it.
#[derive(Clone, Debug, PartialEq)]
pub enum Submitter {
    /// Somebody who identified.
    Applicant(Applicant),
    /// The holder of the receipt of this case, which the submission follows.
    ReceiptHolder(CaseReference),
}

/// What the receipt printer is to print.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiptOrder {
    /// The case, from its stub.
    pub case: SavedCase,
    /// The name, while the session still knows it. After a restart it does not.
    pub applicant_name: Option<Private<String>>,
    /// The number of the case that this one follows, while the session still knows it.
    pub about: Option<Private<String>>,
    /// Language of the print-out.
    pub language: Language,
    /// Whether (part of) a receipt came out before: the print-out says 补打.
    pub reprint: bool,
}

/// Facts for the auditor. No variant can hold personal data.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "each is described in docs/audit-events.toml")]
pub enum AuditFact {
    SessionStarted,
    SessionEnded { reason: EndReason, length_ms: u64 },
    ItemOpened(ItemCode),
    ConsentGiven(ItemCode, u32),
    ConsentDeclined(ItemCode, u32),
    CardRead { document: DocumentKind, took_ms: u64 },
    CardReadFailed(Remedy),
    NumberTyped(ItemCode),
    CardForgotten,
    PowerChanged(Power),
    CabinetOpened(bool),
    GuidePrintAsked(ItemCode),
    GuidePrintEnded(ItemCode, PagesEnd),
    DirectionsPrintAsked(ItemCode),
    DirectionsPrintEnded(ItemCode, PrintStatus),
    FetchAsked(ItemCode),
    FetchAnswered { item: ItemCode, outcome: FetchOutcome, took_ms: u64 },
    DocumentPrintAsked(ItemCode),
    DocumentPrintEnded(ItemCode, PagesEnd),
    AnotherItem,
    ProgressAsked,
    ProgressAnswered { outcome: ProgressOutcome, took_ms: u64 },
    QueueTicketAsked(ItemCode),
    QueueTicketAnswered { outcome: ProgressOutcome, took_ms: u64 },
    HelpAsked(Option<ItemCode>),
    HelpEnded { outcome: HelpOutcome, took_ms: u64 },
    Wiped,
}

/// What came of a call for the keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HelpOutcome {
    /// The keeper said "I am coming".
    Coming,
    /// Nobody answered in the call's time.
    Unanswered,
    /// The resident needed nobody any more.
    Withdrawn,
    /// The session ended.
    Left,
}

/// What came of a question to the city for which somebody waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProgressOutcome {
    /// It was told.
    Told,
    /// There is no such case, or the code is wrong.
    NotFound,
    /// The city could not be asked.
    Away,
    /// The city did not answer in time.
    TooLate,
    /// The city could not answer now.
    Busy,
    /// The resident did not wait for the answer.
    Left,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The resident went through to the end.
    Finished,
    /// The resident touched 结束 or refused.
    Left,
    /// Nobody was there any more.
    Idle,
    /// A door of the cabinet was opened.
    CabinetOpened,
    /// The battery runs low.
    PowerLow,
}
