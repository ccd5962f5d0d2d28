//! JSON on a line, harmless to a terminal.

use client::report::Line;
use std::io::{self, Write};

/// One line of JSON, without its end.
pub(super) fn line(value: &Line<'_>) -> io::Result<String> {
    let mut line = value.to_json()?;
    // Looked at once as a whole: serde_json writes it in some two hundred pieces.
    if !is_plain(&line) {
        let mut harmless = Vec::with_capacity(2 * line.len());
        Harmless(&mut harmless).write_all(&line)?;
        line = harmless;
    }
    String::from_utf8(line).map_err(io::Error::other)
}

/// Whether it is text that no terminal takes for anything else, as most is: serde_json has escaped all controls but this one.
fn is_plain(bytes: &[u8]) -> bool {
    bytes.is_ascii() && !bytes.contains(&0x7f)
}

/// JSON allows characters that command or deceive a terminal; they are written as `\u` escapes, which mean the same.
pub(super) struct Harmless<W>(pub(super) W);

impl<W: Write> Write for Harmless<W> {
    /// Takes whole characters, as serde_json writes them.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if is_plain(bytes) {
            self.0.write_all(bytes)?;
            return Ok(bytes.len());
        }
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        for part in text.split_inclusive(guard::is_deceptive) {
            let last = part.chars().next_back().filter(|&last| guard::is_deceptive(last));
            let harmless = part.get(..part.len() - last.map_or(0, char::len_utf8)).unwrap_or_default();
            self.0.write_all(harmless.as_bytes())?;
            for unit in last.iter().flat_map(|last| last.encode_utf16(&mut [0; 2]).to_vec()) {
                write!(self.0, "\\u{unit:04x}")?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
