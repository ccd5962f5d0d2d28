//! Recorded messages of real nodes, each understood or refused.
//!
//! `fixtures/dht/understood.txt` has the results; `UPDATE_SNAPSHOTS=1` writes it again.

use dht::Version;
use dht::krpc::{Message, Refusal, Reply, Skipped};
use std::error::Error;
use std::fmt::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// One recorded datagram.
struct Recording {
    /// `program/case`.
    name: String,
    datagram: Vec<u8>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/dht")
}

/// Every recording: after the fields of a file, each has a line with its case and an indented one with the datagram.
fn recordings() -> Vec<Recording> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| !path.ends_with("understood.txt")).collect();
    files.sort();
    let mut recordings = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (fields, messages) = text.split_once("\n\n").unwrap();
        assert!(fields.starts_with("program") && fields.contains("\nrecorded"), "{}", file.display());
        let program = file.file_stem().unwrap().to_str().unwrap();
        for message in messages.split("\n\n") {
            let (case, datagram) = message.split_once("\n  ").unwrap();
            recordings.push(Recording {
                name: format!("{program}/{case}"),
                datagram: unescaped(datagram.trim_end_matches('\n')),
            });
        }
    }
    recordings
}

/// Bytes as [`u8::escape_ascii`] writes them.
fn unescaped(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = match (byte, after) {
            (b'\\', [b't', after @ ..]) => (b'\t', after),
            (b'\\', [b'n', after @ ..]) => (b'\n', after),
            (b'\\', [b'r', after @ ..]) => (b'\r', after),
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digits = [*high, *low];
                (u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap(), after)
            }
            (b'\\', [escaped, after @ ..]) => (*escaped, after),
            (byte, after) => (byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    bytes
}

fn shown(datagram: &[u8]) -> String {
    match Message::parse(datagram) {
        Ok(Message::Reply(reply)) => reply_shown(&reply),
        Ok(Message::Error(refusal)) => refusal_shown(&refusal),
        Ok(Message::Query(query)) => {
            format!("query {}{}", query.method.escape_ascii(), by(query.version.as_ref()))
        }
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            format!("refused: {error}{cause}")
        }
    }
}

fn reply_shown(reply: &Reply) -> String {
    let mut line = format!("reply to '{}'{}", reply.transaction.escape_ascii(), by(reply.version.as_ref()));
    let v6 = reply.nodes.iter().filter(|node| node.address.is_ipv6()).count();
    write!(line, ", nodes {}+{v6}", reply.nodes.len() - v6).unwrap();
    let valid = reply.nodes.iter().filter(|node| node.id.is_valid_for(node.address.ip())).count();
    line += &if valid > 0 { format!(" ({valid} valid ids)") } else { String::new() };
    line += &skipped(&reply.skipped_nodes);
    if reply.has_values {
        write!(line, ", peers {}{}", reply.peers.len(), skipped(&reply.skipped_peers)).unwrap();
        reply.peers.first().iter().for_each(|peer| write!(line, " from {peer}").unwrap());
    }
    reply.token.iter().for_each(|token| write!(line, ", token of {}", token.len()).unwrap());
    reply.filters.iter().for_each(|filters| {
        write!(line, ", filters {} and {}", filters.seeds.estimate(), filters.peers.estimate()).unwrap();
    });
    line + &seen_as(reply.external)
}

fn refusal_shown(refusal: &Refusal) -> String {
    let id = if refusal.id.is_some() { ", with its id" } else { "" };
    let by = by(refusal.version.as_ref());
    format!("{refusal}{by}{id}{}", seen_as(refusal.external))
}

fn by(version: Option<&Version>) -> String {
    version.map(|version| format!(" by {version}")).unwrap_or_default()
}

fn seen_as(external: Option<SocketAddr>) -> String {
    external.map(|address| format!(", seen as {address}")).unwrap_or_default()
}

fn skipped(skipped: &Skipped) -> String {
    let kinds = skipped.kinds().into_iter().filter(|(_, count)| *count > 0);
    kinds.map(|(kind, count)| format!(" {kind} {count}")).collect()
}

#[test]
fn every_recorded_message_is_understood_or_refused_for_its_reason() {
    let mut lines = String::new();
    for Recording { name, datagram } in recordings() {
        writeln!(lines, "{name}: {}", shown(&datagram)).unwrap();
    }
    let snapshot = folder().join("understood.txt");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&snapshot, &lines).unwrap();
    }
    let expected = std::fs::read_to_string(&snapshot).unwrap();
    for (line, expected) in lines.lines().zip(expected.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(lines.lines().count(), expected.lines().count());
}

#[test]
fn a_cut_message_is_no_message_or_the_same() {
    for Recording { name, datagram } in recordings() {
        let whole = shown(&datagram);
        for end in 0..datagram.len() {
            let cut = shown(&datagram[..end]);
            assert!(cut == whole || cut.starts_with("refused: message is not bencode"), "{name}, {end} bytes: {cut}");
        }
    }
}
