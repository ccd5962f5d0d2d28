//! Runs the binary, many times at once if need be.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};

use xtask::binary;

use super::torrents::Torrent;

/// Runs the binary.
pub(super) struct Prober {
    binary: PathBuf,
    /// How many runs from an address of their own there were.
    sources: AtomicU16,
}

/// Where a run comes from.
#[derive(Clone, Copy)]
pub(super) enum Source {
    /// An address that no run had before: some clients refuse an immediate second connection.
    Fresh,
    /// This one.
    Fixed(IpAddr),
    /// Whatever the kernel chooses.
    Any,
}

impl Prober {
    /// A prober with this binary.
    pub(super) fn new(binary: PathBuf) -> Self {
        Self { binary, sources: AtomicU16::new(0) }
    }

    /// The executable.
    pub(super) fn binary(&self) -> &Path {
        &self.binary
    }

    /// The binary, asked about a torrent.
    pub(super) fn command(&self, source: Source, torrent: &Torrent) -> Command {
        let mut command = binary::command(&self.binary);
        command.arg(&torrent.file);
        let ip = match source {
            Source::Fresh => self.fresh_source(),
            Source::Fixed(ip) => ip,
            Source::Any => return command,
        };
        command.arg("--bind").arg(ip.to_string());
        command
    }

    /// An address of 127.0.0.0/8 that no run had before.
    pub(super) fn fresh_source(&self) -> IpAddr {
        fresh_source(self.sources.fetch_add(1, Ordering::Relaxed))
    }
}

/// The n-th source address: 127.0.20.1 to 127.0.20.250, then on in 127.0.21.
fn fresh_source(number: u16) -> IpAddr {
    let [high, low] = (20 * 256 + (number / 250) * 256 + number % 250 + 1).to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, 0, high, low))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn sources_are_fresh_and_ordinary() {
        let sources: BTreeSet<String> = (0..1000).map(|number| fresh_source(number).to_string()).collect();
        assert_eq!(sources.len(), 1000);
        assert!(sources.iter().all(|ip| !ip.ends_with(".0") && !ip.ends_with(".255")));
        assert_eq!(fresh_source(0).to_string(), "127.0.20.1");
        assert_eq!(fresh_source(250).to_string(), "127.0.21.1");
    }
}
