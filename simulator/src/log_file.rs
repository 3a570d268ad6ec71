//! A child's output on disk, line by line, never larger than two files of [`LOG_LIMIT`] bytes.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Size at which the log moves to `NAME.log.1`, replacing the one before.
pub const LOG_LIMIT: u64 = 4 * 1024 * 1024;
/// A longer line is cut: a child that prints no line ends must not grow the simulator.
const LINE_LIMIT: u64 = 16 * 1024;

/// One log file with its size, so that no write needs a `stat`.
pub struct LogFile {
    path: PathBuf,
    file: File,
    size: u64,
    limit: u64,
}

impl LogFile {
    /// Opens (or makes) the log, appending.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::with_limit(path, LOG_LIMIT)
    }

    fn with_limit(path: &Path, limit: u64) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        let size = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, size, limit })
    }

    /// Appends one line, moving the file aside first when it is full.
    pub fn line(&mut self, line: &[u8]) -> io::Result<()> {
        if self.size + line.len() as u64 + 1 > self.limit && self.size > 0 {
            let mut old = self.path.clone().into_os_string();
            old.push(".1");
            std::fs::rename(&self.path, old)?;
            *self = Self::with_limit(&self.path, self.limit)?;
        }
        let mut bytes = Vec::with_capacity(line.len() + 1);
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
        self.file.write_all(&bytes)?;
        self.size += bytes.len() as u64;
        Ok(())
    }
}

/// Copies lines from a pipe into the log until the other end closes. A failing disk loses log lines, never the
/// child: the pipe is drained all the same.
pub fn copy_lines(pipe: impl Read, log: &mut LogFile) {
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    loop {
        line.clear();
        match reader.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(_) => {
                if line.last() == Some(&b'\n') {
                    line.pop();
                }
                let _ = log.line(&line);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// The last lines of a log, for an error message. At most the last 16 KiB are read.
pub fn tail(path: &Path, lines: usize) -> String {
    use std::io::{Seek, SeekFrom};
    let read = || -> io::Result<String> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LINE_LIMIT)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let text = read().unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_moves_aside_and_stays_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("child.log");
        let mut log = LogFile::with_limit(&path, 100).unwrap();
        for number in 0..50 {
            log.line(format!("line number {number:02}").as_bytes()).unwrap();
        }
        assert!(std::fs::metadata(&path).unwrap().len() <= 100);
        let old = std::fs::metadata(folder.path().join("child.log.1")).unwrap().len();
        assert!(old > 0 && old <= 100, "{old}");
        assert_eq!(tail(&path, 1), "line number 49");
    }

    #[test]
    fn an_endless_line_is_cut_and_the_pipe_drained() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("child.log");
        let mut log = LogFile::open(&path).unwrap();
        let endless = vec![b'x'; 3 * LINE_LIMIT as usize];
        copy_lines(endless.as_slice(), &mut log);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert!(text.lines().all(|line| line.len() as u64 <= LINE_LIMIT));
    }
}
