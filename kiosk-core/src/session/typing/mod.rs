//! Writing into a text field on a screen without a keyboard: pinyin, 粤拼, strokes, handwriting, rare characters by
//! radical, letters, digits.
//!
//! The engine behind the first four lives in a process of its own and is asked with tickets. What it has not answered is
//! never guessed: a mark is sent, and the newest answer is what the screen shows. A word that became final with an older
//! answer still goes into the field it was chosen for; into any other field, or the next session, nothing does.
//!
//! A page has such a field when [`field`] finds its [`Typing`]; [`put`] is where final words go. Another page with a
//! field of text adds a line to each.

mod engine;
mod picker;
mod ways;

pub use engine::{EngineAnswer, EngineQuestion, Mark, Method, PenPoint, STROKES_MAX, Script};
pub use picker::{Pick, Picker};
pub use ways::TypingWay;

use super::{Citizen, Effect, Page, Session, Ticket, Turn, question};
use crate::private::Private;
use crate::remedy::{Notice, Remedy};

/// Pages of candidates or of the picker, at most: a touch beyond means that the screen is behind.
const PAGES_MAX: usize = 500;

/// A touch on the keyboard, as meaning. Letters and digits that go straight into the field are [`Citizen::KeyTyped`].
#[derive(Clone, Debug, PartialEq)]
pub enum TypingTouch {
    /// Another way of typing.
    WayChosen(TypingWay),
    /// A key or a stroke of the pen for the engine.
    Marked(Mark),
    /// A candidate of those shown, counted from 0 over all pages.
    CandidateChosen(usize),
    /// What is typed and not final goes.
    CompositionCleared,
    /// The next page of candidates, or of the picker.
    NextPage,
    /// The page before.
    PreviousPage,
    /// More candidates at once, or one row again.
    Expanded,
    /// Something in the picker.
    Picked(Pick),
    /// One step back in the picker.
    PickedBack,
}

/// What is typed and not final, and what it may mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Composition {
    /// As it should be shown: `ni hao`. Nothing for handwriting.
    pub typed: Option<Private<String>>,
    /// What it may mean, the likeliest first.
    pub candidates: Vec<Private<String>>,
}

/// What the newest question to the engine was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// To begin.
    Open,
    /// A mark, or one to be taken back: what it makes of the composition is not known yet.
    Mark,
    /// A candidate, or to clear: nothing of the composition is left when it is done, or what the answer says.
    Other,
}

/// The keyboard of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Typing {
    /// The way in use.
    pub way: TypingWay,
    /// What the engine made of the marks.
    pub composition: Composition,
    /// The strokes that were drawn and not chosen, in the order of the pen.
    pub ink: Vec<Private<Vec<PenPoint>>>,
    /// Which page of candidates, or of the picker, from 0.
    pub page: usize,
    /// Many candidates at once, instead of keys.
    pub expanded: bool,
    /// What was chosen in the picker.
    pub picker: Picker,
    /// What the engine was opened for.
    opened: Option<(Method, Script)>,
    /// The first question of this field; answers to older ones belong to another.
    first: Option<Ticket>,
    /// The newest question, until it is answered.
    newest: Option<(Ticket, Asked)>,
    /// The engine cannot be used now: letters, digits and the picker can.
    away: bool,
    /// The resident asked for the way in use, and wants to know when it cannot be had.
    by_hand: bool,
}

impl Default for Typing {
    fn default() -> Self {
        Typing {
            way: TypingWay::Letters,
            composition: Composition::default(),
            ink: Vec::new(),
            page: 0,
            expanded: false,
            picker: Picker::default(),
            opened: None,
            first: None,
            newest: None,
            away: false,
            by_hand: false,
        }
    }
}

impl Typing {
    /// Whether something is typed or drawn that is not final.
    pub fn is_composing(&self) -> bool {
        let typed = self.composition.typed.as_ref().is_some_and(|typed| !typed.expose().is_empty());
        typed || !self.ink.is_empty() || matches!(self.newest, Some((_, Asked::Mark)))
    }

    fn drop_composition(&mut self) {
        self.composition = Composition::default();
        self.ink.clear();
        (self.page, self.expanded, self.newest) = (0, false, None);
        self.picker = Picker::default();
    }
}

impl Session {
    /// The keyboard of the page shown, if it has a field of text.
    pub fn typing(&self) -> Option<&Typing> {
        match &self.page {
            Page::Question(draft) => draft.typing.as_ref(),
            _ => None,
        }
    }
}

fn field(page: &mut Page) -> Option<&mut Typing> {
    match page {
        Page::Question(draft) => draft.typing.as_mut(),
        _ => None,
    }
}

/// Text that became final goes to the end of the field.
fn put(turn: &mut Turn, text: &str) {
    if matches!(turn.session.page, Page::Question(_)) {
        question::type_in(turn, text);
    }
}

/// How many characters the field still takes.
fn room(turn: &Turn) -> usize {
    question::room(turn)
}

/// After every event: the way that the resident chose, or that language and theme bring, is the way in use, and the
/// engine was opened for it. A field that has just come up starts the engine here, ahead of the first key.
pub(super) fn follow(turn: &mut Turn) {
    let settings = turn.session.settings;
    let chosen = turn.session.typing_way;
    let Some(typing) = field(&mut turn.session.page) else { return };
    let wanted = chosen.unwrap_or(TypingWay::offered(settings)[0]);
    let way = if typing.away && wanted.method().is_some() { TypingWay::Letters } else { wanted };
    let engine = way.method().map(|method| (method, Script::of(settings.language)));
    if typing.way == way && typing.opened == engine {
        return;
    }
    typing.drop_composition();
    (typing.way, typing.opened) = (way, engine);
    if let Some((method, script)) = engine {
        ask(turn, EngineQuestion::Open(method, script), Asked::Open);
    }
}

fn ask(turn: &mut Turn, question: EngineQuestion, asked: Asked) {
    let ticket = turn.new_ticket();
    let Some(typing) = field(&mut turn.session.page) else { return };
    typing.first.get_or_insert(ticket);
    typing.newest = Some((ticket, asked));
    turn.effects.push(Effect::AskEngine(ticket, question));
}

/// What a touch does to the field; false when it means the same as without a keyboard.
pub(super) fn on(turn: &mut Turn, touch: &Citizen) -> bool {
    let Some(typing) = field(&mut turn.session.page) else { return false };
    let composing = typing.is_composing();
    match touch {
        Citizen::Typing(touch) => on_touch(turn, touch),
        Citizen::Erased if composing => take_back(turn),
        // Going on would lose what stands on the screen, and a guess would send what nobody chose.
        Citizen::Answered if composing => turn.session.notice = Some(Notice::TypingUnfinished),
        _ => return false,
    }
    true
}

fn on_touch(turn: &mut Turn, touch: &TypingTouch) {
    match touch {
        TypingTouch::WayChosen(way) => choose_way(turn, *way),
        TypingTouch::Marked(mark) => enter(turn, mark),
        TypingTouch::CandidateChosen(at) => choose(turn, *at),
        TypingTouch::CompositionCleared => clear(turn),
        TypingTouch::Picked(Pick::Character(character)) => {
            put(turn, character.expose().encode_utf8(&mut [0; 4]));
            look(turn, |typing| typing.picker = Picker::default());
        }
        TypingTouch::Picked(pick) => look(turn, |typing| typing.picker.pick(pick)),
        TypingTouch::PickedBack => look(turn, |typing| typing.picker.step_back()),
        TypingTouch::NextPage => {
            let Some(typing) = field(&mut turn.session.page) else { return };
            typing.page = (typing.page + 1).min(PAGES_MAX);
        }
        TypingTouch::PreviousPage => {
            let Some(typing) = field(&mut turn.session.page) else { return };
            typing.page = typing.page.saturating_sub(1);
        }
        TypingTouch::Expanded => look(turn, |typing| {
            typing.expanded = !typing.expanded && !typing.composition.candidates.is_empty();
        }),
    }
}

/// Something else is to be seen: from its first page on.
fn look(turn: &mut Turn, change: impl FnOnce(&mut Typing)) {
    let Some(typing) = field(&mut turn.session.page) else { return };
    change(typing);
    typing.page = 0;
}

/// The choice holds for the rest of the session. Asking again for a way that was away tries it again.
fn choose_way(turn: &mut Turn, way: TypingWay) {
    turn.session.typing_way = Some(way);
    let Some(typing) = field(&mut turn.session.page) else { return };
    (typing.away, typing.by_hand) = (false, true);
    typing.picker = Picker::default();
    typing.page = 0;
}

fn enter(turn: &mut Turn, mark: &Mark) {
    let full = room(turn) == 0;
    let Some(typing) = field(&mut turn.session.page) else { return };
    let fits = match (typing.way.method(), mark) {
        (Some(Method::Handwriting), Mark::Stroke(_)) => typing.ink.len() < STROKES_MAX,
        (Some(Method::Pinyin | Method::Jyutping | Method::Strokes), Mark::Key(_)) => true,
        _ => false,
    };
    if !fits {
        return;
    }
    if full {
        turn.session.notice = Some(Notice::TextTooLong);
        return;
    }
    if let Mark::Stroke(points) = mark {
        typing.ink.push(points.clone());
    }
    ask(turn, EngineQuestion::Enter(mark.clone()), Asked::Mark);
}

fn take_back(turn: &mut Turn) {
    let Some(typing) = field(&mut turn.session.page) else { return };
    typing.ink.pop();
    ask(turn, EngineQuestion::TakeBack, Asked::Mark);
}

fn clear(turn: &mut Turn) {
    let Some(typing) = field(&mut turn.session.page) else { return };
    if typing.is_composing() {
        typing.drop_composition();
        ask(turn, EngineQuestion::Clear, Asked::Other);
    }
}

/// Only what the screen shows can be meant. While an answer is on its way the engine may already see another list.
fn choose(turn: &mut Turn, at: usize) {
    let Some(typing) = field(&mut turn.session.page) else { return };
    if typing.newest.is_none() && at < typing.composition.candidates.len() {
        typing.ink.clear();
        ask(turn, EngineQuestion::Choose(at), Asked::Other);
    }
}

pub(super) fn on_answer(turn: &mut Turn, answer: EngineAnswer) {
    let ticket = answer.ticket();
    let Some(typing) = field(&mut turn.session.page) else { return };
    if typing.first.is_none_or(|first| ticket < first) {
        return;
    }
    match answer {
        EngineAnswer::Composed { typed, candidates, committed, .. } => {
            if typing.newest.is_some_and(|(newest, _)| newest == ticket) {
                typing.newest = None;
                typing.page = 0;
                typing.expanded &= !candidates.is_empty();
                typing.composition = Composition { typed: Some(typed), candidates };
            }
            if !committed.expose().is_empty() {
                put(turn, committed.expose());
            }
        }
        EngineAnswer::Lost(_, remedy) => lose(turn, ticket, remedy),
    }
}

/// What was being typed is gone. Another engine is started, unless it is the start that failed.
fn lose(turn: &mut Turn, ticket: Ticket, remedy: Remedy) {
    let Some(typing) = field(&mut turn.session.page) else { return };
    let opening = typing.newest == Some((ticket, Asked::Open));
    if typing.newest.is_some_and(|(_, asked)| asked == Asked::Open) && !opening {
        // Of an engine that was given up already.
        return;
    }
    typing.drop_composition();
    if remedy == Remedy::Retry && !opening {
        typing.opened = None;
        turn.session.notice = Some(Notice::TypingLost);
        return;
    }
    typing.away = true;
    // Somebody who has not typed yet is shown the letters, and told nothing that would have to be read first.
    if typing.by_hand || !opening {
        turn.session.notice = Some(Notice::TypingAway);
    }
}
