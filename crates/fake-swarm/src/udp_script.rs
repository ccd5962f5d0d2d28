//! What a fake UDP tracker answers: the packets of BEP 15, written by hand.

use std::net::{IpAddr, SocketAddr};

use sha1::{Digest, Sha1};

use crate::datagram::Datagram;

/// What a fake UDP tracker does with each datagram. Whatever it does, the datagram is recorded first.
///
/// Unless told otherwise it does what BEP 15 says: it hands out a connection id, refuses announces and scrapes without
/// it as opentracker does, and answers the others. The fields may be combined.
///
/// ```
/// use fake_swarm::UdpScript;
/// let late_and_rude = UdpScript { silent_for: 2, error: Some("go away".to_owned()), ..UdpScript::default() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UdpScript {
    /// The peers; over IPv4 those of IPv4 are listed (6 bytes each), over IPv6 those of IPv6 (18 bytes each).
    pub peers: Vec<SocketAddr>,
    /// Seconds to the next announce.
    pub interval: u32,
    /// What is counted of each torrent, by info-hash; 0 peers of any other torrent.
    pub counts: Vec<([u8; 20], UdpCounts)>,
    /// How many datagrams, of all senders together, get no answer before the first that does.
    pub silent_for: usize,
    /// How the transaction id of the question is repeated.
    pub transactions: Transactions,
    /// How often each reply is sent again: a flood.
    pub again: usize,
    /// The text of an error packet (action 3) to every announce and every scrape.
    pub error: Option<String>,
    /// The length that replies to announces and scrapes are cut to: 8 is what opentracker sends for a torrent it does
    /// not know.
    pub cut: Option<usize>,
    /// Whether a scrape's counts come sorted by info-hash, each torrent once, as torrust sends them, and not in the order
    /// asked.
    pub scrape_sorted: bool,
    /// How many torrents of one scrape are answered for, the first ones.
    pub scrape_most: usize,
    /// Another loopback address that replies come from, as those of a tracker with several addresses; its own if `None`.
    pub replies_from: Option<SocketAddr>,
}

/// What a tracker counts of one torrent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UdpCounts {
    /// Peers that have all of it.
    pub seeders: u32,
    /// Downloads that were ever completed.
    pub completed: u32,
    /// Peers that do not.
    pub leechers: u32,
}

/// How a fake UDP tracker repeats the transaction id of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transactions {
    /// As it was sent.
    Right,
    /// This number of replies with a wrong one before the reply with the right one: spoofed answers that guess.
    AfterForgeries(usize),
    /// Always wrong, as on torrust's errors.
    Wrong,
    /// Right in the reply to a connect, and wrong in all others.
    WrongAfterConnect,
}

impl Default for UdpScript {
    /// A tracker that counts 0 peers, with an interval of 1800 s.
    fn default() -> Self {
        Self {
            peers: Vec::new(),
            interval: 1800,
            counts: Vec::new(),
            silent_for: 0,
            transactions: Transactions::Right,
            again: 0,
            error: None,
            cut: None,
            scrape_sorted: false,
            scrape_most: usize::MAX,
            replies_from: None,
        }
    }
}

/// The error that opentracker sends, spelt as it spells it.
const CONNECTION_MISMATCH: &str = "Connection ID missmatch.\0";

/// The constant that stands for the connection id in a connect (BEP 15).
const MAGIC: [u8; 8] = [0, 0, 4, 0x17, 0x27, 0x10, 0x19, 0x80];

impl UdpScript {
    /// A tracker that lists these peers.
    #[must_use]
    pub fn peers<A: Into<SocketAddr>>(peers: impl IntoIterator<Item = A>) -> Self {
        Self { peers: peers.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// A tracker that never answers.
    #[must_use]
    pub fn silence() -> Self {
        Self { silent_for: usize::MAX, ..Self::default() }
    }

    /// The datagrams to send back, in this order, when `before` datagrams came before this one.
    ///
    /// No socket is needed for it, so a test may serve it wherever it likes.
    #[must_use]
    pub fn answers(&self, question: &Datagram, before: usize) -> Vec<Vec<u8>> {
        let Some((action, body)) = self.reply(question).filter(|_| before >= self.silent_for) else {
            return Vec::new();
        };
        let right = question.transaction().unwrap_or_default();
        let wrong = right.map(|byte| !byte);
        let packet = |transaction: [u8; 4]| {
            let mut packet = [action.to_be_bytes().as_slice(), &transaction, &body].concat();
            if question.action() != Some(0) {
                packet.truncate(self.cut.unwrap_or(usize::MAX));
            }
            packet
        };
        let is_connect = question.action() == Some(0);
        let replies: Vec<Vec<u8>> = match self.transactions {
            Transactions::AfterForgeries(forgeries) => {
                let forged = std::iter::repeat_n(wrong, forgeries);
                forged.chain([right]).map(packet).collect()
            }
            Transactions::Wrong => vec![packet(wrong)],
            Transactions::WrongAfterConnect if !is_connect => vec![packet(wrong)],
            Transactions::Right | Transactions::WrongAfterConnect => vec![packet(right)],
        };
        replies.iter().flat_map(|reply| std::iter::repeat_n(reply.clone(), self.again.saturating_add(1))).collect()
    }

    /// The reply's action and what follows the transaction id; `None` for what is no question of BEP 15.
    fn reply(&self, question: &Datagram) -> Option<(u32, Vec<u8>)> {
        question.transaction()?;
        let connection = connection_id(question.remote);
        if question.action() == Some(0) {
            return (question.connection() == Some(MAGIC)).then(|| (0, connection.to_vec()));
        }
        let (announce, scrape) = (question.announce(), question.scrape());
        if announce.is_none() && scrape.is_none() {
            return None;
        }
        if question.connection() != Some(connection) {
            return Some((3, CONNECTION_MISMATCH.into()));
        }
        if let Some(error) = &self.error {
            return Some((3, error.clone().into_bytes()));
        }
        announce
            .map(|announce| (1, self.announced(announce.info_hash, question.remote.ip())))
            .or_else(|| scrape.map(|hashes| (2, self.scraped(hashes))))
    }

    /// Interval, leechers, seeders and the peers of the family that asks.
    fn announced(&self, info_hash: [u8; 20], asker: IpAddr) -> Vec<u8> {
        let counts = self.counts_of(&info_hash);
        let mut body: Vec<u8> =
            [self.interval, counts.leechers, counts.seeders].into_iter().flat_map(u32::to_be_bytes).collect();
        for peer in &self.peers {
            match (peer.ip(), asker) {
                (IpAddr::V4(ip), IpAddr::V4(_)) => body.extend(ip.octets()),
                (IpAddr::V6(ip), IpAddr::V6(_)) => body.extend(ip.octets()),
                _ => continue,
            }
            body.extend(peer.port().to_be_bytes());
        }
        body
    }

    /// Twelve bytes a torrent.
    fn scraped(&self, mut hashes: Vec<[u8; 20]>) -> Vec<u8> {
        if self.scrape_sorted {
            hashes.sort_unstable();
            hashes.dedup();
        }
        hashes.truncate(self.scrape_most);
        let counts = hashes.iter().map(|info_hash| self.counts_of(info_hash));
        counts.flat_map(|of| [of.seeders, of.completed, of.leechers]).flat_map(u32::to_be_bytes).collect()
    }

    fn counts_of(&self, info_hash: &[u8; 20]) -> UdpCounts {
        self.counts.iter().find(|(known, _)| known == info_hash).map(|(_, counts)| *counts).unwrap_or_default()
    }
}

/// The connection id of one address, which cannot be guessed from another's.
fn connection_id(remote: SocketAddr) -> [u8; 8] {
    let digest: [u8; 20] = Sha1::digest(remote.to_string()).into();
    let [a, b, c, d, e, f, g, h, ..] = digest;
    [a, b, c, d, e, f, g, h]
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: [u8; 20] = [b'h'; 20];

    fn from(remote: &str, bytes: &[&[u8]]) -> Datagram {
        Datagram { bytes: bytes.concat(), remote: remote.parse().unwrap() }
    }

    fn connect(remote: &str) -> Datagram {
        from(remote, &[&MAGIC, b"\0\0\0\0TTTT"])
    }

    /// The connection id that a script hands to this address.
    fn connected(script: &UdpScript, remote: &str) -> [u8; 8] {
        let answers = script.answers(&connect(remote), 0);
        assert_eq!(&answers[0][..8], b"\0\0\0\0TTTT");
        answers[0][8..].try_into().unwrap()
    }

    fn announce(script: &UdpScript, remote: &str) -> Datagram {
        from(remote, &[&connected(script, remote), b"\0\0\0\x01tttt", &HASH, &[0; 62]])
    }

    fn scrape(script: &UdpScript, hashes: &[[u8; 20]]) -> Datagram {
        from("127.0.0.1:1", &[&connected(script, "127.0.0.1:1"), b"\0\0\0\x02ssss", hashes.as_flattened()])
    }

    fn script() -> UdpScript {
        UdpScript {
            counts: vec![
                (HASH, UdpCounts { seeders: 1, completed: 2, leechers: 3 }),
                ([b'a'; 20], UdpCounts { seeders: 4, ..UdpCounts::default() }),
            ],
            ..UdpScript::peers(["127.1.2.3:6881", "[::1]:80"].map(|peer| peer.parse::<SocketAddr>().unwrap()))
        }
    }

    #[test]
    fn an_announce_lists_the_family_that_asks() {
        let script = script();
        let head = b"\0\0\0\x01tttt\0\0\x07\x08\0\0\0\x03\0\0\0\x01";
        assert_eq!(
            script.answers(&announce(&script, "127.0.0.1:1"), 0),
            [[head.as_slice(), b"\x7f\x01\x02\x03\x1a\xe1"].concat()]
        );
        assert_eq!(
            script.answers(&announce(&script, "[::1]:1"), 0),
            [[head.as_slice(), &[0; 15], b"\x01\0\x50"].concat()]
        );
    }

    #[test]
    fn a_scrape_keeps_the_order_or_sorts() {
        let ordered = script();
        let (h, a) = (b"\0\0\0\x01\0\0\0\x02\0\0\0\x03", b"\0\0\0\x04\0\0\0\0\0\0\0\0");
        let question = scrape(&ordered, &[HASH, [b'a'; 20]]);
        assert_eq!(ordered.answers(&question, 0), [[b"\0\0\0\x02ssss".as_slice(), h, a].concat()]);
        let first = UdpScript { scrape_most: 1, ..ordered.clone() };
        assert_eq!(first.answers(&question, 0), [[b"\0\0\0\x02ssss".as_slice(), h].concat()]);
        let sorted = UdpScript { scrape_sorted: true, ..ordered };
        let question = scrape(&sorted, &[HASH, [b'a'; 20], HASH]);
        assert_eq!(sorted.answers(&question, 0), [[b"\0\0\0\x02ssss".as_slice(), a, h].concat()]);
    }

    #[test]
    fn a_connection_id_belongs_to_its_address() {
        let script = script();
        let mut stolen = announce(&script, "127.0.0.1:1");
        stolen.remote = "127.0.0.1:2".parse().unwrap();
        assert_eq!(script.answers(&stolen, 0), [b"\0\0\0\x03ttttConnection ID missmatch.\0"]);
    }

    #[test]
    fn errors_forgeries_and_short_answers() {
        let rude = UdpScript { error: Some("no".to_owned()), ..script() };
        assert_eq!(rude.answers(&announce(&rude, "127.0.0.1:1"), 0), [b"\0\0\0\x03ttttno"]);
        let short = UdpScript { cut: Some(8), ..script() };
        let question = announce(&short, "127.0.0.1:1");
        assert_eq!(short.answers(&question, 0), [b"\0\0\0\x01tttt"]);
        let flooded = UdpScript { transactions: Transactions::AfterForgeries(2), ..short.clone() };
        let wrong = [b"\0\0\0\x01".as_slice(), &[!b't'; 4]].concat();
        assert_eq!(flooded.answers(&question, 0), [wrong.clone(), wrong.clone(), b"\0\0\0\x01tttt".to_vec()]);
        for (transactions, answers) in [(Transactions::Wrong, &wrong), (Transactions::WrongAfterConnect, &wrong)] {
            let forged = UdpScript { transactions, ..short.clone() };
            assert_eq!(&forged.answers(&question, 0)[0], answers);
        }
        let again = UdpScript { again: 2, ..short.clone() };
        assert_eq!(again.answers(&question, 0), vec![b"\0\0\0\x01tttt".to_vec(); 3]);
        let forged = UdpScript { transactions: Transactions::Wrong, ..short };
        assert_eq!(forged.answers(&connect("127.0.0.1:1"), 0)[0][4..8], [!b'T'; 4]);
    }

    #[test]
    fn silence_ends_after_so_many() {
        let late = UdpScript { silent_for: 2, ..script() };
        let answers = [0, 1, 2].map(|before| late.answers(&connect("127.0.0.1:1"), before).len());
        assert_eq!(answers, [0, 0, 1]);
        assert!(UdpScript::silence().answers(&connect("127.0.0.1:1"), 1_000_000).is_empty());
    }

    #[test]
    fn what_is_no_question_gets_no_answer() {
        for bytes in [&b""[..], b"GET / HTTP/1.1\r\n\r\n", b"CCCCCCCC\0\0\0\0TTTT", b"CCCCCCCC\0\0\0\x01TTTT"] {
            assert_eq!(script().answers(&from("127.0.0.1:1", &[bytes]), 0), Vec::<Vec<u8>>::new());
        }
    }
}
