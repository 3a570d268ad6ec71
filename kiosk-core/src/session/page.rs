//! The pages, one variant each.

use super::{
    Asking, CaseReference, Draft, Enquiry, FetchedPage, Fetching, Identify, OutcomePage, ProgressPage,
    ReceiptPage, SavedCaseOffer, Saving, ToTake, Unfetched,
};

/// Which page is shown, with what only that page needs.
#[derive(Clone, Debug, PartialEq)]
pub enum Page {
    /// 首页.
    Home(Option<SavedCaseOffer>),
    /// What the item is and what to bring.
    Guide,
    /// 一件事: the items that belong together.
    LifeEvent,
    /// Consent before sensitive data is taken.
    Consent,
    /// Lay or put in a card, or type the number.
    Identify(Identify),
    /// "Is this you?"
    ConfirmPerson,
    /// One question of the form.
    Question(Draft),
    /// The check page.
    Review,
    /// 去处: what the answers of a where-to-go item lead to.
    Outcome(OutcomePage),
    /// 查询: the city is being asked what a register keeps.
    Fetching(Fetching),
    /// 查询结果: what it keeps.
    Fetched(Box<FetchedPage>),
    /// Nothing was fetched; why.
    Unfetched(Unfetched),
    /// Being committed to disk.
    Saving(Saving),
    /// 受理回执.
    Receipt(ReceiptPage),
    /// 好差评 of the case on this receipt.
    Rating(ReceiptPage),
    /// 查办件进度: what stands on the receipt is typed.
    Enquiry(Enquiry),
    /// The city is being asked.
    Asking(Box<Asking>),
    /// 办件进度.
    Progress(Box<ProgressPage>),
    /// 补材料 or 撤回, of a case about which the city cannot be asked now.
    FollowUp(CaseReference),
    /// 请取走身份证.
    Leaving(ToTake),
}

impl Page {
    /// Its name for logs, for tests, and for a keeper who is called.
    pub fn name(&self) -> &'static str {
        match self {
            Page::Home(_) => "home",
            Page::Guide => "guide",
            Page::LifeEvent => "life-event",
            Page::Consent => "consent",
            Page::Identify(_) => "identify",
            Page::ConfirmPerson => "confirm-person",
            Page::Question(_) => "question",
            Page::Review => "review",
            Page::Outcome(_) => "outcome",
            Page::Fetched(_) => "fetched",
            Page::Unfetched(_) => "unfetched",
            Page::Saving(_) => "saving",
            Page::Receipt(_) => "receipt",
            Page::Rating(_) => "rating",
            Page::Enquiry(_) => "enquiry",
            Page::Asking(_) | Page::Fetching(_) => "asking",
            Page::Progress(_) => "progress",
            Page::FollowUp(_) => "follow-up",
            Page::Leaving(_) => "leaving",
        }
    }
}
