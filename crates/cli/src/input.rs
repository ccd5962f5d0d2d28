//! What a word of the command line means: a file, a folder of torrents, standard input, a magnet link, an info-hash.

use crate::room;
use crate::shown::{shown_word, without_secrets};
use crate::text::{listed, plural};
use crate::word::meaning;
use client::{Config, Error, Topic, read_torrent, read_torrent_from};
use guard::{Secrets, escape};
use metainfo::{Details, Diagnostics, Hashes, Magnet, MagnetError, Torrent};
use std::borrow::Cow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a torrent is to come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    File(PathBuf),
    Stdin,
    Magnet(String),
    Hash(Hashes),
}

/// A torrent, or what is known of it, and how the user called it.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// As it was given, without secrets; not escaped.
    pub(crate) given: Arc<str>,
    /// What runs are about.
    pub(crate) topic: Topic,
    pub(crate) source: Source,
    /// What no text of its own may show.
    pub(crate) secrets: Secrets,
}

/// What is known beyond that.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Torrent(Arc<Torrent>),
    Magnet(Arc<Magnet>),
    Hash,
}

impl Subject {
    /// All of the torrent; `None` of a magnet link and an info-hash.
    pub(crate) fn torrent(&self) -> Option<&Torrent> {
        if let Source::Torrent(torrent) = &self.source { Some(torrent) } else { None }
    }

    /// The torrent with its files, if they are known.
    pub(crate) fn listing(&self) -> Option<&Torrent> {
        self.torrent().filter(|torrent| torrent.files.memory() > 0)
    }

    /// The name it gives itself; any bytes.
    pub(crate) fn name(&self) -> Option<Vec<u8>> {
        match &self.source {
            Source::Torrent(torrent) => Some(self.text(&torrent.name)),
            Source::Magnet(magnet) => magnet.name.as_deref().map(|name| self.text(name.as_bytes())),
            Source::Hash => None,
        }
    }

    /// Text that it says, in UTF-8 as far as it can be read, without secrets. Every text of a torrent or a link that is shown
    /// goes through here or [`path`](Self::path).
    pub(crate) fn text(&self, said: &[u8]) -> Vec<u8> {
        let said = self.torrent().map_or(Cow::Borrowed(said), |torrent| torrent.readable(said));
        self.secrets.conceal_bytes(&said).into_owned()
    }

    /// A path in it, as [`text`](Self::text).
    pub(crate) fn path(&self, elements: &[&[u8]]) -> Vec<u8> {
        let path = self.torrent().map(|torrent| torrent.readable_path(elements)).unwrap_or_default();
        self.secrets.conceal_bytes(&path).into_owned()
    }

    /// Its trackers by tier (BEP 12), as written. In a magnet link there are none of these, and each is one.
    pub(crate) fn tiers(&self) -> Vec<Vec<&str>> {
        match &self.source {
            Source::Torrent(torrent) => {
                torrent.trackers.iter().map(|tier| tier.iter().map(|tracker| tracker.url.as_str()).collect()).collect()
            }
            Source::Magnet(_) | Source::Hash => self.topic.trackers.iter().map(|url| vec![url.as_str()]).collect(),
        }
    }
}

/// Why there is no torrent.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InputError {
    #[error(transparent)]
    Run(#[from] Error),
    #[error("{}", if *.0 == MagnetError::NotAMagnet { "not a magnet link" } else { "unusable magnet link" })]
    Magnet(#[from] MagnetError),
}

impl Input {
    /// The torrent alone, without the peers that a magnet link names beside it.
    pub(crate) fn without_peers(self) -> Self {
        match &self {
            Self::Magnet(link) => Magnet::parse(link).map_or(self, |magnet| Self::Hash(magnet.hashes)),
            _ => self,
        }
    }

    /// How the user called it, safe to show.
    pub(crate) fn shown(&self) -> String {
        escape(&self.given()).to_string()
    }

    /// How the user called it, without a secret.
    fn given(&self) -> String {
        match self {
            // A URL or a link in its place may hold a passkey.
            Self::File(path) => without_secrets(&path.to_string_lossy()),
            Self::Stdin => "standard input".to_owned(),
            // The trackers in it may hold passkeys, and it is long.
            Self::Magnet(link) => match Magnet::parse(link) {
                Ok(magnet) => magnet.hashes.primary().to_string(),
                Err(_) => "magnet link".to_owned(),
            },
            Self::Hash(hashes) => hashes.primary().to_string(),
        }
    }

    /// How many bytes there may be to be read.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::File(path) => room::length(path),
            Self::Stdin => u64::MAX,
            Self::Magnet(_) | Self::Hash(_) => 0,
        }
    }

    /// Reads it within the deadline, for a run: what only [`Input::read_whole`] needs is gone.
    pub(crate) async fn read(&self, config: &Config) -> Result<Subject, InputError> {
        let mut subject = self.read_whole(config).await?;
        if let Source::Torrent(torrent) = &mut subject.source {
            lighten(Arc::make_mut(torrent));
        }
        Ok(subject)
    }

    /// Reads all of it, within the deadline.
    pub(crate) async fn read_whole(&self, config: &Config) -> Result<Subject, InputError> {
        let torrent = match self {
            Self::Magnet(link) => {
                let magnet = Magnet::parse(link)?;
                return Ok(self.subject(Topic::from(&magnet), Source::Magnet(Arc::new(magnet)), config));
            }
            Self::Hash(hashes) => return Ok(self.subject(Topic::from(*hashes), Source::Hash, config)),
            Self::File(path) => read_torrent(path, config.deadline).await,
            Self::Stdin => read_torrent_from(std::io::stdin(), config.deadline).await,
        };
        let torrent = torrent?;
        Ok(self.subject(Topic::from(&torrent), Source::Torrent(Arc::new(torrent)), config))
    }

    fn subject(&self, topic: Topic, source: Source, config: &Config) -> Subject {
        Subject { given: self.given().into(), secrets: config.secrets(&topic), topic, source }
    }
}

/// Bytes of a list of files that a run keeps, to name those that cannot be completed: some 200,000 files.
const LIST_BYTES: usize = 8 << 20;
/// Bytes of a torrent's name that a run keeps: no file system takes as many.
const NAME_BYTES: usize = 4 << 10;

/// Leaves of a torrent what is told in a run: its name, its counts, the files that may lack pieces.
fn lighten(torrent: &mut Torrent) {
    torrent.name.truncate(NAME_BYTES);
    torrent.name.shrink_to_fit();
    if torrent.files.memory() > LIST_BYTES {
        torrent.files.forget();
    }
    torrent.trackers = Vec::new();
    let encoding = torrent.details.encoding;
    torrent.details = Details::default();
    torrent.details.encoding = encoding;
    torrent.diagnostics = Diagnostics::default();
}

/// Most folders in one another that are walked.
const MAX_DEPTH: usize = 32;

/// What the words of the command line mean.
#[derive(Debug, Default)]
pub(crate) struct Expanded {
    /// Folders are replaced by the torrents in them.
    pub(crate) inputs: Vec<Input>,
    /// The words that gave no input, each with the reason.
    pub(crate) faults: Vec<(String, String)>,
    /// What was skipped, by folder.
    pub(crate) notes: Vec<(String, String)>,
}

/// Counts of skipped folder entries whose names end in `.torrent`.
#[derive(Debug, Default)]
struct PassedOver {
    /// `._NAME`: AppleDouble files, which macOS writes beside each file on foreign file systems.
    apple_double: usize,
    /// Named pipes, sockets and devices: reading one may block or never end.
    irregular: usize,
}

/// What the words of the command line mean.
pub(crate) fn expand(words: &[OsString]) -> Expanded {
    let mut expanded = Expanded::default();
    for word in words {
        match meaning(word) {
            Ok(input) => expanded.add(input),
            Err(fault) => expanded.faults.push((shown_word(word), fault)),
        }
    }
    expanded
}

impl Expanded {
    fn add(&mut self, input: Input) {
        let fault = match &input {
            Input::File(path) if path.is_dir() => {
                let before = (self.inputs.len(), self.faults.len());
                let mut passed_over = PassedOver::default();
                self.walk(path, MAX_DEPTH, &mut passed_over);
                self.notes.extend(passed_over.note().map(|note| (input.shown(), note)));
                (before == (self.inputs.len(), self.faults.len()))
                    .then(|| "give another folder: no .torrent file is in this one".to_owned())
            }
            Input::Stdin if self.inputs.contains(&input) => Some("name it once: it can be read only once".to_owned()),
            _ => {
                self.inputs.push(input);
                return;
            }
        };
        self.faults.extend(fault.map(|fault| (input.shown(), fault)));
    }

    /// The torrents in a folder and its folders, by name; what cannot be read is a fault and ends nothing else. Links to
    /// folders are not followed: they may lead in a circle.
    fn walk(&mut self, folder: &Path, depth: usize, passed_over: &mut PassedOver) {
        let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<Result<Vec<_>, _>>());
        let mut fault = |reason: String| self.faults.push((escape(&folder.to_string_lossy()).to_string(), reason));
        let mut entries = match entries {
            Ok(_) if depth == 0 => return fault(format!("name it by itself: it is {MAX_DEPTH} folders deep")),
            Ok(entries) => entries,
            Err(error) => return fault(format!("ask for leave to read it: {error}")),
        };
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.walk(&path, depth - 1, passed_over);
            } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("torrent")) {
                // The target of a symbolic link; a broken link is reported when it is read.
                match std::fs::metadata(&path) {
                    Ok(target) if target.is_dir() => {}
                    Ok(target) if !target.is_file() => passed_over.irregular += 1,
                    _ if entry.file_name().as_encoded_bytes().starts_with(b"._") => passed_over.apple_double += 1,
                    _ => self.inputs.push(Input::File(path)),
                }
            }
        }
    }
}

impl PassedOver {
    fn note(&self) -> Option<String> {
        let of = |count: usize, what: &str| (count > 0).then(|| format!("{} {what}", plural(count, "file")));
        let apple_double = of(self.apple_double, "called `._*.torrent`, which macOS keeps beside others");
        let irregular = of(self.irregular, "called torrents that are pipes, sockets or devices");
        let parts: Vec<String> = [apple_double, irregular].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("passed over {}", listed(&parts)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_in_the_name_of_a_thing() {
        let tracker = "tr=http%3A%2F%2Ft.example%2FS3CRET%2Fannounce";
        let hash = "0123456789abcdef0123456789abcdef01234567";
        for (word, shown) in [
            (format!("magnet:?xt=urn:btih:{hash}&{tracker}"), hash),
            (format!("magnet:?{tracker}"), "magnet link"),
            ("a\u{1b}b".to_owned(), "a\\u{1b}b"),
        ] {
            assert_eq!(meaning(word.as_ref()).unwrap().shown(), shown);
        }
    }
}
