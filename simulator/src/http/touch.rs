//! `POST /api/touch`: by place, or by the accessible label that a screen reader would say.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{Answer, ApiError, Shared, body};
use crate::screen::{Element, Elements, TouchPhase};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Touch {
    label: Option<String>,
    x: Option<f32>,
    y: Option<f32>,
    /// One step only, at a place; without it the finger comes down and leaves.
    phase: Option<TouchPhase>,
}

/// Touches, and says what was touched where.
pub async fn touch(State(stage): Shared, bytes: Bytes) -> Answer {
    let touch: Touch = body(&bytes)?;
    match touch {
        Touch { label: Some(label), x: None, y: None, phase: None } => {
            let elements = stage.screen.elements().await?;
            let status = stage.screen.status();
            let (x, y) = place(&elements, &label, status.width as f32, status.height as f32)?;
            stage.screen.tap(x, y).await?;
            Ok(Json(json!({ "ok": true, "screen": elements.screen, "x": x, "y": y })))
        }
        Touch { label: None, x: Some(x), y: Some(y), phase } => {
            match phase {
                None => stage.screen.tap(x, y).await?,
                Some(phase) => stage.screen.touch(phase, x, y)?,
            }
            Ok(Json(json!({ "ok": true, "x": x, "y": y })))
        }
        _ => {
            let sentence = "a touch needs either a label, or x and y (with an optional phase)";
            Err(ApiError::new(StatusCode::BAD_REQUEST, sentence))
        }
    }
}

/// The centre of the element with exactly this label.
fn place(elements: &Elements, label: &str, width: f32, height: f32) -> Result<(f32, f32), ApiError> {
    let named = || elements.elements.iter().filter(|element| element.label == label);
    let enabled = || named().filter(|element| element.enabled && element.w > 0.0 && element.h > 0.0);
    // A heading may read the same as the button below it, and a button's own text is an element too.
    let found = enabled().find(|element| is_control(element)).or_else(|| enabled().next());
    let Some(element) = found else {
        let there = if named().next().is_some() { "is there but cannot be touched" } else { "is not there" };
        let sentence = format!("{label:?} {there} on the screen {:?}", elements.screen);
        let labels: Vec<&str> = elements
            .elements
            .iter()
            .filter(|element| can_be_touched(element))
            .map(|e| e.label.as_str())
            .collect();
        return Err(ApiError::new(StatusCode::NOT_FOUND, sentence)
            .with("screen", json!(elements.screen))
            .with("labels", json!(labels)));
    };
    let (x, y) = (element.x + element.w / 2.0, element.y + element.h / 2.0);
    if x < 0.0 || y < 0.0 || x >= width || y >= height {
        let sentence = format!("{label:?} lies outside the visible part of the screen {:?}", elements.screen);
        return Err(ApiError::new(StatusCode::NOT_FOUND, sentence).with("screen", json!(elements.screen)));
    }
    Ok((x, y))
}

fn can_be_touched(element: &Element) -> bool {
    element.enabled && !element.label.is_empty() && is_control(element)
}

fn is_control(element: &Element) -> bool {
    !matches!(element.role.as_str(), "text" | "none" | "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn screen() -> Elements {
        let element = |role: &str, label: &str, enabled: bool, y: f32| {
            json!({"role": role, "label": label, "value": "", "enabled": enabled, "checked": false,
                   "x": 10.0, "y": y, "w": 20.0, "h": 40.0})
        };
        serde_json::from_value(json!({"screen": "home", "elements": [
            element("text", "确认", true, 0.0),
            element("button", "确认", true, 100.0),
            element("button", "上一步", false, 200.0),
            element("button", "远处", true, 5000.0),
        ]}))
        .unwrap()
    }

    #[test]
    fn a_button_is_preferred_to_a_text_with_the_same_words() {
        assert_eq!(place(&screen(), "确认", 1080.0, 1920.0).unwrap(), (20.0, 120.0));
    }

    #[test]
    fn what_cannot_be_touched_is_said_with_what_can() {
        for label in ["上一步", "没有"] {
            let refusal = place(&screen(), label, 1080.0, 1920.0).unwrap_err();
            assert_eq!(refusal.status, StatusCode::NOT_FOUND);
            assert_eq!(refusal.body["labels"], json!(["确认", "远处"]));
        }
        assert!(place(&screen(), "远处", 1080.0, 1920.0).is_err());
    }
}
