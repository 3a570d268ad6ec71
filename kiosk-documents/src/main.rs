//! `render-document`: one document from standard input to standard output, then gone.
//!
//! Reads `{"receipt": {…}}` and writes the bitmap as PBM P4, or as PNG with `--png`, for people to look at; reads
//! `{"guide": {…}}` and writes a PDF. Says on its error output what went wrong, never what it was given.

use std::io::{self, Read, Write};

use anyhow::{Context, bail};
use kiosk_documents::{RenderRequest, render_guide, render_receipt};
use zeroize::Zeroizing;

/// Longest request read.
const MAX_REQUEST: u64 = 64 * 1024;

fn main() -> anyhow::Result<()> {
    let png = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--png") => true,
        Some(_) => bail!("usage: render-document [--png] < request.json > document"),
    };
    let mut request = Zeroizing::new(Vec::with_capacity(8 * 1024));
    io::stdin().take(MAX_REQUEST).read_to_end(&mut request).context("the request could not be read")?;
    // The parser's message may quote the request, so it is dropped.
    let Ok(request) = serde_json::from_slice(&request) else {
        bail!("the request is not one that this program knows");
    };
    let mut out = io::stdout().lock();
    let written = match request {
        RenderRequest::Receipt(receipt) => {
            let bitmap = render_receipt(&receipt)?;
            if png { bitmap.write_png(&mut out) } else { bitmap.write_pbm(&mut out) }
        }
        RenderRequest::Guide(guide) => out.write_all(&render_guide(&guide)?),
    };
    written.and_then(|()| out.flush()).context("the document could not be written")
}
