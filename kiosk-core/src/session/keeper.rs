//! 请人帮忙: a call for the keeper of this place. It lives beside the pages, as long as the session: the resident may go on
//! meanwhile, and nothing waits for it. The city is asked again and again how it stands; what it says is shown in the
//! notice, and as long as nobody has answered the cabinet's light blinks.
//!
//! Nothing of the resident is in it: which kind of page, which item, which language and theme.

use super::{AuditFact, CallState, CityQuestion, Effect, HelpOutcome, Ticket, TimerKind, Turn, Whereabouts};
use crate::remedy::Notice;

/// How far the help is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Help {
    /// The keeper is being told.
    Calling,
    /// A page of the keeper's shows it, and rings.
    Called,
    /// The keeper is coming.
    Coming,
    /// The city cannot be reached, or takes no call now.
    Away,
    /// Told, or on its way for long, and no answer; the call stays open.
    Unanswered,
    /// Nobody answered in the call's time: it is over, and help can be asked for anew.
    GivenUp,
}

impl Help {
    fn notice(self) -> Notice {
        match self {
            Help::Calling => Notice::Help,
            Help::Called => Notice::HelpCalled,
            Help::Coming => Notice::HelpComing,
            Help::Away => Notice::HelpAway,
            Help::Unanswered | Help::GivenUp => Notice::HelpUnanswered,
        }
    }

    /// Whether there is nothing more to ask the city.
    fn is_settled(self) -> bool {
        matches!(self, Help::Coming | Help::GivenUp)
    }
}

/// The call for the keeper, if there is one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keeper(Option<Call>);

#[derive(Clone, Debug, PartialEq)]
struct Call {
    /// Names it at the city.
    name: Ticket,
    at: Whereabouts,
    help: Help,
    /// The city has answered that it keeps it.
    kept: bool,
    /// What the city was asked last, until it has answered.
    asked: Option<Ticket>,
    timer: Option<Ticket>,
    since_ms: u64,
    heard_at_ms: Option<u64>,
    /// What came of it is written down.
    audited: bool,
}

impl Keeper {
    /// How far the help is, once it was asked for.
    pub fn help(&self) -> Option<Help> {
        self.0.as_ref().map(|call| call.help)
    }

    /// Whether somebody waits for the keeper.
    pub fn is_called(&self) -> bool {
        self.help().is_some_and(|help| help != Help::GivenUp)
    }

    pub(super) fn asked(&self, ticket: Ticket) -> bool {
        self.0.as_ref().is_some_and(|call| call.asked == Some(ticket))
    }

    pub(super) fn waits_for(&self, ticket: Ticket) -> bool {
        self.0.as_ref().is_some_and(|call| call.timer == Some(ticket))
    }
}

/// The resident asks for help: once more, to see how it stands, or for the first time.
pub(super) fn ring(turn: &mut Turn) {
    turn.session.settings_open = false;
    if !turn.session.keeper.is_called() {
        let at = whereabouts(turn);
        let name = turn.new_ticket();
        turn.audit(AuditFact::HelpAsked(at.item.clone()));
        turn.session.keeper = Keeper(Some(Call {
            name,
            at,
            help: if turn.session.surroundings.network { Help::Calling } else { Help::Away },
            kept: false,
            asked: None,
            timer: None,
            since_ms: turn.moment.monotonic_ms,
            heard_at_ms: None,
            audited: false,
        }));
        ask(turn);
        turn.somebody_is_there();
    }
    turn.session.notice = turn.session.keeper.help().map(Help::notice);
}

/// Nobody has to come any more.
pub(super) fn withdraw(turn: &mut Turn) {
    turn.session.notice.take_if(|notice| notice.is_about_help());
    end(turn, HelpOutcome::Withdrawn);
    turn.somebody_is_there();
}

/// The session ends.
pub(super) fn leave(turn: &mut Turn) {
    end(turn, HelpOutcome::Left);
}

/// The city has answered.
pub(super) fn on_state(turn: &mut Turn, state: CallState) {
    let (now_ms, limits) = (turn.moment.monotonic_ms, turn.rules.limits);
    let Some(call) = &mut turn.session.keeper.0 else { return };
    (call.asked, call.kept) = (None, true);
    let late = |since_ms: u64, after_ms: u64| now_ms.saturating_sub(since_ms) >= after_ms;
    call.help = match state {
        CallState::Ringing if late(call.since_ms, limits.keeper_unheard_ms) => Help::Unanswered,
        CallState::Ringing => Help::Calling,
        CallState::Heard => {
            let heard_at_ms = *call.heard_at_ms.get_or_insert(now_ms);
            if late(heard_at_ms, limits.keeper_silent_ms) { Help::Unanswered } else { Help::Called }
        }
        CallState::Coming => Help::Coming,
        CallState::Over => Help::GivenUp,
    };
    match call.help {
        Help::Coming => {
            audit(turn, HelpOutcome::Coming);
            // Said also to whoever has gone on meanwhile, but not over something that has to be read first.
            let notice = &mut turn.session.notice;
            *notice = notice.or(Some(Notice::HelpComing));
        }
        Help::GivenUp => audit(turn, HelpOutcome::Unanswered),
        Help::Calling | Help::Called | Help::Away | Help::Unanswered => ask_later(turn),
    }
}

/// The city cannot be asked, or has answered something else. The next look may find it.
pub(super) fn on_silence(turn: &mut Turn) {
    let Some(call) = &mut turn.session.keeper.0 else { return };
    call.asked = None;
    // What was told stays told.
    if !call.kept {
        call.help = Help::Away;
    }
    ask_later(turn);
}

pub(super) fn on_timer(turn: &mut Turn) {
    if let Some(call) = &mut turn.session.keeper.0 {
        call.timer = None;
        ask(turn);
    }
}

/// After every event: the notice says how it stands now.
pub(super) fn follow(turn: &mut Turn) {
    let session = &mut turn.session;
    if let (Some(shown), Some(help)) = (&mut session.notice, session.keeper.help())
        && shown.is_about_help()
    {
        *shown = help.notice();
    }
}

/// Until the city has said that it keeps the call, it is told of it; then it is asked.
fn ask(turn: &mut Turn) {
    let ticket = turn.new_ticket();
    let within_ms = turn.rules.limits.keeper_asking_ms;
    let Some(call) = &mut turn.session.keeper.0 else { return };
    call.asked = Some(ticket);
    let question = match call.kept {
        false => CityQuestion::CallKeeper { call: call.name, at: call.at.clone() },
        true => CityQuestion::CallState(call.name),
    };
    turn.effects.push(Effect::AskCity { ticket, within_ms, question });
}

fn ask_later(turn: &mut Turn) {
    let ticket = turn.new_ticket();
    let after_ms = turn.rules.limits.keeper_poll_ms;
    if let Some(call) = &mut turn.session.keeper.0 {
        call.timer = Some(ticket);
        turn.effects.push(Effect::StartTimer(TimerKind::Keeper, ticket, after_ms));
    }
}

/// It is over for this side. Whether the city ever heard of it is not known for certain, so it is told in any case.
fn end(turn: &mut Turn, outcome: HelpOutcome) {
    audit(turn, outcome);
    let Some(call) = turn.session.keeper.0.take() else { return };
    if !call.help.is_settled() {
        turn.effects.push(Effect::StopTimer(TimerKind::Keeper));
    }
    if call.help != Help::GivenUp {
        turn.effects.push(Effect::TellCity(CityQuestion::CallCancelled(call.name)));
    }
}

fn audit(turn: &mut Turn, outcome: HelpOutcome) {
    let now_ms = turn.moment.monotonic_ms;
    let Some(call) = turn.session.keeper.0.as_mut().filter(|call| !call.audited) else { return };
    call.audited = true;
    let took_ms = now_ms.saturating_sub(call.since_ms);
    turn.audit(AuditFact::HelpEnded { outcome, took_ms });
}

fn whereabouts(turn: &Turn) -> Whereabouts {
    let session = &turn.session;
    Whereabouts {
        page: session.page.name(),
        item: session.visit.as_ref().map(|visit| visit.item.clone()),
        language: session.settings.language,
        theme: session.settings.theme,
    }
}
