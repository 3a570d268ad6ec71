//! What the monkey does next.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use simulator::client::{Device, Element, Elements, NetworkMode};

/// Words that end or turn back a visit; drawn rarely, or no visit would get anywhere.
const TURNS_BACK: [&str; 6] = ["结束", "結束", "End", "上一步", "Back", "不同意"];
/// How many times rarer.
const RARER: u32 = 12;

/// Words that lead on, in all languages: whoever wants something done looks for them.
const LEADS_ON: [&str; 28] = [
    "开始办理",
    "開始辦理",
    "Start",
    "同意",
    "I agree",
    "是我",
    "Yes",
    "下一题",
    "下一題",
    "Next",
    "跳过这一题",
    "略過這一題",
    "Skip",
    "拍照",
    "用这张",
    "用這張",
    "Take photo",
    "Use this one",
    "确认提交",
    "確認提交",
    "Submit",
    "好了，继续",
    "好了，繼續",
    "Continue",
    "先登记",
    "打印带走",
    "列印帶走",
    "Print to take along",
];

/// What is typed where a telephone number, an address or a sentence is asked for.
const ANSWERS: [&str; 3] = ["13800000000", "18", "a b"];

/// How the monkey behaves until it goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It touches whatever there is.
    Playful,
    /// It wants something done, and mostly knows how: it reaches the check page, the receipt, the rating.
    Eager,
}

impl Mood {
    /// One stay in two is eager.
    pub fn draw(random: &mut StdRng) -> Mood {
        if random.random_bool(0.5) { Mood::Eager } else { Mood::Playful }
    }
}

/// What a finger may type on a keyboard: digits, letters, Chinese, nothing that is a character, far too much.
const TEXTS: [&str; 9] =
    ["1", "13800000000", "99000119710412002X", "X", "路灯坏了", "䶮", "\u{8}", "\n", "a b,c;'\"\\"];

/// One thing to do.
pub enum Act {
    /// A finger from where it comes down to where it leaves, in pixels.
    Touch((f32, f32), (f32, f32)),
    /// Keys of a real keyboard.
    Type(String),
    /// A device and what changes about it.
    Device(String, Value),
    /// The network's mood.
    Network(NetworkMode),
}

/// The next act, given what is on the screen and what devices there are.
pub fn act(random: &mut StdRng, mood: Mood, shown: &Elements, devices: &[Device]) -> Act {
    if mood == Mood::Eager && random.random_bool(0.8) {
        return eager(random, shown, devices);
    }
    let identifying = shown.screen == "identify";
    match random.random_range(0..100) {
        // Whoever is asked for a card looks for one.
        0..40 if identifying => card(random, devices),
        0..5 => Act::Type((*TEXTS.choose(random).unwrap_or(&"1")).to_owned()),
        5..7 => Act::Type("9".repeat(random.random_range(1..300))),
        7..13 => device(random, devices),
        13 => Act::Network(*NetworkMode::ALL.choose(random).unwrap_or(&NetworkMode::On)),
        14..25 => tap(anywhere(random)),
        25..28 => Act::Touch(anywhere(random), anywhere(random)),
        _ => touch(random, shown),
    }
}

/// The next step of somebody who wants it done: a card, an answer, then on.
fn eager(random: &mut StdRng, shown: &Elements, devices: &[Device]) -> Act {
    match (shown.screen.as_str(), random.random_range(0..100)) {
        ("identify", 0..60) => card(random, devices),
        ("question", 0..30) => Act::Type((*ANSWERS.choose(random).unwrap_or(&"1")).to_owned()),
        (_, 0..85) => {
            let leads_on = |each: &&Element| LEADS_ON.contains(&each.label.as_str()) && each.enabled;
            // Where an answer is missing, the way on says so: then something else is touched.
            match shown.elements.iter().filter(leads_on).collect::<Vec<_>>().choose(random) {
                Some(way_on) if random.random_bool(0.6) => within(random, way_on),
                _ => touch(random, shown),
            }
        }
        _ => touch(random, shown),
    }
}

/// A finger on something that takes touches.
fn touch(random: &mut StdRng, shown: &Elements) -> Act {
    let takes = |role: &str| !matches!(role, "" | "text" | "image" | "none");
    let buttons: Vec<_> = shown.elements.iter().filter(|each| each.enabled && takes(&each.role)).collect();
    let weight = |label: &str| if TURNS_BACK.contains(&label) { 1 } else { RARER };
    match buttons.choose_weighted(random, |each| weight(&each.label)) {
        Ok(button) => within(random, button),
        Err(_) => tap(anywhere(random)),
    }
}

/// Not always in its middle.
fn within(random: &mut StdRng, button: &Element) -> Act {
    let (right, down) = (random.random_range(0.05..0.95), random.random_range(0.05..0.95));
    tap((button.x + button.w * right, button.y + button.h * down))
}

fn tap(place: (f32, f32)) -> Act {
    Act::Touch(place, place)
}

/// On the reference panel, upright.
fn anywhere(random: &mut StdRng) -> (f32, f32) {
    (random.random_range(0.0..1080.0), random.random_range(0.0..1920.0))
}

fn card(random: &mut StdRng, devices: &[Device]) -> Act {
    let control = if random.random_bool(0.6) { "card" } else { "inserted" };
    let with = devices.iter().find_map(|device| Some((device, choice(device, control)?)));
    let Some((device, cards)) = with else { return Act::Type("1".into()) };
    let card = if random.random_bool(0.8) { cards.choose(random).cloned() } else { None };
    Act::Device(device.name.clone(), json!({ control: card.unwrap_or(Value::Null) }))
}

/// Any device: a plug, a fault, or one of its own controls.
fn device(random: &mut StdRng, devices: &[Device]) -> Act {
    let Some(device) = devices.choose(random) else { return Act::Type("1".into()) };
    let change = match random.random_range(0..6) {
        0 => json!({ "plugged": random.random_bool(0.5) }),
        1 => fault(random, device).map_or(json!({ "fault": null }), |fault| json!({ "fault": fault })),
        2 => json!({ "plugged": true, "fault": null }),
        _ => control(random, device),
    };
    Act::Device(device.name.clone(), change)
}

fn fault(random: &mut StdRng, device: &Device) -> Option<Value> {
    let fault = device.more.get("faults")?.as_array()?.choose(random)?;
    Some(fault["name"].clone())
}

fn control(random: &mut StdRng, device: &Device) -> Value {
    let controls = device.more.get("controls").and_then(Value::as_array);
    let Some(control) = controls.and_then(|controls| controls.choose(random)) else { return json!({}) };
    let name = control["name"].as_str().unwrap_or_default();
    let value = match control["kind"].as_str() {
        Some("switch") if name == "paced" => json!(false),
        Some("switch") => json!(random.random_bool(0.5)),
        Some("press") => json!(true),
        Some("text") => json!(TEXTS.choose(random)),
        _ => {
            let choices = control["choices"].as_array().cloned().unwrap_or_default();
            // A webcam needs a visitor.
            let choices: Vec<_> =
                choices.into_iter().filter(|choice| *choice != "webcam" && *choice != "own").collect();
            choices.choose(random).cloned().unwrap_or(Value::Null)
        }
    };
    json!({ name: value })
}

/// The values of a device's controls when nobody has touched them.
pub fn usual(device: &Device) -> impl Iterator<Item = (String, Value)> {
    let now = device.now.as_object().cloned().unwrap_or_default();
    now.into_iter().filter(|(name, _)| !matches!(name.as_str(), "plugged" | "fault"))
}

fn choice(device: &Device, name: &str) -> Option<Vec<Value>> {
    let controls = device.more.get("controls")?.as_array()?;
    let control = controls.iter().find(|control| control["name"] == name)?;
    control["choices"].as_array().cloned()
}
