//! `render-document`: one document from standard input to standard output, then gone.
//!
//! Reads `{"receipt": {…}}` and writes its bitmap as PBM P4, or `{"receipt_in_lines": {"receipt": {…}, "grid": {…}}}` and
//! writes its parts as one line of JSON before the bitmap; with `--png` only the picture, for people to look at. The same
//! for `directions` and `directions_in_lines`. Reads
//! `{"guide": {…}}` or `{"certificate": {…}}` and writes a PDF.
//! With `--ahead picture` or `--ahead lines` it gets ready for a receipt before it reads one, and then waits for it.
//! Says on its error output what went wrong, never what it was given.

use std::io::{self, Read, Write};

use anyhow::{Context, bail};
use kiosk_documents::{CertificateRequest, Grid, GuideRequest, Layout, RenderRequest, Typesetter};
use serde::Deserialize;
use zeroize::Zeroizing;

/// Longest request read.
const MAX_REQUEST: u64 = 64 * 1024;
/// What is got ready does not depend on the printer's characters.
const ANY_GRID: Grid = Grid { columns: 48, cell_width: 12, cell_height: 24 };

#[derive(Deserialize)]
#[serde(untagged)]
enum Request {
    Receipt(RenderRequest),
    Guide(GuideRequest),
    Certificate(Box<CertificateRequest>),
}

enum Mode {
    Document,
    Png,
    Ahead(Layout),
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mode = match arguments[..] {
        [] => Mode::Document,
        ["--png"] => Mode::Png,
        ["--ahead", "picture"] => Mode::Ahead(Layout::Picture),
        ["--ahead", "lines"] => Mode::Ahead(Layout::Lines(ANY_GRID)),
        _ => bail!(
            "usage: render-document [--png | --ahead picture | --ahead lines] < request.json > document"
        ),
    };
    let typesetter = Typesetter::new()?;
    if let Mode::Ahead(layout) = mode {
        typesetter.get_ready(layout)?;
    }
    let mut request = Zeroizing::new(Vec::with_capacity(MAX_REQUEST as usize));
    io::stdin().take(MAX_REQUEST).read_to_end(&mut request).context("the request could not be read")?;
    if request.is_empty() && matches!(mode, Mode::Ahead(_)) {
        // Whoever was to ask has gone.
        return Ok(());
    }
    // The parser's message may quote the request, so it is dropped.
    let Ok(request) = serde_json::from_slice(&request) else {
        bail!("the request is not one that this program knows");
    };
    let mut out = io::stdout().lock();
    let written = match request {
        Request::Certificate(asked) => out.write_all(&typesetter.render_certificate(&asked.certificate)?),
        Request::Guide(GuideRequest { guide }) => out.write_all(&typesetter.render_guide(&guide)?),
        Request::Receipt(receipt) => {
            let rendering = typesetter.render(&receipt)?;
            match mode {
                Mode::Png => rendering.picture.write_png(&mut out),
                Mode::Document | Mode::Ahead(_) => rendering.write(&mut out),
            }
        }
    };
    written.and_then(|()| out.flush()).context("the document could not be written")
}
