//! Recorded replies of real trackers: each is understood, or refused with its own reason.
//!
//! `fixtures/tracker/understood-http.txt` has the results; `UPDATE_SNAPSHOTS=1` writes it again.

use crate::support::{Then, replied, replied_to_scrape};
use guard::ErrorChain;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use tracker::{Announced, Scraped};
use tracker_http::{Error, Reply};

/// Peers shown of each list.
const SHOWN_PEERS: usize = 2;

fn announced(reply: &Announced) -> String {
    let mut line = counts(reply.complete, reply.incomplete, reply.downloaded);
    write!(line, ", interval {}, min interval {}", known(reply.interval), known(reply.min_interval)).unwrap();
    write!(line, "; peers {}, skipped {}", reply.peers.len(), reply.skipped.total()).unwrap();
    let with_id = reply.peers.iter().filter(|peer| peer.peer_id.is_some()).count();
    if with_id > 0 {
        write!(line, ", with id {with_id}").unwrap();
    }
    for (number, peer) in reply.peers.iter().take(SHOWN_PEERS).enumerate() {
        let separator = if number == 0 { ":" } else { "," };
        write!(line, "{separator} {}", peer.address).unwrap();
    }
    if reply.peers.len() > SHOWN_PEERS {
        line.push_str(", …");
    }
    line
}

fn scraped(reply: &Scraped) -> String {
    let mut line = format!("torrents {}, skipped {}", reply.files.len(), reply.skipped);
    for (info_hash, file) in &reply.files {
        write!(line, "; {info_hash}: {}", counts(file.complete, file.incomplete, file.downloaded)).unwrap();
    }
    line
}

fn counts(complete: Option<u32>, incomplete: Option<u32>, downloaded: Option<u32>) -> String {
    format!("complete {}, incomplete {}, downloaded {}", known(complete), known(incomplete), known(downloaded))
}

fn known(number: Option<u32>) -> String {
    number.map_or("?".to_owned(), |number| number.to_string())
}

fn line<T>(result: Result<Reply<T>, Error>, show: fn(&T) -> String) -> String {
    match result {
        Ok(reply) => show(&reply.answer),
        Err(error) => format!("{}: {}", error.code(), ErrorChain(&error)),
    }
}

async fn understood(name: &str, reply: &[u8], piece: usize) -> String {
    // A reply without a length ends with the connection.
    match name.contains("scrape") {
        true => line(replied_to_scrape(reply, piece, Then::Closes).await, scraped),
        false => line(replied(reply, piece, Then::Closes).await, announced),
    }
}

/// Every recorded HTTP reply, by name.
fn recordings(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = |folder: &Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries(folder).filter(|path| path.is_dir()).flat_map(|tracker| entries(&tracker).collect::<Vec<_>>());
    let mut named: Vec<_> = files
        .map(|file| (file.strip_prefix(folder).unwrap().to_str().unwrap().to_owned(), file))
        .filter_map(|(name, file)| Some((name.strip_suffix(".raw")?.to_owned(), file)))
        .filter(|(name, _)| name.contains("/http_"))
        .collect();
    named.sort();
    named
}

#[tokio::test]
async fn every_recorded_reply_is_understood_or_refused_for_its_reason() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tracker");
    let mut lines = String::new();
    for (name, file) in recordings(&folder) {
        let reply = std::fs::read(file).unwrap();
        let whole = understood(&name, &reply, 60_000).await;
        for piece in [1, 50] {
            assert_eq!(understood(&name, &reply, piece).await, whole, "{name} in pieces of {piece}");
        }
        writeln!(lines, "{name}: {whole}").unwrap();
    }
    let snapshot = folder.join("understood-http.txt");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&snapshot, &lines).unwrap();
    }
    let expected = std::fs::read_to_string(&snapshot).unwrap();
    for (line, expected) in lines.lines().zip(expected.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(lines.lines().count(), expected.lines().count());
}
