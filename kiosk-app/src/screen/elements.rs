//! What is on the screen, as a screen reader would be told: role, label, state and place of every
//! accessible element. Tests find what to touch by it, so an unlabelled control cannot be tested.

use i_slint_core::accessibility::{AccessibleStringProperty, accessible_descendents};
use i_slint_core::item_tree::ItemRc;
use i_slint_core::items::AccessibleRole;
use i_slint_core::window::WindowInner;
use kiosk_core::private::Private;
use serde::Serialize;

#[derive(Serialize)]
struct Elements {
    screen: &'static str,
    elements: Vec<Element>,
}

#[derive(Serialize)]
struct Element {
    role: String,
    label: String,
    value: String,
    enabled: bool,
    checked: bool,
    x: f32,
    y: f32,
    w: f32,
    h: f32,
}

/// Describes the window as JSON, in reading order; `screen` is the name of the page shown.
pub fn describe(window: &slint::Window, screen: &'static str) -> String {
    let mut found = Elements { screen, elements: Vec::new() };
    if let Some(component) = WindowInner::from_pub(window).try_component() {
        collect(&ItemRc::new_root(component), &mut found);
    }
    serde_json::to_string(&found).unwrap_or_else(|_| "{}".to_owned())
}

/// What lies at one place of the window.
#[derive(Debug, Clone, PartialEq)]
pub struct Spot {
    /// A text by itself, or a group of them: nothing that can be pressed or filled in.
    pub is_plain: bool,
    label: Private<String>,
    value: Private<String>,
}

impl Spot {
    /// What a screen reader would say of it.
    pub fn text(&self) -> String {
        match (self.label.expose().as_str(), self.value.expose().as_str()) {
            (label, "") => label.to_owned(),
            ("", value) => value.to_owned(),
            (label, value) => format!("{label}，{value}"),
        }
    }

    /// Something stands in it, as in a field.
    pub fn has_value(&self) -> bool {
        !self.value.expose().is_empty()
    }
}

/// The smallest element with a text at this place, in logical pixels. When something named `over` lies over the page, only
/// what belongs to it counts.
pub fn at(window: &slint::Window, (x, y): (f32, f32), over: &str) -> Option<Spot> {
    let mut found = Elements { screen: "", elements: Vec::new() };
    if let Some(component) = WindowInner::from_pub(window).try_component() {
        collect(&ItemRc::new_root(component), &mut found);
    }
    let elements = match over {
        "" => &found.elements[..],
        over => {
            let first = found.elements.iter().position(|e| e.role == GROUP && e.label == over)?;
            &found.elements[first..]
        }
    };
    let is_there = |e: &&Element| x >= e.x && x < e.x + e.w && y >= e.y && y < e.y + e.h;
    let has_text = |e: &&Element| !(e.label.is_empty() && e.value.is_empty());
    let smallest = elements.iter().filter(is_there).filter(has_text).min_by(|a, b| {
        let area = |e: &Element| e.w * e.h;
        area(a).total_cmp(&area(b))
    });
    smallest.map(Element::spot)
}

/// Every element with a text, as [`at`] would find it.
pub fn spots(window: &slint::Window) -> Vec<Spot> {
    let mut found = Elements { screen: "", elements: Vec::new() };
    if let Some(component) = WindowInner::from_pub(window).try_component() {
        collect(&ItemRc::new_root(component), &mut found);
    }
    found.elements.iter().map(Element::spot).filter(|spot| !spot.text().is_empty()).collect()
}

/// What Slint calls a box around several elements.
const GROUP: &str = "groupbox";

impl Element {
    fn spot(&self) -> Spot {
        Spot {
            is_plain: self.role == "text" || self.role == GROUP,
            label: Private::from(self.label.as_str()),
            value: Private::from(self.value.as_str()),
        }
    }
}

fn collect(parent: &ItemRc, found: &mut Elements) {
    for item in accessible_descendents(parent) {
        // A caption without a role is told by the element around it.
        if item.is_visible() && item.accessible_role() != AccessibleRole::None {
            found.elements.push(element_of(&item));
        }
        collect(&item, found);
    }
}

fn element_of(item: &ItemRc) -> Element {
    let text = |what| item.accessible_string_property(what).map(String::from);
    let flag = |what, otherwise| text(what).map_or(otherwise, |value| value == "true");
    let geometry = item.geometry();
    let origin = item.map_to_window(geometry.origin);
    Element {
        role: item.accessible_role().to_string(),
        label: text(AccessibleStringProperty::Label).unwrap_or_default(),
        value: text(AccessibleStringProperty::Value).unwrap_or_default(),
        enabled: flag(AccessibleStringProperty::Enabled, true),
        checked: flag(AccessibleStringProperty::Checked, false),
        x: origin.x,
        y: origin.y,
        w: geometry.width(),
        h: geometry.height(),
    }
}
