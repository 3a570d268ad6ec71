//! `/api/print-outs/ID.pdf`, the A4 printer's print-out as it arrived, and `ID-PAGE.png`, a page of it that has come out.
//! Which there are, the device itself tells.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{ApiError, Shared};
use crate::stage::Stage;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Pdf(i32),
    Page(i32, u32),
}

/// The file of this name.
pub async fn file(State(stage): Shared, Path(name): Path<String>) -> Result<Response, ApiError> {
    let nothing = || {
        let sentence = format!("no print-out in the tray is called {name:?}; ID.pdf and ID-PAGE.png are");
        ApiError::new(StatusCode::NOT_FOUND, sentence)
    };
    let wanted = parse(&name).ok_or_else(nothing)?;
    let stage = Arc::clone(&stage);
    // A page is drawn when it is first asked for.
    let found = tokio::task::spawn_blocking(move || read(&stage, wanted)).await;
    let found = found.map_err(|error| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, error))?;
    let (kind, bytes) = found.ok_or_else(nothing)?;
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], bytes).into_response())
}

fn read(stage: &Stage, wanted: Wanted) -> Option<(&'static str, Vec<u8>)> {
    match wanted {
        Wanted::Pdf(id) => stage.desk.print_out_pdf(id).map(|pdf| ("application/pdf", pdf)),
        Wanted::Page(id, page) => stage.desk.print_out_png(id, page).map(|png| ("image/png", png.to_vec())),
    }
}

fn parse(name: &str) -> Option<Wanted> {
    if let Some(id) = name.strip_suffix(".pdf") {
        return id.parse().ok().map(Wanted::Pdf);
    }
    let (id, page) = name.strip_suffix(".png")?.split_once('-')?;
    Some(Wanted::Page(id.parse().ok()?, page.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_called_by_print_out_and_page() {
        assert_eq!(parse("7.pdf"), Some(Wanted::Pdf(7)));
        assert_eq!(parse("7-2.png"), Some(Wanted::Page(7, 2)));
        for name in ["7", "7.png", "7-2.pdf.png", "x.pdf", "7-x.png", "../7.pdf"] {
            assert_eq!(parse(name), None, "{name}");
        }
    }
}
