//! What a torrent says: at the beginning of a run, and in full for `show`.

use super::line::{Harmless, line};
use super::{SCHEMA, info_hash};
use crate::input::{Source, Subject};
use serde::{Serialize, Serializer};
use std::io::{self, Write};

#[derive(Serialize)]
struct Start<'r> {
    r#type: &'static str,
    schema: u32,
    info_hash: String,
    torrent: &'r str,
    name: Option<String>,
    info_hash_v1: Option<String>,
    info_hash_v2: Option<String>,
    total_size_bytes: Option<u64>,
    piece_length_bytes: Option<u32>,
    pieces: Option<u32>,
    files: Option<usize>,
    private: Option<bool>,
    trackers: Vec<String>,
}

/// What `show` tells.
#[derive(Serialize)]
struct Torrent<'r> {
    #[serde(flatten)]
    start: Start<'r>,
    tiers: Vec<Vec<String>>,
    comment: Option<String>,
    created_by: Option<String>,
    creation_date_s: Option<u64>,
    source: Option<String>,
    peers: Vec<String>,
    web_seeds: Vec<String>,
    http_seeds: Vec<String>,
    dht_nodes: Vec<String>,
    ssl: Option<bool>,
    name_issues: Vec<&'static str>,
    path_issues: Issues<'r>,
    diagnostics: Vec<String>,
    diagnostics_total: usize,
    file_list: Option<Listed<'r>>,
}

/// What is wrong with the paths of a torrent; put together while they are written, as there may be a million of them.
struct Issues<'r>(&'r Subject);

impl Serialize for Issues<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let files = self.0.torrent().into_iter().flat_map(|torrent| torrent.files.iter());
        serializer.collect_seq(files.filter_map(|file| PathIssues::of(self.0, &file)))
    }
}

/// The files that a torrent names, likewise.
struct Listed<'r>(&'r Subject);

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            self.0.torrent().into_iter().flat_map(metainfo::Torrent::named_files).map(|file| File::of(self.0, &file)),
        )
    }
}

/// What is wrong with a path.
#[derive(Serialize)]
struct PathIssues {
    path: String,
    issues: Vec<&'static str>,
}

/// One file of a torrent.
#[derive(Serialize)]
struct File {
    path: String,
    length_bytes: u64,
    padding: bool,
    executable: bool,
    hidden: bool,
    symlink: Option<String>,
    pieces_root: Option<String>,
}

pub(crate) fn start(subject: &Subject, show_secrets: bool) -> io::Result<String> {
    line(&Start::of("start", subject, show_secrets))
}

impl<'r> Start<'r> {
    fn of(r#type: &'static str, subject: &'r Subject, show_secrets: bool) -> Self {
        let (topic, torrent) = (&subject.topic, subject.torrent());
        Self {
            r#type,
            schema: SCHEMA,
            info_hash: info_hash(subject),
            torrent: &subject.given,
            name: subject.name().map(|name| lossy(&name)),
            info_hash_v1: topic.hashes.v1().map(|hash| hash.to_string()),
            info_hash_v2: topic.hashes.v2().map(|hash| hash.to_string()),
            total_size_bytes: topic.total_size,
            piece_length_bytes: torrent.map(|torrent| torrent.piece_length),
            pieces: topic.pieces,
            files: torrent.map(|torrent| torrent.files.content_len()),
            private: torrent.map(|torrent| torrent.private),
            trackers: topic.trackers.iter().map(|url| shown(subject, url, show_secrets)).collect(),
        }
    }
}

/// Writes what a torrent says; `files` lists them.
pub(crate) fn torrent(subject: &Subject, files: bool, show_secrets: bool, mut to: impl Write) -> io::Result<()> {
    let torrent = subject.torrent();
    let details = torrent.map(|torrent| &torrent.details);
    let magnet = if let Source::Magnet(magnet) = &subject.source { Some(magnet) } else { None };
    let diagnostics = torrent.map(|torrent| &torrent.diagnostics).or(magnet.map(|magnet| &magnet.diagnostics));
    let text = |bytes: &Option<Vec<u8>>| Some(lossy(&subject.text(bytes.as_deref()?)));
    let line_of = |text: &dyn ToString| lossy(&subject.text(text.to_string().as_bytes()));
    let seed = |url: &String| line_of(&if show_secrets { url.clone() } else { guard::redact_web_seed(url) });
    let urls = |urls: Option<&Vec<String>>| urls.into_iter().flatten().map(seed).collect();
    let tiers =
        subject.tiers().into_iter().map(|tier| tier.into_iter().map(|url| shown(subject, url, show_secrets)).collect());
    let torrent = Torrent {
        start: Start::of("torrent", subject, show_secrets),
        tiers: tiers.collect(),
        comment: details.and_then(|details| text(&details.comment)),
        created_by: details.and_then(|details| text(&details.created_by)),
        creation_date_s: details.and_then(|details| details.creation_date),
        source: details.and_then(|details| text(&details.source)),
        peers: magnet.into_iter().flat_map(|magnet| &magnet.peers).map(|peer| line_of(peer)).collect(),
        web_seeds: urls(details.map(|details| &details.web_seeds).or(magnet.map(|magnet| &magnet.web_seeds))),
        http_seeds: urls(details.map(|details| &details.http_seeds)),
        dht_nodes: details
            .into_iter()
            .flat_map(|details| {
                details.nodes.iter().map(|(host, port)| format!("{}:{port}", lossy(&subject.text(host))))
            })
            .collect(),
        ssl: details.map(|details| details.ssl_certificate),
        name_issues: torrent
            .into_iter()
            .flat_map(|torrent| torrent.name_issues.iter().map(|issue| issue.code()))
            .collect(),
        path_issues: Issues(subject),
        diagnostics: diagnostics.into_iter().flat_map(metainfo::Diagnostics::first).map(|one| line_of(one)).collect(),
        diagnostics_total: diagnostics.map_or(0, metainfo::Diagnostics::total),
        file_list: torrent.filter(|_| files).map(|_| Listed(subject)),
    };
    serde_json::to_writer(Harmless(&mut to), &torrent)?;
    writeln!(to)
}

impl PathIssues {
    fn of(subject: &Subject, file: &metainfo::File<'_>) -> Option<Self> {
        let issues: Vec<&'static str> = file.issues().iter().map(|issue| issue.code()).collect();
        (!issues.is_empty()).then(|| Self { path: path(subject, &file.path), issues })
    }
}

impl File {
    fn of(subject: &Subject, file: &metainfo::File<'_>) -> Self {
        Self {
            path: path(subject, &file.path),
            length_bytes: file.length,
            padding: file.attributes.padding,
            executable: file.attributes.executable,
            hidden: file.attributes.hidden,
            symlink: file.symlink.as_deref().map(|target| path(subject, target)),
            pieces_root: file.pieces_root.map(|root| root.iter().map(|byte| format!("{byte:02x}")).collect()),
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(super) fn path(subject: &Subject, elements: &[&[u8]]) -> String {
    lossy(&subject.path(elements))
}

fn shown(subject: &Subject, url: &str, show_secrets: bool) -> String {
    let shown = if show_secrets { url.to_owned() } else { guard::redact_url(url) };
    lossy(&subject.text(shown.as_bytes()))
}
