//! The keyboard of a field of text: what it shows, and its taps and strokes as events.

use super::ink::Ink;
use super::rows::Rows;
use crate::inbox::{Inbox, Message};
use crate::present::{picker, typing};
use kiosk_core::session::{Citizen, Mark, Session, TypingTouch, TypingWay};
use kiosk_ui as ui;
use kiosk_ui::KioskWindow;
use slint::{ComponentHandle, Image, SharedString, Weak};
use std::cell::RefCell;
use std::rc::Rc;

/// The keyboard's lists and what the pen draws.
#[derive(Default)]
pub(super) struct Keyboard {
    ways: Rows<ui::TypingWay>,
    candidates: Rows<ui::Candidate>,
    cells: Rows<SharedString>,
    ink: Rc<RefCell<Ink>>,
}

impl Keyboard {
    /// Gives the window the lists, and connects the keys and the pen.
    pub(super) fn connect(&self, window: &KioskWindow, inbox: &Inbox) {
        let screen = window.global::<ui::TypingScreen>();
        screen.set_ways(self.ways.model());
        screen.set_candidates(self.candidates.model());
        screen.set_cells(self.cells.model());
        keys(window, inbox);
        pages(window, inbox);
        pen(window, inbox, &self.ink);
    }

    /// Shows the keyboard of the page, or forgets the last one.
    pub(super) fn show(&self, window: &KioskWindow, session: &Session) {
        let Some(shown) = session.typing() else { return self.forget(window) };
        let screen = window.global::<ui::TypingScreen>();
        let settings = session.settings;
        self.ways.show(TypingWay::offered(settings).map(typing::way_kind).to_vec());
        screen.set_way(typing::way_kind(shown.way));
        screen.set_composing(shown.is_composing());
        let typed = shown.composition.typed.as_ref().map(|typed| typed.expose().as_str());
        screen.set_typed(typed.unwrap_or_default().into());
        screen.set_units(typing::units(settings.theme) as i32);
        let page = typing::page(shown, settings.theme);
        screen.set_has_previous(page.has_previous);
        screen.set_has_next(page.has_next);
        screen.set_expanded(shown.expanded);
        self.candidates.show(page.candidates);
        screen.set_page(shown.page as i32);
        screen.set_step(picker::step(&shown.picker));
        let radical = shown.picker.radical.as_ref().map(|radical| SharedString::from(*radical.expose()));
        screen.set_radical(radical.unwrap_or_default());
        let picking = shown.way == TypingWay::RareCharacters;
        let cells = if picking { picker::cells(&shown.picker) } else { Vec::new() };
        self.cells.show(cells.iter().map(picker::words).collect());
        if let Some(picture) = self.ink.borrow_mut().show(&shown.ink) {
            screen.set_ink(picture);
        }
    }

    /// Takes what was typed and drawn out of the window.
    pub(super) fn forget(&self, window: &KioskWindow) {
        let screen = window.global::<ui::TypingScreen>();
        screen.set_typed(SharedString::default());
        screen.set_radical(SharedString::default());
        screen.set_ink(Image::default());
        self.candidates.show(Vec::new());
        self.cells.show(Vec::new());
        self.ink.borrow_mut().forget();
    }
}

fn says(inbox: &Inbox, touch: TypingTouch) -> impl Fn() + use<> {
    let inbox = inbox.clone();
    move || inbox.citizen(Citizen::Typing(touch.clone()))
}

fn keys(window: &KioskWindow, inbox: &Inbox) {
    let screen = window.global::<ui::TypingScreen>();
    let to = inbox.clone();
    screen.on_way_tapped(move |way| {
        to.citizen(Citizen::Typing(TypingTouch::WayChosen(typing::way_of(way))));
    });
    let to = inbox.clone();
    screen.on_mark_tapped(move |key| {
        if let Some(key) = key.chars().next() {
            to.citizen(Citizen::Typing(TypingTouch::Marked(Mark::Key(key))));
        }
    });
    let to = inbox.clone();
    screen.on_candidate_tapped(move |at| {
        if let Ok(at) = usize::try_from(at) {
            to.citizen(Citizen::Typing(TypingTouch::CandidateChosen(at)));
        }
    });
    screen.on_clear_tapped(says(inbox, TypingTouch::CompositionCleared));
}

fn pages(window: &KioskWindow, inbox: &Inbox) {
    let screen = window.global::<ui::TypingScreen>();
    screen.on_next_tapped(says(inbox, TypingTouch::NextPage));
    screen.on_previous_tapped(says(inbox, TypingTouch::PreviousPage));
    screen.on_expand_tapped(says(inbox, TypingTouch::Expanded));
    screen.on_picker_back_tapped(says(inbox, TypingTouch::PickedBack));
    let to = inbox.clone();
    screen.on_cell_tapped(move |at| {
        if let Ok(at) = usize::try_from(at) {
            to.put(Message::PickerTapped(at));
        }
    });
}

/// The line follows the finger here, without waiting for the session; the session gets the whole stroke.
fn pen(window: &KioskWindow, inbox: &Inbox, ink: &Rc<RefCell<Ink>>) {
    let screen = window.global::<ui::TypingScreen>();
    let (weak, drawn) = (window.as_weak(), ink.clone());
    screen.on_pen_down(move |x, y, side_px| {
        let picture = drawn.borrow_mut().down((x, y), side_px);
        show_ink(&weak, picture);
    });
    let (weak, drawn) = (window.as_weak(), ink.clone());
    screen.on_pen_moved(move |x, y| {
        let picture = drawn.borrow_mut().moved(x, y);
        show_ink(&weak, picture);
    });
    let (to, drawn) = (inbox.clone(), ink.clone());
    screen.on_pen_up(move || {
        if let Some(stroke) = drawn.borrow_mut().up() {
            to.citizen(Citizen::Typing(TypingTouch::Marked(Mark::Stroke(stroke))));
        }
    });
    let (to, drawn) = (inbox.clone(), ink.clone());
    screen.on_pen_cancelled(move || {
        drawn.borrow_mut().cancel();
        to.citizen(Citizen::Touched);
    });
}

fn show_ink(window: &Weak<KioskWindow>, picture: Option<Image>) {
    if let Some((window, picture)) = window.upgrade().zip(picture) {
        window.global::<ui::TypingScreen>().set_ink(picture);
    }
}
