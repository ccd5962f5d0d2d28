//! Scrape: the peer counts of torrents, without joining their swarms (BEP 48).

use crate::announce::escaped;
use crate::error::Error;
use crate::fields::number;
use crate::latin1;
use crate::url::TrackerUrl;
use crate::url::scheme::Scheme;
use bencode::{Dict, Document, Limits, Value};
use ids::InfoHash;
use std::collections::HashSet;

/// One scrape (BEP 48; over UDP BEP 15): the torrents whose counts are wanted. It registers no peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scrape {
    info_hashes: Vec<InfoHash>,
}

/// Why a list of torrents is not a scrape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScrapeError {
    /// No torrent: to a tracker that means all of its own.
    #[error("no torrent to ask about")]
    Empty,
    /// More than fit.
    #[error("more than {max} torrents in one scrape")]
    TooMany {
        /// The limit.
        max: usize,
    },
}

impl Scrape {
    /// Most torrents in one scrape. BEP 15: "Up to about 74 torrents can be scraped at once."
    pub const MAX: usize = 74;

    /// Most torrents in one request over UDP. With the first one repeated ([`crate::udp::scrape`]) there are 70 entries, the
    /// most that aquatic_udp answers, and the datagram of 1,416 bytes fits into one packet of nearly every path over IPv4
    /// and IPv6. The 74 of BEP 15 are 1,496 bytes, which Ethernet carries only as two fragments.
    pub const MOST_OVER_UDP: usize = 69;

    /// Most torrents in one request over HTTP: aquatic_http has 4,096 bytes for its reply, 85 to 100 for each torrent.
    /// chihaya answers the first 50, opentracker 64, Torrust 74.
    pub const MOST_OVER_HTTP: usize = 40;

    /// Longest target (path and query) of a request over HTTP, in bytes. aquatic_http has 2,048 bytes for a whole request;
    /// up to 248 of them are for the header lines. Each torrent takes 31 to 71.
    pub const TARGET_BYTES: usize = 1800;

    /// Divides torrents, each once, into scrapes that each fit into one request to `url`: over HTTP the scrape URL
    /// ([`TrackerUrl::scrape`]), over UDP the tracker's. With a URL that is too long itself, each has one torrent.
    #[must_use]
    pub fn split(info_hashes: impl IntoIterator<Item = InfoHash>, url: &TrackerUrl) -> Vec<Self> {
        let mut seen = HashSet::new();
        let mut scrapes: Vec<Self> = Vec::new();
        let mut left = 0;
        for info_hash in info_hashes.into_iter().filter(|&info_hash| seen.insert(info_hash)) {
            let size = 1 + pair(&info_hash).len();
            match scrapes.last_mut().filter(|scrape| size <= left && scrape.info_hashes.len() < most_to(url)) {
                Some(scrape) => scrape.info_hashes.push(info_hash),
                None => {
                    scrapes.push(info_hash.into());
                    let most = if url.scheme() == Scheme::Udp { usize::MAX } else { Self::TARGET_BYTES };
                    left = most.saturating_sub(url.target().len());
                }
            }
            left = left.saturating_sub(size);
        }
        scrapes
    }

    /// Asks about `info_hashes`, each once.
    ///
    /// # Errors
    /// None, or more than [`Scrape::MAX`].
    pub fn new(info_hashes: impl IntoIterator<Item = InfoHash>) -> Result<Self, ScrapeError> {
        let mut wanted = Vec::new();
        for info_hash in info_hashes {
            if wanted.contains(&info_hash) {
                continue;
            }
            if wanted.len() == Self::MAX {
                return Err(ScrapeError::TooMany { max: Self::MAX });
            }
            wanted.push(info_hash);
        }
        if wanted.is_empty() { Err(ScrapeError::Empty) } else { Ok(Self { info_hashes: wanted }) }
    }

    /// The torrents, 1 to [`Scrape::MAX`], no two alike.
    #[must_use]
    pub fn info_hashes(&self) -> &[InfoHash] {
        &self.info_hashes
    }

    /// The query string, without a leading `?` or `&`.
    #[must_use]
    pub fn query(&self) -> String {
        let pairs: Vec<String> = self.info_hashes.iter().map(pair).collect();
        pairs.join("&")
    }
}

/// The part of the query for one torrent.
fn pair(info_hash: &InfoHash) -> String {
    format!("info_hash={}", escaped(&info_hash.0))
}

/// Most torrents in one request to `url`.
fn most_to(url: &TrackerUrl) -> usize {
    if url.scheme() == Scheme::Udp { Scrape::MOST_OVER_UDP } else { Scrape::MOST_OVER_HTTP }
}

impl From<InfoHash> for Scrape {
    /// Asks about one torrent.
    fn from(info_hash: InfoHash) -> Self {
        Self { info_hashes: vec![info_hash] }
    }
}

/// A tracker's answer to a scrape (BEP 48).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scraped {
    /// Torrents in the tracker's order; it may leave out requested ones and add others.
    pub files: Vec<(InfoHash, Counts)>,
    /// Entries not in `files`: a key that is not 20 bytes, even decoded from text, or a value that is not a dictionary.
    pub skipped: usize,
    /// Seconds to wait before the next scrape.
    pub min_request_interval: Option<u32>,
}

/// The peers of one torrent, as the tracker counts them; `None` where it does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Seeds.
    pub complete: Option<u32>,
    /// Leechers.
    pub incomplete: Option<u32>,
    /// Completed downloads.
    pub downloaded: Option<u32>,
}

impl Scraped {
    /// Reads the body of a reply.
    ///
    /// # Errors
    /// The tracker's refusal, or why this is not a reply to a scrape.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let document = Document::parse_lenient(body, Limits::TRACKER_REPLY)?;
        let reply = document.root().as_dict().ok_or(Error::NotADict)?;
        if let Some(failure) = Error::failure(reply) {
            return Err(failure);
        }
        // Some trackers write `host` instead.
        let files = reply.dict("files").or_else(|error| reply.dict("host").map_err(|_| error));
        let flags = reply.dict("flags").ok();
        let mut scraped = Self {
            min_request_interval: flags.and_then(|flags| number(flags, "min_request_interval")),
            ..Self::default()
        };
        let files = match files {
            // PHP has one type of array, and writes an empty one as a list.
            Err(_) if is_empty_list(reply.get(b"files")) => return Ok(scraped),
            files => files.map_err(Error::NotATracker)?,
        };
        for (key, value) in files.iter() {
            match (info_hash(key), value.as_dict()) {
                (Some(info_hash), Some(dict)) => scraped.files.push((info_hash, Counts::read(dict))),
                _ => scraped.skipped += 1,
            }
        }
        Ok(scraped)
    }

    /// The counts of one torrent, if the tracker gave them.
    #[must_use]
    pub fn counts(&self, info_hash: InfoHash) -> Option<Counts> {
        self.files.iter().find(|(named, _)| *named == info_hash).map(|&(_, counts)| counts)
    }

    /// The torrents of `scrape` that the tracker left out. Some trackers leave out unknown torrents, others answer for the
    /// first or the last `info_hash` of a request, or for a certain number of them: only a torrent that is left out of the
    /// answer to a scrape of its own is unknown to the tracker.
    #[must_use]
    pub fn missing(&self, scrape: &Scrape) -> Vec<InfoHash> {
        let given: HashSet<InfoHash> = self.files.iter().map(|&(info_hash, _)| info_hash).collect();
        scrape.info_hashes.iter().copied().filter(|info_hash| !given.contains(info_hash)).collect()
    }
}

fn is_empty_list(value: Option<Value<'_>>) -> bool {
    value.and_then(Value::as_list).is_some_and(|list| list.iter().next().is_none())
}

/// The torrent of a key: 20 bytes, or the text that bittorrent-tracker 11 writes for them.
fn info_hash(key: &[u8]) -> Option<InfoHash> {
    let bytes = <[u8; 20]>::try_from(key).ok();
    bytes.or_else(|| latin1::undo(key)?.try_into().ok()).map(InfoHash)
}

impl Counts {
    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn read(dict: Dict<'_>) -> Self {
        Self {
            complete: number(dict, "complete"),
            incomplete: number(dict, "incomplete"),
            downloaded: number(dict, "downloaded"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bencode::Encoder;
    use proptest::prelude::*;

    const A: InfoHash = InfoHash([b'a'; 20]);
    const B: InfoHash = InfoHash([0xfb; 20]);

    #[test]
    fn each_torrent_is_asked_about_once() {
        let scrape = Scrape::new([A, B, A]).unwrap();
        assert_eq!(scrape.info_hashes(), [A, B]);
        assert_eq!(scrape.query(), format!("info_hash={}&info_hash={}", "a".repeat(20), "%FB".repeat(20)));
    }

    #[test]
    fn no_torrent_and_more_than_74_are_refused() {
        assert_eq!(Scrape::new([]), Err(ScrapeError::Empty));
        let hashes = |count: u8| (0..count).map(|number| InfoHash([number; 20]));
        assert_eq!(Scrape::new(hashes(74)).unwrap().info_hashes().len(), 74);
        assert_eq!(Scrape::new(hashes(75)), Err(ScrapeError::TooMany { max: 74 }));
    }

    #[test]
    fn torrents_are_split_by_the_limits_of_a_request() {
        let split = |url: &str, hashes: &[InfoHash]| {
            let url = url.parse().unwrap();
            let scrapes = Scrape::split(hashes.iter().copied(), &url);
            let asked: Vec<InfoHash> = scrapes.iter().flat_map(|scrape| scrape.info_hashes().to_vec()).collect();
            assert_eq!(asked, hashes);
            let longest = scrapes.iter().map(|scrape| url.target_with(&scrape.query()).len()).max();
            let sizes: Vec<usize> = scrapes.iter().map(|scrape| scrape.info_hashes().len()).collect();
            (sizes, longest.unwrap_or_default())
        };
        let dense: Vec<InfoHash> = (0..100).map(|number| InfoHash([number | 0x80; 20])).collect();
        let plain: Vec<InfoHash> = (b'A'..=b'Z').chain(b'a'..=b'z').map(|letter| InfoHash([letter; 20])).collect();
        assert_eq!(split("udp://t.example:1/announce", &plain), (vec![52], 1621));
        assert_eq!(split("udp://t.example:1", &dense[..70]).0, [69, 1]);
        assert_eq!(split("http://t.example/scrape", &plain), (vec![40, 12], 1247));
        // 7 bytes of path, and 71 for each torrent.
        assert_eq!(split("http://t.example/scrape", &dense), (vec![25, 25, 25, 25], 1782));
        let long = format!("http://t.example/scrape?passkey={}", "k".repeat(2000));
        assert_eq!(split(&long, &dense[..2]).0, [1, 1]);
        assert_eq!(split("http://t.example/scrape", &[]).0, [0; 0]);
        let twice = Scrape::split([A, B, A], &"http://t.example/scrape".parse().unwrap());
        assert_eq!(twice, [Scrape::new([A, B]).unwrap()]);
    }

    #[test]
    fn torrents_left_out_are_missing() {
        let scraped = Scraped { files: vec![(B, Counts::default())], ..Scraped::default() };
        let c = InfoHash([3; 20]);
        assert_eq!(scraped.missing(&Scrape::new([A, B, c]).unwrap()), [A, c]);
        assert_eq!(scraped.missing(&B.into()), []);
    }

    #[test]
    fn replies_in_all_known_forms_are_read() {
        let counts = Counts { complete: Some(5), incomplete: Some(10), downloaded: Some(50) };
        let entry = "d8:completei5e10:downloadedi50e10:incompletei10ee";
        let a = "a".repeat(20);
        for (body, files, skipped, interval) in [
            (format!("d5:filesd20:{a}{entry}ee"), vec![(A, counts)], 0, None),
            (format!("d4:hostd20:{a}{entry}ee"), vec![(A, counts)], 0, None),
            (
                format!("d5:filesd20:{a}dee5:flagsd20:min_request_intervali600eee"),
                vec![(A, Counts::default())],
                0,
                Some(600),
            ),
            (
                format!("d5:filesd20:{a}{entry}19:{}{entry}20:{}i1eee", "b".repeat(19), "c".repeat(20)),
                vec![(A, counts)],
                2,
                None,
            ),
            (
                format!("d5:filesd20:{a}d8:completei-1e10:incompletei4294967296eeee"),
                vec![(A, Counts::default())],
                0,
                None,
            ),
            // B as UTF-8, and 20 characters of which one is above U+00FF.
            (format!("d5:filesd40:{}{entry}ee", "\u{fb}".repeat(20)), vec![(B, counts)], 0, None),
            (format!("d5:filesd40:{}\u{100}{entry}ee", "\u{fb}".repeat(19)), vec![], 1, None),
            (format!("d5:filesd38:{}{entry}ee", "\u{fb}".repeat(19)), vec![], 1, None),
            // Twenty bytes are the hash, even where they are also text.
            (
                format!("d5:filesd20:{}{entry}ee", "\u{fb}".repeat(10)),
                vec![(
                    InfoHash(*b"\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb\xc3\xbb"),
                    counts,
                )],
                0,
                None,
            ),
            ("d5:filesdee\r\n".to_owned(), vec![], 0, None),
            ("d5:filesle5:flagsd20:min_request_intervali600eee".to_owned(), vec![], 0, Some(600)),
        ] {
            let expected = Scraped { files, skipped, min_request_interval: interval };
            assert_eq!(Scraped::parse(body.as_bytes()), Ok(expected), "{body}");
        }
    }

    #[test]
    fn other_bodies_are_errors() {
        let error = |body: &str| Scraped::parse(body.as_bytes()).unwrap_err();
        assert_eq!(error("d14:failure reason2:no5:filesdee").to_string(), "tracker refuses: no");
        assert!(matches!(error("d5:filesi1ee"), Error::NotATracker(_)));
        assert!(matches!(error("d5:filesli1eee"), Error::NotATracker(_)));
        assert!(matches!(error("d8:intervali1ee"), Error::NotATracker(_)));
        assert_eq!(error("le"), Error::NotADict);
        assert!(matches!(error("<html>"), Error::Bencode(_)));
    }

    #[test]
    fn the_first_of_two_entries_for_one_torrent_counts() {
        let body = format!("d5:filesd20:{0}d8:completei1ee20:{0}d8:completei2eeee", "a".repeat(20));
        assert_eq!(Scraped::parse(body.as_bytes()).unwrap().counts(A).unwrap().complete, Some(1));
        assert_eq!(Scraped::default().counts(A), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = Scraped::parse(&body);
        }

        #[test]
        fn a_written_reply_is_read_back(
            files in proptest::collection::btree_map(any::<[u8; 20]>(), any::<[u32; 3]>(), 0..10), interval in any::<u32>(),
        ) {
            let body = Encoder::encode(|encoder| {
                encoder.dict(|reply| {
                    reply.entry(b"files").dict(|list| {
                        for (hash, [complete, downloaded, incomplete]) in &files {
                            list.entry(hash).dict(|counts| {
                                counts.entry(b"complete").int((*complete).into());
                                counts.entry(b"downloaded").int((*downloaded).into());
                                counts.entry(b"incomplete").int((*incomplete).into());
                            });
                        }
                    });
                    reply.entry(b"flags").dict(|flags| flags.entry(b"min_request_interval").int(interval.into()));
                });
            });
            let read = files.into_iter().map(|(hash, [complete, downloaded, incomplete])| {
                let counts = Counts { complete: Some(complete), incomplete: Some(incomplete), downloaded: Some(downloaded) };
                (InfoHash(hash), counts)
            });
            let expected = Scraped { files: read.collect(), skipped: 0, min_request_interval: Some(interval) };
            prop_assert_eq!(Scraped::parse(&body.unwrap()), Ok(expected));
        }
    }
}
