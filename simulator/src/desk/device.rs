//! The one shape of all devices: what can be read of one, and what can be done to it.
//!
//! ```json
//! { "name": "receipt-printer",
//!   "now": { "plugged": true, "fault": null, "paper": true, … },
//!   "shows": { "printing": false },
//!   "controls": [ { "name": "paper", "kind": "switch" }, … ],
//!   "faults": [ { "name": "noise", "number": { "unit": "bytes", "least": 1, "most": 1000, "usual": 10 } }, … ] }
//! ```
//!
//! What stands under `now` can be given back, whole or in part.

use std::io;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::fault::{self, Fault, FaultKind, Scale};

/// A control of one device, besides its plug and its faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Control {
    /// Its name.
    pub name: &'static str,
    /// What can be done with it.
    #[serde(flatten)]
    pub kind: ControlKind,
}

/// What can be done with a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ControlKind {
    /// On or off.
    Switch,
    /// One of several.
    Choice {
        /// Their names.
        choices: &'static [&'static str],
        /// `null` is a choice, too.
        none: bool,
    },
    /// Something that happens once, by `true`.
    Press,
    /// Words that are given once.
    Text {
        /// At most so many bytes.
        most: usize,
    },
}

impl Control {
    /// A switch.
    pub(super) const fn switch(name: &'static str) -> Self {
        Self { name, kind: ControlKind::Switch }
    }
}

/// What a hand does to a control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Turn {
    Switch(bool),
    Choice(Option<&'static str>),
    Press,
    Text(String),
}

/// A device on the desk.
pub(super) trait DeskDevice: Send + Sync {
    fn name(&self) -> &'static str;
    fn is_plugged(&self) -> bool;
    fn plug(&self, plugged: bool) -> io::Result<()>;
    fn faults(&self) -> Vec<FaultKind>;
    /// What is wrong with it now.
    fn fault(&self) -> Option<Fault>;
    /// Breaks it in this one way, or repairs it.
    fn set_fault(&self, fault: Option<Fault>);
    fn controls(&self) -> &'static [Control];
    /// How switches and choices stand, by their names.
    fn settings(&self) -> Value;
    /// Turns one of the controls; the turn fits its kind.
    fn turn(&self, control: &'static str, turn: Turn) -> io::Result<()>;
    /// What can only be looked at.
    fn shows(&self) -> Value;
}

/// A device as it is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeviceView {
    name: &'static str,
    now: Value,
    shows: Value,
    controls: &'static [Control],
    faults: Vec<FaultKind>,
}

impl DeviceView {
    pub(super) fn of(device: &dyn DeskDevice) -> Self {
        let mut now = device.settings();
        now["plugged"] = device.is_plugged().into();
        now["fault"] = json!(device.fault());
        let (controls, faults) = (device.controls(), device.faults());
        Self { name: device.name(), now, shows: device.shows(), controls, faults }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What can be changed, as it is.
    pub fn now(&self) -> &Value {
        &self.now
    }

    /// What can only be looked at.
    pub fn shows(&self) -> &Value {
        &self.shows
    }
}

/// Why nothing was done. The sentence lists what is known.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// No such device.
    #[error("no device is called {name:?}; there are: {known}")]
    NoSuchDevice {
        /// What was asked for.
        name: String,
        /// All names.
        known: String,
    },
    /// Something else than `{ … }`.
    #[error("what to do with the {0} is an object, such as {{\"plugged\": false}}")]
    NotAnObject(&'static str),
    /// No such control.
    #[error("the {device} has no {name:?}; it has: {known}")]
    NoSuchControl {
        /// The device.
        device: &'static str,
        /// What was asked for.
        name: String,
        /// All names.
        known: String,
    },
    /// A value that does not fit its control.
    #[error("{control:?} of the {device} is {wanted}")]
    WrongValue {
        /// The device.
        device: &'static str,
        /// The control.
        control: &'static str,
        /// What fits.
        wanted: String,
    },
    /// No such fault.
    #[error("the {device} knows no fault {name:?}; it knows: {known}")]
    NoSuchFault {
        /// The device.
        device: &'static str,
        /// What was asked for.
        name: String,
        /// All faults.
        known: String,
    },
    /// A number for a fault without one.
    #[error("the fault {fault:?} of the {device} takes no number")]
    NoNumber {
        /// The device.
        device: &'static str,
        /// The fault.
        fault: &'static str,
    },
    /// A number that makes no sense.
    #[error("the fault {fault:?} of the {device} takes a whole number, {}", scale.words())]
    NumberOutOfRange {
        /// The device.
        device: &'static str,
        /// The fault.
        fault: &'static str,
        /// What fits.
        scale: Scale,
    },
    /// What a visitor brought cannot be used.
    #[error("this is no picture for the {device}: {error}")]
    NoPicture {
        /// The device.
        device: &'static str,
        /// Why.
        error: io::Error,
    },
    /// The simulator itself failed.
    #[error("the {device} cannot do that: {error}")]
    Failed {
        /// The device.
        device: &'static str,
        /// Why.
        error: io::Error,
    },
}

/// What is wanted of a device, understood as a whole before anything is done.
#[derive(Debug)]
pub(super) struct Change {
    turns: Vec<(&'static str, Turn)>,
    fault: Option<Option<Fault>>,
    plugged: Option<bool>,
}

impl Change {
    pub(super) fn parse(device: &dyn DeskDevice, wanted: &Value) -> Result<Self, DeskError> {
        let name = device.name();
        let fields: &Map<String, Value> = wanted.as_object().ok_or(DeskError::NotAnObject(name))?;
        let mut change = Self { turns: Vec::new(), fault: None, plugged: None };
        for (key, value) in fields {
            match key.as_str() {
                "plugged" => change.plugged = Some(switch(name, "plugged", value)?),
                "fault" => change.fault = Some(fault::parse(name, &device.faults(), value)?),
                key => {
                    let control = device.controls().iter().find(|control| control.name == key);
                    let control = control.ok_or_else(|| no_such_control(device, key))?;
                    change.turns.push((control.name, control.understand(name, value)?));
                }
            }
        }
        Ok(change)
    }

    /// Settings first, then the fault, then the plug.
    pub(super) fn make(self, device: &dyn DeskDevice) -> Result<(), DeskError> {
        let failed = |error| DeskError::Failed { device: device.name(), error };
        for (control, turn) in self.turns {
            device.turn(control, turn).map_err(failed)?;
        }
        if let Some(fault) = self.fault {
            device.set_fault(fault);
        }
        match self.plugged {
            Some(plugged) if plugged != device.is_plugged() => device.plug(plugged).map_err(failed),
            _ => Ok(()),
        }
    }
}

impl Control {
    fn understand(&self, device: &'static str, value: &Value) -> Result<Turn, DeskError> {
        let control = self.name;
        let wrong = |wanted: String| DeskError::WrongValue { device, control, wanted };
        match self.kind {
            ControlKind::Switch => switch(device, control, value).map(Turn::Switch),
            ControlKind::Press if *value == json!(true) => Ok(Turn::Press),
            ControlKind::Press => Err(wrong("true: it happens once".to_owned())),
            ControlKind::Text { most } => {
                let text = value.as_str().filter(|text| (1..=most).contains(&text.len()));
                let text = text.ok_or_else(|| wrong(format!("a text of 1 to {most} bytes")))?;
                Ok(Turn::Text(text.to_owned()))
            }
            ControlKind::Choice { none: true, .. } if value.is_null() => Ok(Turn::Choice(None)),
            ControlKind::Choice { choices, none } => {
                let chosen = choices.iter().find(|choice| value == **choice);
                let or_null = if none { "null or " } else { "" };
                let chosen =
                    chosen.ok_or_else(|| wrong(format!("{or_null}one of {}", choices.join(", "))))?;
                Ok(Turn::Choice(Some(*chosen)))
            }
        }
    }
}

fn switch(device: &'static str, control: &'static str, value: &Value) -> Result<bool, DeskError> {
    let wanted = || DeskError::WrongValue { device, control, wanted: "true or false".to_owned() };
    value.as_bool().ok_or_else(wanted)
}

fn no_such_control(device: &dyn DeskDevice, name: &str) -> DeskError {
    let known: Vec<&str> = ["plugged", "fault"]
        .into_iter()
        .chain(device.controls().iter().map(|control| control.name))
        .collect();
    DeskError::NoSuchControl { device: device.name(), name: name.to_owned(), known: known.join(", ") }
}
