//! Replies to scrapes over HTTP: every entry is read or counted as skipped, and what was read is the same when it is written.

use crate::announce::refused;
use crate::memory;
use bencode::{Document, Encoder, Limits};
use std::collections::HashSet;
use tracker::{Counts, Scraped};

/// Memory for each byte of the input: 16 for the tape, and 44 for a torrent, whose entry takes at least 25 bytes, in a list
/// with twice the capacity it needs.
const TIMES_THE_INPUT: usize = 20;
/// Memory for any input: the tracker's texts.
const BESIDE: usize = 12 << 10;

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    match memory::bounded(TIMES_THE_INPUT * input.len() + BESIDE, || Scraped::parse(input)) {
        Ok(scraped) => {
            assert_eq!(scraped.files.len() + scraped.skipped, entries(input), "each is read or skipped");
            let mut seen = HashSet::new();
            let (mut kept, total) = (scraped.clone(), scraped.files.len());
            kept.files.retain(|(info_hash, _)| seen.insert(*info_hash));
            for &(info_hash, counts) in &kept.files {
                assert_eq!(scraped.counts(info_hash), Some(counts), "the first entry of an info-hash counts");
            }
            assert!(kept.files.len() <= total);
            kept.skipped = 0;
            kept.files.sort_by_key(|(info_hash, _)| info_hash.0);
            assert_eq!(Scraped::parse(&written(&kept)), Ok(kept));
        }
        Err(error) => refused(input, &error),
    }
}

/// Entries of the list, duplicates included.
fn entries(input: &[u8]) -> usize {
    let document = Document::parse_lenient(input, Limits::TRACKER_REPLY).expect("a reply is bencode");
    let reply = document.root().as_dict().expect("a reply is a dictionary");
    // An empty list is an empty dictionary.
    reply.dict("files").or_else(|_| reply.dict("host")).map_or(0, |files| files.iter().count())
}

fn written(scraped: &Scraped) -> Vec<u8> {
    let bytes = Encoder::encode(|value| {
        value.dict(|reply| {
            reply.entry(b"files").dict(|files| {
                for (info_hash, counts) in &scraped.files {
                    let Counts { complete, incomplete, downloaded } = counts;
                    files.entry(&info_hash.0).dict(|dict| {
                        complete.iter().for_each(|&count| dict.entry(b"complete").int(count.into()));
                        incomplete.iter().for_each(|&count| dict.entry(b"incomplete").int(count.into()));
                        downloaded.iter().for_each(|&count| dict.entry(b"downloaded").int(count.into()));
                    });
                }
            });
            reply.entry(b"flags").dict(|flags| {
                let seconds = scraped.min_request_interval;
                seconds.iter().for_each(|&seconds| flags.entry(b"min_request_interval").int(seconds.into()));
            });
        });
    });
    bytes.expect("each key once")
}
