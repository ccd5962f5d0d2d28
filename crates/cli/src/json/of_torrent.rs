//! What a torrent says: at the beginning of a run, and in full for `show`.

use crate::input::{Contents, Input};
use crate::json::escaped::{Harmless, line};
use client::report::{About, Each, FileEntry, Line, PathIssues, StartLine, TorrentLine};
use std::io::{self, Write};
use std::time::SystemTime;

/// `list_line` is where the target stands in a list.
pub(crate) fn start(input: &Input, list_line: Option<String>, show_secrets: bool) -> io::Result<String> {
    let at = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    line(&Line::Start(StartLine { at: Some(at), line: list_line, ..start_line(input, &name(input), show_secrets) }))
}

/// Which torrent a line is about; this is its name.
pub(super) fn about<'r>(input: &'r Input, name: &'r Option<String>) -> About<'r> {
    About { info_hash: input.info_hash(), torrent: &input.given, name: name.as_deref() }
}

pub(super) fn name(input: &Input) -> Option<String> {
    input.name().map(|name| lossy(&name))
}

fn start_line<'r>(input: &'r Input, name: &'r Option<String>, show_secrets: bool) -> StartLine<'r> {
    let (torrent_ref, torrent) = (&input.torrent_ref, input.torrent());
    StartLine {
        schema: StartLine::SCHEMA,
        at: None,
        line: None,
        about: about(input, name),
        info_hash_v1: torrent_ref.hashes.v1(),
        info_hash_v2: torrent_ref.hashes.v2(),
        total_size_bytes: torrent_ref.total_size,
        piece_length_bytes: torrent.map(|torrent| torrent.piece_length),
        pieces: torrent_ref.pieces,
        files: torrent.map(|torrent| torrent.files.content_len()),
        private: torrent.map(|torrent| torrent.private),
        trackers: torrent_ref.trackers.iter().map(|url| shown(input, url, show_secrets)).collect(),
    }
}

/// Writes what a torrent says; `files` lists them.
pub(crate) fn torrent(input: &Input, files: bool, show_secrets: bool, mut to: impl Write) -> io::Result<()> {
    let torrent = input.torrent();
    let details = torrent.map(|torrent| &torrent.details);
    let magnet = if let Contents::Magnet(magnet) = &input.contents { Some(magnet) } else { None };
    let diagnostics = torrent.map(|torrent| &torrent.diagnostics).or(magnet.map(|magnet| &magnet.diagnostics));
    let text = |bytes: &Option<Vec<u8>>| Some(lossy(&input.text(bytes.as_deref()?)));
    let line_of = |text: &dyn ToString| lossy(&input.text(text.to_string().as_bytes()));
    let seed = |url: &String| line_of(&if show_secrets { url.clone() } else { guard::redact_web_seed(url) });
    let urls = |urls: Option<&Vec<String>>| urls.into_iter().flatten().map(seed).collect();
    let tiers =
        input.tiers().into_iter().map(|tier| tier.into_iter().map(|url| shown(input, url, show_secrets)).collect());
    let name = name(input);
    let torrent = TorrentLine {
        start: start_line(input, &name, show_secrets),
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
            .flat_map(|details| details.nodes.iter().map(|(host, port)| format!("{}:{port}", lossy(&input.text(host)))))
            .collect(),
        ssl: details.map(|details| details.ssl_certificate),
        name_issues: torrent
            .into_iter()
            .flat_map(|torrent| torrent.name_issues.iter().map(|issue| issue.code()))
            .collect(),
        path_issues: Each::new(|| input.torrent().into_iter().flat_map(move |torrent| path_issues(input, torrent))),
        diagnostics: diagnostics.into_iter().flat_map(metainfo::Diagnostics::first).map(|one| line_of(one)).collect(),
        diagnostics_total: diagnostics.map_or(0, metainfo::Diagnostics::total),
        file_list: torrent
            .filter(|_| files)
            .map(|torrent| Each::new(move || torrent.named_files().map(move |file| entry(input, &file)))),
    };
    Line::Torrent(Box::new(torrent)).write_json(&mut Harmless(&mut to))?;
    writeln!(to)
}

/// What is wrong with the paths of a torrent.
fn path_issues<'r>(input: &'r Input, torrent: &'r metainfo::Torrent) -> impl Iterator<Item = PathIssues> + 'r {
    torrent.files.iter().filter_map(|file| {
        let issues: Vec<&'static str> = file.issues().iter().map(|issue| issue.code()).collect();
        (!issues.is_empty()).then(|| PathIssues { path: path(input, &file.path), issues })
    })
}

fn entry(input: &Input, file: &metainfo::File<'_>) -> FileEntry {
    FileEntry {
        path: path(input, &file.path),
        length_bytes: file.length,
        padding: file.attributes.padding,
        executable: file.attributes.executable,
        hidden: file.attributes.hidden,
        symlink: file.symlink.as_deref().map(|target| path(input, target)),
        pieces_root: file.pieces_root.map(|root| root.iter().map(|byte| format!("{byte:02x}")).collect()),
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(super) fn path(input: &Input, elements: &[&[u8]]) -> String {
    lossy(&input.path(elements))
}

fn shown(input: &Input, url: &str, show_secrets: bool) -> String {
    let shown = if show_secrets { url.to_owned() } else { guard::redact_url(url) };
    lossy(&input.text(shown.as_bytes()))
}
