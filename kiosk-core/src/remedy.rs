//! What can be done when something went wrong. Every error of a device, the store or the catalog
//! ends as one of these, and the session matches on nothing else.

/// The way on after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The machine can try again by itself.
    Retry,
    /// The resident can help; the notice says how.
    AskCitizen(Notice),
    /// Only an operator can help; the code is shown and reported.
    CallOperator(FaultCode),
}

/// A plain sentence for the resident. The words live with the screens, in every language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// The card moved away while it was read.
    CardHoldStill,
    /// The card was read, but not cleanly.
    CardNotReadable,
    /// A card lay there before this session: perhaps the one that somebody forgot.
    CardAlreadyThere,
    /// The card has expired and the item does not accept it.
    CardExpired,
    /// The card has expired; the item accepts it all the same.
    CardExpiredAccepted,
    /// Not an identity card.
    CardUnknown,
    /// The reader's security module refused the card.
    CardRefused,
    /// The social-security card was pulled while it was read.
    SocialCardPulled,
    /// The social-security card does not answer, or not cleanly: perhaps it was put in the wrong way round.
    SocialCardNotRead,
    /// A card was in the reader before this session: perhaps the one that somebody forgot.
    SocialCardAlreadyThere,
    /// The social-security card has expired and the item does not accept it.
    SocialCardExpired,
    /// The social-security card has expired; the item accepts it all the same.
    SocialCardExpiredAccepted,
    /// Not a social-security card.
    SocialCardUnknown,
    /// The card shows its holder's records only to those who have a key, or names nobody who can be.
    SocialCardLocked,
    /// No reader answers with which the resident could identify.
    ReaderAway,
    /// Not 18 characters.
    IdNumberLength,
    /// A character that does not belong.
    IdNumberCharacters,
    /// The birth date inside does not exist.
    IdNumberDate,
    /// The last character does not fit: a slip.
    IdNumberCheck,
    /// This question wants an answer.
    AnswerNeeded,
    /// Not a telephone number that can be called.
    PhoneWrong,
    /// The day lies outside what the item allows.
    DateWrong,
    /// No number, or one that the item does not allow.
    NumberWrong,
    /// No sum of money, or one that the item does not allow.
    MoneyWrong,
    /// No more characters fit.
    TextTooLong,
    /// At least one of the choices is wanted.
    ChooseAtLeastOne,
    /// The item's own condition is not met.
    NotEligible,
    /// The item's data is broken.
    ItemBroken,
    /// Nothing can be saved now (disk full).
    SubmissionsClosed,
    /// The mains failed: what was begun is finished, nothing new is begun.
    PowerOut,
    /// The battery is nearly empty: the machine goes off.
    GoingOff,
    /// Saving failed: nothing was kept.
    SaveFailed,
    /// Not as many characters as a case number has.
    CaseNumberLength,
    /// A character of the case number is not that of the receipt.
    CaseNumberCheck,
    /// Not as many characters as a verification code has.
    VerificationCodeLength,
    /// The city has no case with this number and this code.
    CaseNotFound,
    /// The city cannot be asked now.
    CityAway,
    /// The city was asked and has not answered in time.
    CitySlow,
    /// The city says that it cannot answer now.
    CityBusy,
    /// A supplement without a photo or a word.
    NothingSupplied,
    /// Nothing lies under the camera.
    MaterialMissing,
    /// What lies under the camera moves.
    MaterialHoldStill,
    /// What lies under the camera is not flat.
    MaterialLayFlat,
    /// What lies under the camera reaches beyond the picture.
    MaterialInside,
    /// Light is mirrored in what lies under the camera.
    MaterialGlare,
    /// Too little light reaches the camera.
    CameraCovered,
    /// The document camera does not answer.
    CameraAway,
    /// No photo came of it this time.
    PhotoFailed,
    /// The face before the camera moves or is not sharp.
    FaceHoldStill,
    /// The face before the camera is dark or dazzled.
    FaceLight,
    /// What was being typed got lost: type it again.
    TypingLost,
    /// This way of typing cannot be used now; letters and digits can.
    TypingAway,
    /// Something is typed or drawn and not chosen yet.
    TypingUnfinished,
    /// Part of a scanned code got lost.
    ScanAgain,
    /// The scanned code is none that can be used here.
    CodeUnusable,
    /// The resident asked for help: the keeper is being told.
    Help,
    /// The keeper has been told.
    HelpCalled,
    /// The keeper said "I am coming".
    HelpComing,
    /// The keeper cannot be told now: no network, or too much to do.
    HelpAway,
    /// The keeper was told and has not answered.
    HelpUnanswered,
}

impl Notice {
    /// Every notice, in the order of the enum.
    pub const ALL: [Notice; 60] = [
        Notice::CardHoldStill,
        Notice::CardNotReadable,
        Notice::CardAlreadyThere,
        Notice::CardExpired,
        Notice::CardExpiredAccepted,
        Notice::CardUnknown,
        Notice::CardRefused,
        Notice::SocialCardPulled,
        Notice::SocialCardNotRead,
        Notice::SocialCardAlreadyThere,
        Notice::SocialCardExpired,
        Notice::SocialCardExpiredAccepted,
        Notice::SocialCardUnknown,
        Notice::SocialCardLocked,
        Notice::ReaderAway,
        Notice::IdNumberLength,
        Notice::IdNumberCharacters,
        Notice::IdNumberDate,
        Notice::IdNumberCheck,
        Notice::AnswerNeeded,
        Notice::PhoneWrong,
        Notice::DateWrong,
        Notice::NumberWrong,
        Notice::MoneyWrong,
        Notice::TextTooLong,
        Notice::ChooseAtLeastOne,
        Notice::NotEligible,
        Notice::ItemBroken,
        Notice::SubmissionsClosed,
        Notice::PowerOut,
        Notice::GoingOff,
        Notice::SaveFailed,
        Notice::CaseNumberLength,
        Notice::CaseNumberCheck,
        Notice::VerificationCodeLength,
        Notice::CaseNotFound,
        Notice::CityAway,
        Notice::CitySlow,
        Notice::CityBusy,
        Notice::NothingSupplied,
        Notice::MaterialMissing,
        Notice::MaterialHoldStill,
        Notice::MaterialLayFlat,
        Notice::MaterialInside,
        Notice::MaterialGlare,
        Notice::CameraCovered,
        Notice::CameraAway,
        Notice::PhotoFailed,
        Notice::FaceHoldStill,
        Notice::FaceLight,
        Notice::TypingLost,
        Notice::TypingAway,
        Notice::TypingUnfinished,
        Notice::ScanAgain,
        Notice::CodeUnusable,
        Notice::Help,
        Notice::HelpCalled,
        Notice::HelpComing,
        Notice::HelpAway,
        Notice::HelpUnanswered,
    ];

    /// Whether it says how it stands with the help that was asked for.
    pub fn is_about_help(self) -> bool {
        use Notice::{Help, HelpAway, HelpCalled, HelpComing, HelpUnanswered};
        matches!(self, Help | HelpCalled | HelpComing | HelpAway | HelpUnanswered)
    }
}

/// A fault that an operator must mend; shown to the resident as a short code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultCode {
    /// Reader silent, unplugged or failing its self-test.
    Reader,
    /// Printer silent, unplugged, or with an error that cannot be recovered.
    Printer,
    /// Document camera silent, unplugged or broken.
    Camera,
    /// The database or the disk.
    Store,
    /// The program behind the keyboard on the screen cannot be started, or falls again and again.
    Typing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_notices_has_all_of_them() {
        let in_order = Notice::ALL.iter().enumerate().all(|(at, notice)| *notice as usize == at);
        // The last one: an enum that has grown has another.
        assert!(in_order && Notice::HelpUnanswered as usize + 1 == Notice::ALL.len());
    }
}
