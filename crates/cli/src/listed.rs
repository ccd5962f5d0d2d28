//! The targets of lists: where each stands, and what a later line about the same torrent adds.

use crate::origin::Origin;
use ids::InfoHash;
use metainfo::Magnet;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::path::PathBuf;

/// Most later lines about a torrent whose link is looked at: each is compared with all that the first has by then.
const MOST_LINKS: u8 = 64;

/// Targets of lists, so that each is run once. There may be more than a million.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    /// The names of the lists, safe to show.
    lists: Vec<String>,
    hashes: HashMap<InfoHash, Hash>,
    paths: HashSet<PathBuf>,
    /// Files, as they are called.
    files: HashMap<String, Place>,
}

/// A line of a list.
#[derive(Clone, Copy, Debug)]
struct Place {
    list: usize,
    line: usize,
}

/// A torrent that is known by its hash.
#[derive(Debug)]
struct Hash {
    place: Place,
    /// Its place among all origins.
    origin: usize,
    /// Later lines that have been looked at.
    links: u8,
}

impl Listed {
    /// The lines that follow are of this list.
    pub(crate) fn begin(&mut self, list: &str) {
        self.lists.push(list.to_owned());
    }

    /// Whether the target of this line is there for the first time; then it becomes the origin of this number.
    pub(crate) fn is_new(&mut self, target: &Origin, line: usize, origin: usize) -> bool {
        let place = Place { list: self.lists.len().saturating_sub(1), line };
        match (target, target.info_hash()) {
            (_, Some(hash)) => {
                let is_new = !self.hashes.contains_key(&hash);
                self.hashes.entry(hash).or_insert(Hash { place, origin, links: 0 });
                is_new
            }
            (Origin::File(path), None) => self.paths.insert(path.canonicalize().unwrap_or_else(|_| path.clone())),
            _ => true,
        }
    }

    /// These came of this line.
    pub(crate) fn came_of(&mut self, origins: &[Origin], line: usize) {
        let place = Place { list: self.lists.len().saturating_sub(1), line };
        let files = origins.iter().filter(|origin| matches!(origin, Origin::File(_)));
        self.files.extend(files.map(|file| (file.given(), place)));
    }

    /// Adds to the first link of a torrent what a later one has beyond it. Whether that is anything.
    pub(crate) fn add(&mut self, later: Origin, origins: &mut [Origin]) -> bool {
        let Origin::Magnet(link) = &later else { return false };
        let hash = later.info_hash().and_then(|hash| self.hashes.get_mut(&hash)).filter(|hash| hash.links < MOST_LINKS);
        let Some((hash, magnet)) = hash.zip(Magnet::parse(link).ok()) else { return false };
        if magnet.trackers.is_empty() && magnet.web_seeds.is_empty() && magnet.peers.is_empty() {
            return false;
        }
        hash.links += 1;
        match origins.get_mut(hash.origin) {
            Some(first @ Origin::Hash(_)) => *first = later,
            Some(Origin::Magnet(first)) => return add(first, &magnet),
            _ => return false,
        }
        true
    }

    /// Where in a list a target stands that is called so: `links.txt:17`, safe to show.
    pub(crate) fn line_of(&self, given: &str) -> Option<String> {
        let hash = given.parse().ok().and_then(|hash| self.hashes.get(&hash));
        let Place { list, line } = hash.map(|hash| hash.place).or_else(|| self.files.get(given).copied())?;
        Some(format!("{}:{line}", self.lists.get(list)?))
    }
}

/// Adds trackers, web seeds and peers, as far as a link may have them. Whether there were any.
fn add(first: &mut String, later: &Magnet) -> bool {
    let Ok(known) = Magnet::parse(first) else { return false };
    let mut link = first.trim_end().to_owned();
    let mut has_added = false;
    let mut append = |name: &str, value: &str, is_room: bool| {
        let field = format!("&{name}={}", encoded(value));
        if is_room && link.len() + field.len() <= Magnet::MAX_BYTES {
            link.push_str(&field);
            has_added = true;
            return 1;
        }
        0
    };
    let mut trackers = known.trackers.len();
    for tracker in later.trackers.iter().filter(|tracker| known.trackers.iter().all(|known| known.url != tracker.url)) {
        trackers += append("tr", &tracker.url, trackers < Magnet::MAX_TRACKERS);
    }
    let mut web_seeds = known.web_seeds.len();
    for url in later.web_seeds.iter().filter(|url| !known.web_seeds.contains(url)) {
        web_seeds += append("ws", url, web_seeds < Magnet::MAX_WEB_SEEDS);
    }
    let mut peers = known.peers.len();
    for peer in later.peers.iter().filter(|peer| !known.peers.contains(peer)) {
        peers += append("x.pe", &peer.to_string(), peers < Magnet::MAX_PEERS);
    }
    // A link that was encoded as a whole takes no more.
    let is_read = has_added && Magnet::parse(&link).is_ok_and(|magnet| magnet.hashes == known.hashes);
    if is_read {
        *first = link;
    }
    is_read
}

/// Percent-encoded, but for what a value may have as it is.
fn encoded(value: &str) -> String {
    value.bytes().fold(String::with_capacity(value.len()), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "0123456789abcdef0123456789abcdef01234567";

    fn link(more: &str) -> Origin {
        Origin::Magnet(format!("magnet:?xt=urn:btih:{HASH}{more}"))
    }

    /// What the first link is in the end, and which of the later ones added something.
    fn merged(first: Origin, later: Vec<Origin>) -> (Origin, Vec<bool>) {
        let mut listed = Listed::default();
        listed.begin("l");
        assert!(listed.is_new(&first, 1, 0));
        let mut origins = [first];
        let added = later.into_iter().map(|origin| {
            assert!(!listed.is_new(&origin, 2, 1));
            listed.add(origin, &mut origins)
        });
        let added = added.collect();
        let [first] = origins;
        (first, added)
    }

    #[test]
    fn a_later_link_adds_what_the_first_one_lacks() {
        let bare = || Origin::Hash(HASH.parse().unwrap());
        let first = link("&tr=http%3A%2F%2Fa.example%2Fannounce%3Fkey%3D1%262");
        let later = vec![
            bare(),
            link("&dn=x"),
            // The same in another spelling.
            link("&tr=http://a.example/announce%3fkey=1%262"),
            link("&tr=udp://b.example:1/&ws=http%3A%2F%2Fw.example%2Fa%20b&x.pe=127.0.0.1:7&x.pe=[::1]:8"),
            link("&tr.1=udp://b.example:1/&x.pe=127.0.0.1:7"),
        ];
        let (Origin::Magnet(all), added) = merged(first, later) else { panic!() };
        assert_eq!(added, [false, false, false, true, false]);
        let magnet = Magnet::parse(&all).unwrap();
        let trackers: Vec<&str> = magnet.trackers.iter().map(|tracker| &*tracker.url).collect();
        assert_eq!(trackers, ["http://a.example/announce?key=1&2", "udp://b.example:1/"]);
        assert_eq!((magnet.web_seeds, magnet.peers.len()), (vec!["http://w.example/a b".to_owned()], 2));
        let with_one = link("&tr=udp://b.example:1/");
        assert_eq!(merged(bare(), vec![with_one.clone()]), (with_one, vec![true]));
    }

    #[test]
    fn what_is_added_is_bounded() {
        let long = |n: usize| link(&format!("&tr=http://{n}.example/{}", "x".repeat(40_000)));
        let (Origin::Magnet(all), added) = merged(long(1), vec![long(2), link("&tr=udp://b.example:1/")]) else {
            panic!()
        };
        assert_eq!((added, all.len() < 41_000), (vec![false, true], true));
        let later = (0..100).map(|n| link(&format!("&tr=udp://{n}.example:1/"))).collect();
        let (_, added) = merged(link(""), later);
        assert_eq!(added.iter().filter(|added| **added).count(), usize::from(MOST_LINKS));
        let many = |from: usize| (from..from + 1000).fold(String::new(), |all, n| all + &format!("&tr=udp://{n}.x:1/"));
        let (Origin::Magnet(all), _) = merged(link(&many(0)), vec![link(&many(1000))]) else { panic!() };
        assert_eq!(Magnet::parse(&all).unwrap().trackers.len(), Magnet::MAX_TRACKERS);
    }

    #[test]
    fn a_target_has_its_line() {
        let mut listed = Listed::default();
        listed.begin("a.txt");
        listed.begin("b\\u{1b}.txt");
        assert!(listed.is_new(&link(""), 17, 0));
        listed.came_of(&[Origin::File("x/y.torrent".into())], 18);
        assert_eq!(listed.line_of(HASH).as_deref(), Some("b\\u{1b}.txt:17"));
        assert_eq!(listed.line_of("x/y.torrent").as_deref(), Some("b\\u{1b}.txt:18"));
        assert_eq!(listed.line_of("z"), None);
    }
}
