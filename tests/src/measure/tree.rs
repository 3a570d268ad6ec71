//! Words and controls of the window as it stands, with their places in pixels, in the order in which they are painted.

use i_slint_core::accessibility::{AccessibilityAction, AccessibleStringProperty};
use i_slint_core::item_tree::{ItemRc, ensure_item_tree_instantiated};
use i_slint_core::items::{
    AccessibleRole, ComplexText, Flickable, Orientation, SimpleText, SwipeGestureHandler, TextOverflow,
    TextWrap, TouchArea,
};
use i_slint_core::lengths::LogicalRect;
use i_slint_core::window::{WindowAdapter, WindowInner};
use slint::{Color, ComponentHandle};
use std::rc::Rc;

/// A rectangle in the window, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Area {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// Width.
    pub w: f32,
    /// Height.
    pub h: f32,
}

impl Area {
    /// What lies in both.
    pub fn within(self, other: Area) -> Area {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let right = (self.x + self.w).min(other.x + other.w);
        let bottom = (self.y + self.h).min(other.y + other.h);
        Area { x, y, w: (right - x).max(0.0), h: (bottom - y).max(0.0) }
    }

    /// Without so much at the left and right, and at the top and bottom.
    pub fn shrunk(self, sides: f32, ends: f32) -> Area {
        let (w, h) = ((self.w - 2.0 * sides).max(0.0), (self.h - 2.0 * ends).max(0.0));
        Area { x: self.x + (self.w - w) / 2.0, y: self.y + (self.h - h) / 2.0, w, h }
    }

    /// Nothing is in it.
    pub fn is_empty(self) -> bool {
        self.w <= 0.0 || self.h <= 0.0
    }

    fn holds_middle_of(self, other: Area) -> bool {
        let (x, y) = (other.x + other.w / 2.0, other.y + other.h / 2.0);
        (self.x..self.x + self.w).contains(&x) && (self.y..self.y + self.h).contains(&y)
    }
}

/// A text.
#[derive(Clone, Debug)]
pub struct Text {
    /// What it says.
    pub words: String,
    /// Its type size in pixels.
    pub size: f32,
    /// The colour it is to be drawn in.
    pub rgb: [u8; 3],
    /// The width it needs: in one line, or, where it wraps between words, that of its longest word.
    pub width_needed: f32,
    /// The height it needs at its width.
    pub height_needed: f32,
    /// It stands in a field, which shows the end of what is longer than it.
    pub in_field: bool,
}

/// What an element is.
#[derive(Clone, Debug)]
pub enum What {
    /// Words.
    Text(Text),
    /// Something to touch; `label` is its name, `id` what tests of the look know it by.
    Control {
        /// What a screen reader says.
        label: String,
        /// For what is the same in every language.
        id: String,
        /// Whether it can be touched now.
        enabled: bool,
    },
    /// Something that wants to be dragged or swiped.
    Gesture,
}

/// One element.
#[derive(Clone, Debug)]
pub struct Element {
    /// What it is.
    pub what: What,
    /// Where it is.
    pub area: Area,
    /// What of it can be seen.
    pub seen: Area,
    /// What all things around it leave it.
    pub room: Area,
    /// The control that it belongs to, by its place in the list.
    pub of: Option<usize>,
    /// Something lies over it and takes the touches.
    pub covered: bool,
}

impl Element {
    /// The name or the words, for messages.
    pub fn name(&self) -> &str {
        match &self.what {
            What::Text(text) => &text.words,
            What::Control { label, .. } => label,
            What::Gesture => "a gesture",
        }
    }
}

/// Everything in the window.
pub struct Tree {
    /// The elements, what is painted first first.
    pub elements: Vec<Element>,
    /// The window.
    pub window: Area,
    /// From this place on the elements lie on something that covers the page.
    pub veil: Option<usize>,
    controls: Vec<(usize, ItemRc)>,
}

impl Tree {
    /// Reads the window.
    pub fn read(component: &impl ComponentHandle) -> Tree {
        let window = component.window();
        let size = window.size();
        let area = Area { x: 0.0, y: 0.0, w: size.width as f32, h: size.height as f32 };
        let inner = WindowInner::from_pub(window);
        let mut reader = Reader {
            adapter: inner.window_adapter(),
            elements: Vec::new(),
            controls: Vec::new(),
            veil: None,
        };
        if let Some(tree) = inner.try_component() {
            // What is made may make more: a page too many makes its buttons.
            let mut rounds = 0..8;
            while ensure_item_tree_instantiated(&tree) && rounds.next().is_some() {}
            let around = Around { seen: area, room: area, of: None, in_field: false, canvas: false };
            reader.walk(&ItemRc::new_root(tree), around);
        }
        Tree { elements: reader.elements, window: area, veil: reader.veil, controls: reader.controls }
    }

    /// A window that is made up.
    #[cfg(test)]
    pub(super) fn of(elements: Vec<Element>, window: Area) -> Tree {
        Tree { elements, window, veil: None, controls: Vec::new() }
    }

    /// Presses the enabled control of that id, as a screen reader would. False if there is none.
    pub fn press(&self, id: &str) -> bool {
        let wanted = self.controls.iter().find(|(at, _)| match &self.elements[*at] {
            Element { what: What::Control { id: own, enabled: true, .. }, covered: false, .. } => own == id,
            _ => false,
        });
        if let Some((_, item)) = wanted {
            item.accessible_action(&AccessibilityAction::Default);
        }
        wanted.is_some()
    }
}

/// What the things around an element leave it.
#[derive(Clone, Copy)]
struct Around {
    seen: Area,
    room: Area,
    of: Option<usize>,
    in_field: bool,
    /// They are drawn on: a picture with a name.
    canvas: bool,
}

struct Reader {
    adapter: Rc<dyn WindowAdapter>,
    elements: Vec<Element>,
    controls: Vec<(usize, ItemRc)>,
    veil: Option<usize>,
}

impl Reader {
    fn walk(&mut self, item: &ItemRc, mut around: Around) {
        let area = self.place(item);
        if is_control(item) {
            around.of = Some(self.elements.len());
            self.controls.push((self.elements.len(), item.clone()));
            self.push(control(item), area, Around { of: None, ..around });
        }
        around.in_field |= item.accessible_role() == AccessibleRole::TextInput;
        around.canvas |= item.accessible_role() == AccessibleRole::Image && !label_of(item).is_empty();
        if let Some(text) = self.text(item, around.in_field).filter(|text| !text.words.trim().is_empty()) {
            self.push(What::Text(text), area, around);
        }
        if let Some(touch) = item.downcast::<TouchArea>() {
            self.touch_area(item, area, around, touch.as_pin_ref().enabled());
        }
        if item.downcast::<Flickable>().is_some() || item.downcast::<SwipeGestureHandler>().is_some() {
            self.push(What::Gesture, area, around);
        }
        if item.borrow().as_ref().clips_children() {
            around.seen = around.seen.within(area);
            around.room = Area { x: f32::MIN / 4.0, y: f32::MIN / 4.0, w: f32::MAX / 2.0, h: f32::MAX / 2.0 };
        } else if !area.is_empty() {
            around.room = around.room.within(area);
        }
        let mut child = item.first_child();
        while let Some(item) = child {
            self.walk(&item, around);
            child = item.next_sibling();
        }
    }

    fn push(&mut self, what: What, area: Area, around: Around) {
        let Around { seen, room, of, .. } = around;
        self.elements.push(Element { what, area, seen: area.within(seen), room, of, covered: false });
    }

    /// A touch area of a control is the control's, and that of something to draw on has its name. One without holds touches back from what is under it, or only
    /// watches what is in it; any other has no name.
    fn touch_area(&mut self, item: &ItemRc, area: Area, around: Around, enabled: bool) {
        if around.of.is_some() || around.canvas || item.first_child().is_some() {
            return;
        }
        let window = self.adapter.window().size();
        if area.w * area.h < 0.4 * (window.width * window.height) as f32 {
            let (label, id) = (String::new(), String::new());
            self.push(What::Control { label, id, enabled }, area, around);
            return;
        }
        self.veil = Some(self.elements.len());
        for below in &mut self.elements {
            below.covered |= area.holds_middle_of(below.area);
        }
    }

    fn place(&self, item: &ItemRc) -> Area {
        let LogicalRect { origin, size, .. } = item.geometry();
        let at = item.map_to_window(origin);
        Area { x: at.x, y: at.y, w: size.width, h: size.height }
    }

    fn text(&self, item: &ItemRc, in_field: bool) -> Option<Text> {
        let made = |words: String, size: f32, color: Color, wraps: bool| {
            let needs = |orientation, across| {
                item.borrow().as_ref().layout_info(orientation, across, &self.adapter, item)
            };
            let across = needs(Orientation::Horizontal, -1.0);
            Text {
                words,
                size,
                rgb: [color.red(), color.green(), color.blue()],
                width_needed: if wraps { across.min } else { across.preferred },
                height_needed: needs(Orientation::Vertical, item.geometry().width()).preferred,
                in_field,
            }
        };
        if let Some(text) = item.downcast::<ComplexText>() {
            let text = text.as_pin_ref();
            let wraps = text.wrap() != TextWrap::NoWrap && text.overflow() == TextOverflow::Clip;
            let words = text.text().to_string();
            return Some(made(words, text.font_size().get(), text.color().color(), wraps));
        }
        let text = item.downcast::<SimpleText>()?;
        let text = text.as_pin_ref();
        Some(made(text.text().to_string(), text.font_size().get(), text.color().color(), false))
    }
}

fn is_control(item: &ItemRc) -> bool {
    let touched = [AccessibleRole::Button, AccessibleRole::RadioButton, AccessibleRole::Checkbox];
    touched.contains(&item.accessible_role())
}

fn label_of(item: &ItemRc) -> String {
    item.accessible_string_property(AccessibleStringProperty::Label).map(String::from).unwrap_or_default()
}

fn control(item: &ItemRc) -> What {
    let text = |what| item.accessible_string_property(what).map(String::from);
    What::Control {
        label: label_of(item),
        id: text(AccessibleStringProperty::Id).unwrap_or_default(),
        enabled: text(AccessibleStringProperty::Enabled).is_none_or(|enabled| enabled == "true"),
    }
}
