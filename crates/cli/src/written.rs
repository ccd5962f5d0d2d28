//! Where results are written: stdout, and a file that takes the JSON beside it. What came together is written in one piece.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Bytes of lines that wait to be written together, at most.
const TOGETHER: usize = 32 << 10;
/// How long a line waits for others at most while a run has more to do: no reader sees it.
const SOON: Duration = Duration::from_millis(5);

/// Lines that wait to be written, and where they go. A reader that has gone away is not an error; [`Written::is_closed`] tells.
#[derive(Debug)]
pub(crate) struct Written {
    /// Takes JSON, whatever stdout takes.
    file: Option<(PathBuf, File)>,
    lines: String,
    file_lines: String,
    /// When the first of the lines came that wait.
    since: Option<Instant>,
    file_fault: Option<io::Error>,
    closed: bool,
    failed: bool,
}

impl Written {
    pub(crate) fn new(file: Option<(PathBuf, File)>) -> Self {
        let (lines, file_lines) = (String::new(), String::new());
        Self { file, lines, file_lines, since: None, file_fault: None, closed: false, failed: false }
    }

    /// Whether stdout is closed and no file takes the results, or the file cannot take them: then there is nothing to go on for.
    pub(crate) fn is_closed(&self) -> bool {
        self.failed || self.closed && self.file.is_none()
    }

    /// Whether the results could not be written: to the file, or to stdout where there is none.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed
    }

    pub(crate) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// Whether anything waits for stdout.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.closed && !self.lines.is_empty()
    }

    /// Whether enough waits to be written.
    pub(crate) fn is_much(&self) -> bool {
        self.lines.len().max(self.file_lines.len()) > TOGETHER
    }

    /// Whether a line has waited for long.
    pub(crate) fn is_old(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= SOON)
    }

    /// Takes a line for stdout.
    pub(crate) fn line(&mut self, line: &str) {
        if !self.closed {
            self.since.get_or_insert_with(Instant::now);
            self.lines.push_str(line);
            self.lines.push('\n');
        }
    }

    /// Takes a line for the file, if there is one.
    pub(crate) fn file_line(&mut self, line: &str) {
        if self.has_file() {
            self.since.get_or_insert_with(Instant::now);
            self.file_lines.push_str(line);
            self.file_lines.push('\n');
        }
    }

    /// Writes what waits for the file. That it cannot be written is kept to be told.
    pub(crate) fn flush_file(&mut self) {
        let Some((path, file)) = self.file.as_mut().filter(|_| !self.file_lines.is_empty()) else { return };
        let written = file.write_all(self.file_lines.as_bytes());
        self.file_lines.clear();
        if let Err(error) = written {
            let path = guard::escape(&path.to_string_lossy()).to_string();
            self.file_fault = Some(io::Error::new(error.kind(), format!("{path}: {error}")));
            self.file = None;
            self.failed = true;
        }
    }

    /// Why the file could not be written, once.
    pub(crate) fn take_file_fault(&mut self) -> Option<io::Error> {
        self.file_fault.take()
    }

    /// Writes what waits; text with styles only where stdout takes them.
    pub(crate) fn flush(&mut self, is_text: bool) -> io::Result<()> {
        self.since = None;
        self.flush_file();
        if !self.is_waiting() {
            return Ok(());
        }
        let result = match is_text && anstream::AutoStream::choice(&io::stdout()) == anstream::ColorChoice::Never {
            // Stripped before, and not on the way: then it is one piece.
            true => write_all(io::stdout().lock(), &anstream::adapter::strip_str(&self.lines).to_string()),
            false => write_all(io::stdout().lock(), &self.lines),
        };
        self.lines.clear();
        // Whatever else there is to be written goes the same way.
        self.closed = result.is_err();
        match result {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                self.failed |= self.file.is_none();
                Err(error)
            }
            _ => Ok(()),
        }
    }
}

fn write_all(mut to: impl Write, lines: &str) -> io::Result<()> {
    to.write_all(lines.as_bytes())?;
    to.flush()
}
