//! Datagrams from a UDP tracker.

use super::action::{Action, ConnectionId};
use super::request::asked;
use crate::announced::Announced;
use crate::family::Family;
use crate::fields::text;
use crate::peers::Collector;
use crate::scrape::{Counts, Scrape, Scraped};

/// A datagram from a tracker (BEP 15). It answers the request with the same transaction id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'p> {
    /// The number of the [`Action`] it answers, or of [`Action::Error`].
    pub action: u32,
    /// The transaction id of the request; 0 from some trackers that could not parse it.
    pub transaction: u32,
    body: &'p [u8],
}

/// Why a datagram does not have the requested content. Bencoded bodies have [`tracker::Error`](crate::Error).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatagramError {
    /// The tracker refuses and gives a reason, shown with terminal control characters escaped.
    #[error("tracker refuses: {}", guard::escape(reason))]
    Failure {
        /// Its message, as [`Reply::failure`] gives it.
        reason: String,
    },
    /// The answer to another action.
    #[error("expected an answer to {expected}, found action {found}")]
    Action {
        /// The requested action.
        expected: Action,
        /// The answered one.
        found: u32,
    },
    /// The right action without content: 8 bytes. opentracker sends it for a torrent that it does not serve.
    #[error("tracker refuses: empty answer to {0}, as opentracker gives for a torrent that it does not serve")]
    Empty(Action),
    /// The right action with too little content.
    #[error("answer to {action} has {found} of at least {needed} bytes")]
    Short {
        /// The requested action.
        action: Action,
        /// Bytes it must have.
        needed: usize,
        /// Bytes it has.
        found: usize,
    },
    /// Counts of several torrents, in an unknown order.
    #[error("{found} counts for {asked} entries, in an order that is not known")]
    Order {
        /// Entries of the request.
        asked: usize,
        /// Counts in the answer.
        found: usize,
    },
}

/// Bytes of action and transaction id.
const HEADER: usize = 8;

impl<'p> Reply<'p> {
    /// `None` for a datagram shorter than action and transaction id.
    #[must_use]
    pub fn parse(datagram: &'p [u8]) -> Option<Self> {
        let (&action, rest) = datagram.split_first_chunk()?;
        let (&transaction, body) = rest.split_first_chunk()?;
        Some(Self { action: u32::from_be_bytes(action), transaction: u32::from_be_bytes(transaction), body })
    }

    /// The message of an error, without the NUL that some trackers end it with. Invalid UTF-8 is replaced, an ellipsis cuts
    /// it after 1,000 characters, nothing is escaped.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let end = self.body.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        let is_error = self.action == Action::Error.number();
        is_error.then(|| text(self.body.get(..end).unwrap_or_default()))
    }

    /// The connection id: 8 bytes.
    ///
    /// # Errors
    /// A refusal, the answer to another action, or one that is too short.
    pub fn connected(&self) -> Result<ConnectionId, DatagramError> {
        let (&id, _) = self.content(Action::Connect)?;
        Ok(ConnectionId(u64::from_be_bytes(id)))
    }

    /// Interval, counts and peers: 12 bytes, and one entry for each peer. BEP 15: the entries are of the address family
    /// that the datagram came over.
    ///
    /// # Errors
    /// A refusal, the answer to another action, or one that is too short.
    pub fn announced(&self, family: Family) -> Result<Announced, DatagramError> {
        let (numbers, list) = self.content::<12>(Action::Announce)?;
        let [interval, incomplete, complete] = counts(numbers);
        let mut collector = Collector::default();
        collector.add_compact(list, family, &[]);
        let Collector { peers, skipped, .. } = collector;
        Ok(Announced { interval, complete, incomplete, peers, skipped, ..Announced::default() })
    }

    /// The counts of the torrents in `scrape`, 12 bytes each. They name no torrents, and not every tracker keeps the order of
    /// the request, as BEP 15 requires: Torrust collects them in a map, so that each torrent comes once, in any order or
    /// sorted. So several counts are accepted only if there are as many as entries in the request, and the first two, for
    /// the same torrent, are equal ([`scrape`](super::scrape)); a tracker that sorts is right then too. A tracker that
    /// shuffles all entries and has the equal ones in front by chance cannot be detected.
    ///
    /// # Errors
    /// A refusal, the answer to another action, or one without a count. [`DatagramError::Order`] where the torrents of the
    /// counts are unknown: scrape each torrent alone, or fewer in one request.
    pub fn scraped(&self, scrape: &Scrape) -> Result<Scraped, DatagramError> {
        let asked = asked(scrape);
        let (entries, _) = self.body_of(Action::Scrape, 12)?.as_chunks();
        let order = match entries {
            _ if asked.len() == 1 => true,
            [first, again, ..] => first == again && entries.len() >= asked.len(),
            _ => false,
        };
        if !order {
            return Err(DatagramError::Order { asked: asked.len(), found: entries.len() });
        }
        // The first of several is repeated.
        let files = asked.iter().zip(entries).skip(usize::from(asked.len() > 1)).map(|(&info_hash, entry)| {
            let [complete, downloaded, incomplete] = counts(entry);
            (info_hash, Counts { complete, incomplete, downloaded })
        });
        Ok(Scraped { files: files.collect(), ..Scraped::default() })
    }

    /// The body as its first `N` bytes and the rest.
    fn content<const N: usize>(&self, expected: Action) -> Result<(&'p [u8; N], &'p [u8]), DatagramError> {
        let body = self.body_of(expected, N)?;
        body.split_first_chunk().ok_or_else(|| self.short(expected, N))
    }

    /// The body of an answer to `expected`, of at least `needed` bytes. BEP 15: "Clients and trackers should not
    /// assume packets to be of a certain size."
    fn body_of(&self, expected: Action, needed: usize) -> Result<&'p [u8], DatagramError> {
        if let Some(reason) = self.failure() {
            return Err(DatagramError::Failure { reason });
        }
        if self.action != expected.number() {
            return Err(DatagramError::Action { expected, found: self.action });
        }
        match self.body.len() {
            // An empty answer to a connect is no refusal.
            0 if expected != Action::Connect => Err(DatagramError::Empty(expected)),
            length if length < needed => Err(self.short(expected, needed)),
            _ => Ok(self.body),
        }
    }

    fn short(&self, action: Action, needed: usize) -> DatagramError {
        DatagramError::Short { action, needed: HEADER + needed, found: HEADER + self.body.len() }
    }
}

/// Three counts, or numbers of seconds. They are signed on the wire; negative ones are unknown.
fn counts(bytes: &[u8; 12]) -> [Option<u32>; 3] {
    let (words, _) = bytes.as_chunks::<4>();
    let mut words = words.iter().map(|&word| i32::from_be_bytes(word).try_into().ok());
    std::array::from_fn(|_| words.next().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::Skipped;
    use ids::InfoHash;
    use proptest::prelude::*;

    fn reply(datagram: &[u8]) -> Reply<'_> {
        Reply::parse(datagram).unwrap()
    }

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_be_bytes()).collect()
    }

    fn two() -> Scrape {
        Scrape::new([InfoHash([1; 20]), InfoHash([2; 20])]).unwrap()
    }

    #[test]
    fn a_connection_id_needs_16_bytes() {
        let datagram = b"\0\0\0\0\0\0\0\x99\x01\x02\x03\x04\x05\x06\x07\x08and more";
        assert_eq!(reply(datagram).transaction, 0x99);
        assert_eq!(reply(datagram).connected(), Ok(ConnectionId(0x0102_0304_0506_0708)));
        let short = DatagramError::Short { action: Action::Connect, needed: 16, found: 15 };
        assert_eq!(reply(&datagram[..15]).connected(), Err(short));
        for length in 0..8 {
            assert_eq!(Reply::parse(&datagram[..length]), None);
        }
    }

    #[test]
    fn peers_are_of_the_family_of_the_socket() {
        let head = words(&[1, 7, 1800, 2, 3]);
        let v4 = [&head[..], b"\x7f\0\0\x01\x1a\xe1\x7f\0\0\x01\x1a\xe1\x7f\0\0\x02\0\0x"].concat();
        let announced = reply(&v4).announced(Family::V4).unwrap();
        assert_eq!((announced.interval, announced.incomplete, announced.complete), (Some(1800), Some(2), Some(3)));
        assert_eq!(announced.peers.len(), 1);
        let expected = Skipped { duplicates: 1, bad_port: 1, truncated: 1, ..Skipped::default() };
        assert_eq!(announced.skipped, expected);
        let v6 = [&head[..], &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x1a, 0xe1]].concat();
        let announced = reply(&v6).announced(Family::V6).unwrap();
        assert_eq!(announced.peers[0].address.to_string(), "[2001:db8::1]:6881");
        assert_eq!(reply(&head).announced(Family::V6).unwrap().peers, []);
    }

    #[test]
    fn negative_counts_are_unknown() {
        let datagram = words(&[1, 7, u32::MAX, 1 << 31, i32::MAX as u32]);
        let announced = reply(&datagram).announced(Family::V4).unwrap();
        assert_eq!((announced.interval, announced.incomplete), (None, None));
        assert_eq!(announced.complete, Some(0x7fff_ffff));
    }

    #[test]
    fn an_announce_answer_needs_20_bytes() {
        for length in 9..20 {
            let short = DatagramError::Short { action: Action::Announce, needed: 20, found: length };
            assert_eq!(reply(&words(&[1, 7, 1800, 2, 3])[..length]).announced(Family::V4), Err(short));
        }
        let error = reply(b"\0\0\0\x01\0\0\0\x07?").announced(Family::V4).unwrap_err();
        assert_eq!(error.to_string(), "answer to announce has 9 of at least 20 bytes");
    }

    #[test]
    fn an_empty_answer_is_a_refusal() {
        assert_eq!(reply(&words(&[1, 7])).announced(Family::V6), Err(DatagramError::Empty(Action::Announce)));
        assert_eq!(reply(&words(&[2, 7])).scraped(&two()), Err(DatagramError::Empty(Action::Scrape)));
        let short = DatagramError::Short { action: Action::Connect, needed: 16, found: 8 };
        assert_eq!(reply(&words(&[0, 7])).connected(), Err(short));
    }

    #[test]
    fn counts_are_assigned_only_in_a_proven_order() {
        let counts = |complete, downloaded, incomplete| Counts {
            complete: Some(complete),
            downloaded: Some(downloaded),
            incomplete: Some(incomplete),
        };
        // The first one twice, and more entries than requested.
        let datagram = words(&[2, 7, 5, 50, 10, 5, 50, 10, 1, 2, 3, 9, 9, 9]);
        let scraped = reply(&datagram).scraped(&two()).unwrap();
        let expected = vec![(InfoHash([1; 20]), counts(5, 50, 10)), (InfoHash([2; 20]), counts(1, 2, 3))];
        assert_eq!(scraped, Scraped { files: expected, ..Scraped::default() });
        let unknown = |found| Err(DatagramError::Order { asked: 3, found });
        // One left out, or each named once.
        assert_eq!(reply(&datagram[..43]).scraped(&two()), unknown(2));
        assert_eq!(reply(&datagram[..20]).scraped(&two()), unknown(1));
        // Another order.
        assert_eq!(reply(&words(&[2, 7, 5, 50, 10, 1, 2, 3, 5, 50, 10])).scraped(&two()), unknown(3));
        let short = DatagramError::Short { action: Action::Scrape, needed: 20, found: 19 };
        assert_eq!(reply(&datagram[..19]).scraped(&two()), Err(short));
        // With one torrent the rest is ignored.
        let one = reply(&datagram).scraped(&InfoHash([1; 20]).into()).unwrap();
        assert_eq!(one.files, [(InfoHash([1; 20]), counts(5, 50, 10))]);
    }

    #[test]
    fn errors_answer_everything_and_end_before_their_nul() {
        for (text, reason) in [
            (&b"Connection ID missmatch.\0"[..], "Connection ID missmatch."),
            (b"a\0b\0\0", "a\0b"),
            (b"\0", ""),
            (b"", ""),
        ] {
            let datagram = [&words(&[3, 7])[..], text].concat();
            let failure = DatagramError::Failure { reason: reason.to_owned() };
            assert_eq!(reply(&datagram).failure().as_deref(), Some(reason));
            assert_eq!(reply(&datagram).connected(), Err(failure.clone()));
            assert_eq!(reply(&datagram).announced(Family::V4), Err(failure.clone()));
            assert_eq!(reply(&datagram).scraped(&two()), Err(failure));
        }
        let error = DatagramError::Failure { reason: "\x1b[2J".to_owned() };
        assert_eq!(error.to_string(), "tracker refuses: \\u{1b}[2J");
        let long = [&words(&[3, 7])[..], &[b'x'; 60_000]].concat();
        assert_eq!(reply(&long).failure().unwrap().chars().count(), 1001);
    }

    #[test]
    fn the_answer_to_another_action_is_an_error() {
        let datagram = words(&[2, 7, 0, 0, 0]);
        let error = DatagramError::Action { expected: Action::Announce, found: 2 };
        assert_eq!(reply(&datagram).announced(Family::V4), Err(error));
        assert_eq!(reply(&datagram).failure(), None);
        assert!(reply(&words(&[77, 7, 0, 0])).connected().is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(
            action in 0..5_u32, body in proptest::collection::vec(any::<u8>(), 0..120), cut in 0..128_usize,
        ) {
            let datagram = [&words(&[action, 7])[..], &body].concat();
            if let Some(reply) = Reply::parse(&datagram[..cut.min(datagram.len())]) {
                let _ = (reply.failure(), reply.connected(), reply.scraped(&two()));
                let _ = (reply.announced(Family::V4), reply.announced(Family::V6));
            }
        }

        #[test]
        fn a_written_reply_is_read_back(
            numbers in any::<[u32; 3]>(), peers in proptest::collection::btree_set((any::<[u8; 4]>(), 1..u16::MAX), 0..20),
        ) {
            prop_assume!(!peers.iter().any(|(ip, _)| ip == &[0; 4]));
            let [interval, incomplete, complete] = numbers;
            let mut datagram = words(&[1, 7, interval, incomplete, complete]);
            for (ip, port) in &peers {
                datagram.extend(ip);
                datagram.extend(port.to_be_bytes());
            }
            let announced = reply(&datagram).announced(Family::V4).unwrap();
            let known = |number: u32| (number <= i32::MAX as u32).then_some(number);
            prop_assert_eq!(
                (announced.interval, announced.incomplete, announced.complete),
                (known(interval), known(incomplete), known(complete)),
            );
            let read: Vec<String> = announced.peers.iter().map(|peer| peer.address.to_string()).collect();
            let written: Vec<String> =
                peers.iter().map(|(ip, port)| format!("{}:{port}", std::net::Ipv4Addr::from(*ip))).collect();
            prop_assert_eq!((read, announced.skipped.total()), (written, 0));
        }
    }
}
