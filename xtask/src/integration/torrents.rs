//! The payloads, and the torrents that real programs make of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::payload;
use crate::shell::{self, Result};

/// A payload of one file.
pub(super) const FILE: &str = "one file.bin";
/// A payload of several files.
pub(super) const FOLDER: &str = "several files";
/// A payload whose torrent nobody seeds.
pub(super) const DESERTED: &str = "deserted.bin";
/// A payload whose torrent the tracker has not heard of.
pub(super) const UNLISTED: &str = "unlisted.bin";

/// Every file of every payload, with its size in bytes: one piece and a bit, many pieces, an empty file.
const FILES: &[(&str, usize)] = &[
    (FILE, 700_001),
    ("several files/a.bin", 300_000),
    ("several files/b/c.bin", 1),
    ("several files/b/empty", 0),
    (DESERTED, 40_000),
    (UNLISTED, 50_000),
];

/// A torrent on the disk.
pub(super) struct Torrent {
    /// What we call it.
    pub(super) name: String,
    /// The `.torrent`.
    pub(super) file: PathBuf,
    /// What transmission takes its info-hash for, in hex.
    pub(super) info_hash: String,
}

/// Writes all payloads below a folder. The content is the same every time.
pub(super) fn write_payloads(folder: &Path) -> Result {
    payload::write_files(folder, FILES)
}

/// Makes torrents of the payloads in a folder.
pub(super) struct Maker<'a> {
    /// Where the payloads are and the torrents go.
    pub(super) folder: &'a Path,
    /// The announce URL.
    pub(super) announce: &'a str,
}

impl Maker<'_> {
    /// A torrent made by mktorrent, with pieces of 256 KiB.
    pub(super) fn mktorrent(&self, name: &str, payload: &str) -> Result<Torrent> {
        let mut command = Command::new("mktorrent");
        command.args(["-a", self.announce, "-l", "18", "-n", payload, "-o"]).arg(self.file(name));
        self.finish(name, command.arg(self.folder.join(payload)))
    }

    /// A torrent made by transmission-create, with pieces of 256 KiB; it writes `private` into the info dictionary.
    pub(super) fn transmission_create(&self, payload: &str) -> Result<Torrent> {
        let name = "transmission-create";
        let mut command = Command::new(name);
        command.args(["-t", self.announce, "-s", "256", "-o"]).arg(self.file(name));
        self.finish(name, command.arg(self.folder.join(payload)))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.torrent"))
    }

    /// Runs the command and asks transmission for the info-hash: our own code must not vouch for itself.
    fn finish(&self, name: &str, command: &mut Command) -> Result<Torrent> {
        shell::run_quiet(command)?;
        let file = self.file(name);
        let shown = shell::run_quiet(Command::new("transmission-show").arg(&file))?;
        let info_hash = hash_in(&shown).ok_or_else(|| format!("transmission-show named no info-hash:\n{shown}"))?;
        Ok(Torrent { name: name.to_owned(), file, info_hash })
    }
}

/// The info-hash in what transmission-show prints.
fn hash_in(shown: &str) -> Option<String> {
    let hash = shown.lines().find_map(|line| line.trim().strip_prefix("Hash: "))?;
    (hash.len() == 40).then(|| hash.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_info_hash_is_found() {
        let hash = "00112233445566778899aabbccddeeff00112233";
        assert_eq!(hash_in(&format!("GENERAL\n\n  Name: a\n  Hash: {hash}\n")), Some(hash.to_owned()));
        assert_eq!(hash_in("  Hash: 0011\n"), None);
    }
}
