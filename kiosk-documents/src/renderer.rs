//! Rendering in processes of their own, each for one document. One of them can be started ahead: it opens the fonts,
//! goes once through the template with nobody's content, and waits. It is used once like the others, and the next one is
//! started after it, so no process ever holds two residents' receipts, and none a resident's while it waits.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::process::{Process, Request};
use crate::{Directions, DocumentError, Layout, Receipt, RenderRequest, Rendering, rendering};

/// A receipt takes a fraction of a second; a machine that swaps may need several.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);
/// What is left of it to a process that was started ahead. If that has not answered by then, another shall have time to.
const AHEAD_DEADLINE: Duration = Duration::from_secs(3);
/// A process that has waited longer is replaced: the kernel may have put its memory aside, fonts may have been changed.
const WAIT_MAX: Duration = Duration::from_secs(3600);
/// One that ends by itself while it waits is not replaced faster than this.
const START_PAUSE: Duration = Duration::from_secs(30);
/// Room for a request, so that it does not grow and leave copies behind.
const USUAL_REQUEST: usize = 16 * 1024;

/// Runs `render-document` for one printer.
pub struct Renderer {
    program: PathBuf,
    layout: Layout,
    deadline: Duration,
    ahead: Option<Ahead>,
    /// No other process is started ahead before.
    not_before: Option<Instant>,
}

/// The process that waits.
struct Ahead {
    process: Process,
    since: Instant,
}

impl Renderer {
    /// A renderer that runs this program, for receipts in this form.
    pub fn new(program: PathBuf, layout: Layout) -> Renderer {
        Renderer { program, layout, deadline: DEADLINE, ahead: None, not_before: None }
    }

    /// The same with another deadline.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Renderer {
        Renderer { deadline, ..self }
    }

    /// Sees to it that a process waits for the next receipt. To be called now and then while there is nothing else to
    /// do; costs next to nothing when one is there.
    pub fn get_ready(&mut self) {
        if self.ahead.as_mut().is_some_and(Ahead::is_good) {
            return;
        }
        // The old one is gone before there is another.
        self.ahead = None;
        let now = Instant::now();
        if self.not_before.is_some_and(|moment| now < moment) {
            return;
        }
        self.not_before = Some(now + START_PAUSE);
        match Process::start(&self.program, &["--ahead", self.layout.name()]) {
            Ok(process) => self.ahead = Some(Ahead { process, since: now }),
            Err(error) => tracing::warn!(%error, "no rendering process can be started ahead"),
        }
    }

    /// The id of the process that waits.
    pub fn waiting_process(&self) -> Option<u32> {
        self.ahead.as_ref().map(|ahead| ahead.process.id())
    }

    /// Renders a receipt. Blocks until it is there, a process has failed that was not started ahead, or the deadline
    /// has passed; no process is left that has seen it. One that was started ahead and is no good is made up for by
    /// another.
    pub fn render(&mut self, receipt: &Receipt) -> Result<Rendering, DocumentError> {
        self.run(&RenderRequest::new(receipt.clone(), self.layout))
    }

    /// The same for directions.
    pub fn render_directions(&mut self, directions: &Directions) -> Result<Rendering, DocumentError> {
        self.run(&RenderRequest::for_directions(directions.clone(), self.layout))
    }

    fn run(&mut self, request: &RenderRequest) -> Result<Rendering, DocumentError> {
        request.check()?;
        let until = Instant::now() + self.deadline;
        let request = written(request)?;
        self.not_before = None;
        if let Some(Ahead { process, .. }) = self.ahead.take() {
            let within = AHEAD_DEADLINE.min(self.deadline / 2);
            match answer(process, request.clone(), within) {
                Ok(rendering) => return Ok(rendering),
                Err(error) => tracing::warn!(%error, "the rendering process that waited was no good"),
            }
        }
        let left = until.saturating_duration_since(Instant::now());
        answer(Process::start(&self.program, &[])?, request, left).map_err(|error| match error {
            DocumentError::TimedOut(_) => DocumentError::TimedOut(self.deadline),
            other => other,
        })
    }
}

impl Ahead {
    fn is_good(&mut self) -> bool {
        self.since.elapsed() < WAIT_MAX && self.process.is_running()
    }
}

fn written(request: &RenderRequest) -> Result<Request, DocumentError> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(USUAL_REQUEST));
    serde_json::to_writer(&mut *bytes, request).map_err(|_| DocumentError::NotABitmap)?;
    Ok(Arc::new(bytes))
}

fn answer(process: Process, request: Request, within: Duration) -> Result<Rendering, DocumentError> {
    process.run(request, rendering::MAX_FILE_BYTES, within).and_then(|file| Rendering::read(&file))
}
