//! The payloads, the torrents that real programs make of them, and torrents of nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use fake_swarm::bencoding;
use fake_swarm::torrent::{SingleFile, sha1};
use xtask::optional::PYTHON;
use xtask::scratch::write;
use xtask::shell::{self, Result};

use crate::payload;

/// A payload of one file.
pub(super) const FILE: &str = "one file.bin";
/// A payload of several files.
pub(super) const FOLDER: &str = "several files";
/// A payload whose torrent has no seed.
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

/// A tracker that refuses. aria2 takes three connections a second, and clients that hear of it from a tracker of each torrent would
/// use them up; rTorrent has no torrent open without a tracker.
pub(super) const NOWHERE: &str = "http://127.0.0.1:9/announce";

/// The script that makes v2 and hybrid torrents.
const SCRIPT: &str = include_str!("make_torrent.py");

/// A torrent on the disk.
#[derive(Clone)]
pub(super) struct Torrent {
    /// What we call it.
    pub(super) name: String,
    /// The `.torrent`.
    pub(super) file: PathBuf,
    /// What others take its info-hash for, in hex: that of v1, or else the truncated one of v2.
    pub(super) info_hash: String,
    /// The truncated info-hash of v2 (BEP 52) of a hybrid torrent.
    pub(super) other_hash: Option<String>,
}

impl Torrent {
    /// All its info-hashes.
    pub(super) fn hashes(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.info_hash.as_str()).chain(self.other_hash.as_deref())
    }
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
    /// A torrent made by mktorrent, with pieces of 32 KiB.
    pub(super) fn mktorrent(&self, name: &str, payload: &str) -> Result<Torrent> {
        let mut command = Command::new("mktorrent");
        command.args(["-a", self.announce, "-l", "15", "-n", payload, "-o"]).arg(self.file(name));
        self.finish(name, command.arg(self.folder.join(payload)))
    }

    /// The same, private (BEP 27), with a tracker that [refuses](NOWHERE).
    pub(super) fn private(&self, name: &str, payload: &str) -> Result<Torrent> {
        let mut command = Command::new("mktorrent");
        command.args(["-p", "-a", NOWHERE, "-l", "15", "-n", payload, "-o"]).arg(self.file(name));
        self.finish(name, command.arg(self.folder.join(payload)))
    }

    /// The same with web seeds (BEP 19) and no tracker.
    pub(super) fn with_web_seeds(&self, name: &str, payload: &str, urls: &[&str]) -> Result<Torrent> {
        self.without_tracker(name, payload, &["-w", &urls.join(",")])
    }

    /// The same without a tracker, and with these options.
    pub(super) fn without_tracker(&self, name: &str, payload: &str, options: &[&str]) -> Result<Torrent> {
        let mut command = Command::new("mktorrent");
        command.args(["-l", "15", "-n", payload]).args(options).arg("-o").arg(self.file(name));
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
        self.known(name)
    }

    /// A torrent of one file, with pieces of 32 KiB, whose info dictionary is so many bytes longer than it need be: no program makes
    /// one. Its tracker [refuses](NOWHERE).
    pub(super) fn padded(&self, name: &str, payload: &str, pad: usize) -> Result<Torrent> {
        const PIECE_LENGTH: usize = 32 << 10;
        let path = self.folder.join(payload);
        let content = std::fs::read(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
        let info = bencoding::dictionary([
            ("length", bencoding::integer(u64::try_from(content.len()).unwrap_or_default())),
            ("name", bencoding::string(payload)),
            ("piece length", bencoding::integer(32 << 10)),
            ("pieces", bencoding::string(content.chunks(PIECE_LENGTH).flat_map(sha1).collect::<Vec<u8>>())),
            ("x-pad", bencoding::string(vec![b'p'; pad])),
        ]);
        write(&self.file(name), bencoding::dictionary([("announce", bencoding::string(NOWHERE)), ("info", info)]))?;
        self.known(name)
    }

    /// The torrent that was made.
    fn known(&self, name: &str) -> Result<Torrent> {
        let file = self.file(name);
        let shown = shell::run_quiet(Command::new("transmission-show").arg(&file))?;
        let info_hash = hash_in(&shown).ok_or_else(|| format!("transmission-show named no info-hash:\n{shown}"))?;
        Ok(Torrent { name: name.to_owned(), file, info_hash, other_hash: None })
    }

    /// A torrent made by libtorrent, `v2` or `hybrid` (BEP 52), with pieces of 16 KiB. libtorrent names its hashes itself:
    /// transmission does not know them.
    pub(super) fn libtorrent(&self, kind: &str, payload: &str) -> Result<Torrent> {
        let script = self.folder.join("make_torrent.py");
        write(&script, SCRIPT)?;
        let file = self.file(kind);
        let mut command = Command::new(PYTHON);
        command.arg(script).args([kind, self.announce]).arg(self.folder.join(payload)).arg(&file);
        let said = shell::run_quiet(&mut command)?;
        let mut words = said.split_whitespace().map(str::to_owned);
        let Some(info_hash) = words.next() else {
            return Err(format!("{} named no hashes: {said}", shell::shown(&command)));
        };
        Ok(Torrent { name: kind.to_owned(), file, info_hash, other_hash: words.next() })
    }
}

/// A torrent of a file that does not exist, with one tier for each of these trackers.
pub(super) fn invented(folder: &Path, name: &str, trackers: &[&str]) -> Result<Torrent> {
    let content = SingleFile {
        announce: trackers.first().copied(),
        announce_list: trackers.iter().map(|url| vec![*url]).collect(),
        ..SingleFile::new(name, 1_000_000)
    };
    let file = folder.join(format!("{name}.torrent"));
    write(&file, content.to_bytes())?;
    Ok(Torrent { name: name.to_owned(), ..known(file, &content.info_hash()) })
}

/// A torrent in a file that exists, whose v1 info-hash is known.
pub(super) fn known(file: PathBuf, info_hash: &[u8; 20]) -> Torrent {
    let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Torrent { name, file, info_hash: info_hash.iter().map(|byte| format!("{byte:02x}")).collect(), other_hash: None }
}

/// A magnet link to a torrent, in the place of its file, that names these trackers.
pub(super) fn link(torrent: &Torrent, trackers: &[&str]) -> Torrent {
    let trackers = trackers.iter().map(|url| format!("&tr={url}"));
    let link = format!("magnet:?xt=urn:btih:{}{}", torrent.info_hash, trackers.collect::<String>());
    Torrent { name: format!("{}, by its link", torrent.name), file: link.into(), ..torrent.clone() }
}

/// How long the info dictionary of a torrent is in which nothing comes after it.
pub(super) fn info_length(torrent: &Torrent) -> Result<usize> {
    const KEY: &[u8] = b"4:info";
    let bytes = std::fs::read(&torrent.file).map_err(|error| format!("{}: {error}", torrent.file.display()))?;
    let at = bytes.windows(KEY.len()).position(|window| window == KEY).ok_or("no info dictionary")?;
    // The last byte ends the torrent.
    Ok(bytes.len() - at - KEY.len() - 1)
}

/// The bytes that 40 hexadecimal digits stand for.
pub(super) fn hash_bytes(hex: &str) -> [u8; 20] {
    let mut bytes = [0; 20];
    for (byte, digits) in bytes.iter_mut().zip(hex.as_bytes().chunks(2)) {
        let digits = digits.iter().filter_map(|digit| char::from(*digit).to_digit(16));
        *byte = digits.fold(0, |byte, digit| byte << 4 | u8::try_from(digit).unwrap_or_default());
    }
    bytes
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
        let info_hash = hash_bytes("00ff41000000000000000000000000000000000a");
        assert_eq!((&info_hash[..3], info_hash[19]), (&[0, 255, 65][..], 10));
    }
}
