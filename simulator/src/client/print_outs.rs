//! The A4 printer's tray, for tests.

use std::time::Duration;

use anyhow::Context;
use serde::Deserialize;

use super::{Client, PATIENCE, PrintOutInfo};

const NAME: &str = "document-printer";

impl Client {
    /// What lies in the A4 printer's tray, oldest first, and what is coming out.
    pub async fn print_outs(&self) -> anyhow::Result<Vec<PrintOutInfo>> {
        let shows = self.device(NAME).await?.shows;
        Vec::deserialize(&shows["print_outs"]).context("another tray than agreed")
    }

    /// Waits until so many print-outs have come out whole, and gives them.
    pub async fn wait_print_outs(&self, count: usize) -> anyhow::Result<Vec<PrintOutInfo>> {
        self.wait_print_outs_within(count, PATIENCE).await
    }

    /// The same, so long at most.
    pub async fn wait_print_outs_within(
        &self,
        count: usize,
        patience: Duration,
    ) -> anyhow::Result<Vec<PrintOutInfo>> {
        let look = async || {
            let whole: Vec<_> = self.print_outs().await?.into_iter().filter(|out| out.complete).collect();
            Ok(Some(whole).filter(|whole| whole.len() >= count))
        };
        self.until(&format!("{count} whole print-outs in the tray"), patience, look).await
    }

    /// A print-out as the PDF that arrived.
    pub async fn print_out_pdf(&self, id: i32) -> anyhow::Result<Vec<u8>> {
        self.bytes(&format!("/api/print-outs/{id}.pdf")).await
    }

    /// A page of a print-out as PNG, from 1.
    pub async fn print_out_png(&self, id: i32, page: u32) -> anyhow::Result<Vec<u8>> {
        self.bytes(&format!("/api/print-outs/{id}-{page}.png")).await
    }
}
