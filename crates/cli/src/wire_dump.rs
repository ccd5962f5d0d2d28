//! What was said on the wire, in hexadecimal, as the engine's log tells it.

use std::fmt::{self, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Writes a dump of each message to stdout.
pub(crate) struct Dump;

impl<S: Subscriber> Layer<S> for Dump {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        if !said.0.is_empty() {
            // A reader that has gone away is noticed when the result is written.
            let _ = std::io::Write::write_all(&mut anstream::stdout(), said.0.as_bytes());
        }
    }
}

/// The dumps of an event's bytes.
#[derive(Default)]
struct Said(String);

impl Visit for Said {
    fn record_bytes(&mut self, field: &Field, bytes: &[u8]) {
        self.0.push_str(&dump(field.name(), bytes));
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// `sent 68 bytes`, and rows of 16.
fn dump(what: &str, bytes: &[u8]) -> String {
    const ROW: usize = 16;
    let mut text = format!("{what} {}\n", crate::text::plural(bytes.len(), "byte"));
    for (n, row) in bytes.chunks(ROW).enumerate() {
        let mut hex = String::new();
        for (n, byte) in row.iter().enumerate() {
            let gap = if n == ROW / 2 { "  " } else { " " };
            let _ = write!(hex, "{gap}{byte:02x}");
        }
        let shown: String = row
            .iter()
            .map(|&byte| if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '.' })
            .collect();
        let _ = writeln!(text, "  {:04x} {hex:<49}  {shown}", n * ROW);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_sixteen() {
        assert_eq!(
            dump("sent", b"\x13BitTorrent protocol\0\x1b"),
            "sent 22 bytes\n  \
             0000  13 42 69 74 54 6f 72 72  65 6e 74 20 70 72 6f 74  .BitTorrent prot\n  \
             0010  6f 63 6f 6c 00 1b                                 ocol..\n"
        );
    }
}
