//! A transport that writes down what passes through another one.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Instant;

use super::row::{self, Event, FILE_BYTES_MAX};
use crate::transport::{LineError, Ready, Transport};

/// Passes everything on to `T` and writes it down. A recording that cannot be written ends; the device goes on.
pub struct Recorder<T> {
    inner: T,
    sink: Option<Box<dyn Write + Send>>,
    room: usize,
    began: Instant,
}

impl<T: Transport> Recorder<T> {
    /// Records into a new file that only its owner can read. `device` names the kind, as in `id-card-reader`.
    pub fn to_file(inner: T, device: &str, path: &Path) -> io::Result<Recorder<T>> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        Recorder::new(inner, device, Box::new(file))
    }

    /// Records into `sink`.
    pub fn new(inner: T, device: &str, mut sink: Box<dyn Write + Send>) -> io::Result<Recorder<T>> {
        let head = row::head(device);
        writeln!(sink, "{head}")?;
        Ok(Recorder { inner, sink: Some(sink), room: FILE_BYTES_MAX - head.len() - 1, began: Instant::now() })
    }

    fn note(&mut self, event: &Event) {
        let mut line = row::line(self.began.elapsed().as_millis() as u64, event);
        // One write a line, so that a full disk leaves whole ones.
        line.push('\n');
        let Some(sink) = &mut self.sink else { return };
        let fits = line.len() <= self.room;
        if !fits || sink.write_all(line.as_bytes()).and_then(|()| sink.flush()).is_err() {
            tracing::warn!(full = !fits, "the recording ends here");
            self.sink = None;
            return;
        }
        self.room -= line.len();
    }

    /// Writes down how a call failed.
    fn failed(&mut self, error: LineError) -> LineError {
        self.note(&Event::Failed(error));
        error
    }
}

impl<T: Transport> Transport for Recorder<T> {
    fn ready(&mut self) -> Result<Ready, LineError> {
        let ready = self.inner.ready().map_err(|error| self.failed(error))?;
        self.note(&Event::Ready(ready));
        Ok(ready)
    }

    fn discard_output(&mut self) {
        self.inner.discard_output();
        self.note(&Event::Dropped);
    }

    fn write_some(&mut self, bytes: &[u8], until: Instant) -> Result<usize, LineError> {
        let count = self.inner.write_some(bytes, until).map_err(|error| self.failed(error))?;
        self.note(&Event::Out(bytes[..count].to_vec()));
        Ok(count)
    }

    fn read_some(&mut self, into: &mut [u8], until: Instant) -> Result<usize, LineError> {
        let count = self.inner.read_some(into, until).map_err(|error| self.failed(error))?;
        let event = match count {
            0 => Event::Quiet,
            _ => Event::In(into[..count].to_vec()),
        };
        self.note(&event);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;
    use crate::recording::Replay;

    /// Keeps what is written, up to so many bytes; then the disk is full.
    #[derive(Clone)]
    struct Disk(Arc<Mutex<Vec<u8>>>, usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut kept = self.0.lock().unwrap();
            if kept.len() + bytes.len() > self.1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            kept.extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const MADE: &str = "{\"recording\":1,\"device\":\"a-device\"}
{\"at_ms\":0,\"event\":\"opened\"}
{\"at_ms\":0,\"event\":\"out\",\"bytes\":\"0102\"}
{\"at_ms\":0,\"event\":\"in\",\"bytes\":\"a0a1a2\"}
{\"at_ms\":0,\"event\":\"quiet\"}
{\"at_ms\":0,\"event\":\"dropped\"}
{\"at_ms\":0,\"event\":\"stuck\"}
";

    /// What a recorder over a replay of [`MADE`] leaves on a disk of this size.
    fn recorded(disk: usize) -> String {
        let disk = Disk(Arc::default(), disk);
        let replay = Replay::parse(MADE).unwrap_or_else(|error| panic!("{error}"));
        let mut recorder = Recorder::new(replay.clone(), "a-device", Box::new(disk.clone())).unwrap();
        let soon = Instant::now() + Duration::from_secs(1);
        let mut bytes = [0; 8];
        assert_eq!(recorder.ready(), Ok(Ready::Opened));
        assert_eq!(recorder.write_all(&[1, 2], soon), Ok(()));
        assert_eq!(recorder.read_some(&mut bytes, soon), Ok(3));
        assert_eq!(recorder.read_some(&mut bytes, soon), Ok(0));
        recorder.discard_output();
        assert_eq!(recorder.write_all(&[3], soon), Err(LineError::Stuck));
        assert_eq!(replay.finish(), Ok(()));
        let kept = disk.0.lock().unwrap().clone();
        String::from_utf8(kept).unwrap()
    }

    #[test]
    fn everything_that_passes_is_written_down() {
        let again = recorded(usize::MAX);
        let without_time = |text: &str| -> Vec<String> {
            text.lines()
                .map(|line| line.split_once("\"event\"").map_or(line, |(_, rest)| rest).to_owned())
                .collect()
        };
        assert_eq!(without_time(&again), without_time(MADE));
    }

    #[test]
    fn a_full_disk_ends_the_recording_and_not_the_device() {
        let whole_lines = recorded(150);
        assert!(whole_lines.lines().count() < MADE.lines().count());
        assert!(Replay::parse(&whole_lines).is_ok(), "what is there can be played back");
    }

    #[test]
    fn a_recording_is_its_owners_alone_and_never_written_over() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("recording.jsonl");
        let replay = || Replay::parse(MADE).unwrap_or_else(|error| panic!("{error}"));
        assert!(Recorder::to_file(replay(), "a-device", &path).is_ok());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(Recorder::to_file(replay(), "a-device", &path).is_err());
    }
}
