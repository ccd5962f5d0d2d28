//! opentracker: HTTP and UDP at one address, for the torrents on its list.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use xtask::scratch::write;
use xtask::shell::Result;

use super::process::Process;

/// How long opentracker may take to listen.
const UP_WITHIN: Duration = Duration::from_secs(10);

/// A running opentracker.
pub(super) struct Opentracker {
    pub(super) process: Process,
    pub(super) address: SocketAddr,
}

impl Opentracker {
    /// Starts opentracker with these info-hashes on its list, and waits until it listens.
    pub(super) fn start<'a>(
        folder: &Path,
        address: SocketAddr,
        listed: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self> {
        let list: String = listed.into_iter().map(|info_hash| format!("{info_hash}\n")).collect();
        write(&folder.join("whitelist.txt"), list)?;
        // Started by root it would make `rootdir` its root and become `nobody`, and the kernel would forget that it has
        // to end with us; so it is started as `nobody`. Either way the list's path is seen from `rootdir`.
        let config =
            format!("listen.tcp_udp {address}\naccess.whitelist whitelist.txt\ntracker.rootdir {}\n", folder.display());
        let file = folder.join("opentracker.conf");
        write(&file, config)?;
        let mut command = Command::new("opentracker");
        command.arg("-f").arg(&file);
        let mut process = Process::start_as_nobody("opentracker", &command, folder)?;
        process.wait_until_listening(address, Instant::now() + UP_WITHIN)?;
        Ok(Self { process, address })
    }

    /// The announce URL of a scheme.
    pub(super) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}/announce", self.address)
    }
}
