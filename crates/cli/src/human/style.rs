//! Colours and widths of the report for people.

use anstyle::{AnsiColor, Style};

pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const OPEN: Style = AnsiColor::Yellow.on_default();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const PLAIN: Style = Style::new();

/// Columns of an address: wide enough for `255.255.255.255:65535`; IPv6 pushes its own line out.
pub(super) const ADDRESS_WIDTH: usize = 21;
/// Columns of an outcome: as wide as `closed_before_handshake`.
pub(super) const OUTCOME_WIDTH: usize = 23;
/// Columns of a role: as wide as `partial seed 100.0 %`.
pub(super) const ROLE_WIDTH: usize = 20;
/// As much of a torrent's name, file and hash as leaves room for a line.
pub(crate) const LABEL_WIDTH: usize = 36;
