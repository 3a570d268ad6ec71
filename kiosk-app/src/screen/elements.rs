//! What is on the screen, as a screen reader would be told: role, label, state and place of every
//! accessible element. Tests find what to touch by it, so an unlabelled control cannot be tested.

use i_slint_core::accessibility::{AccessibleStringProperty, accessible_descendents};
use i_slint_core::item_tree::ItemRc;
use i_slint_core::items::AccessibleRole;
use i_slint_core::window::WindowInner;
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
