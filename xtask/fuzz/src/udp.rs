//! Datagrams of UDP trackers, both ways. As a reply, an input is the answer to at most one kind of request, and what is read
//! can be written again. As an announce, its fields are those of the datagram that is made of them, with the URL in its
//! options (BEP 41).

use crate::announce::sound;
use crate::escape::assert_error;
use crate::memory;
use crate::source::Source;
use ids::{InfoHash, PeerId};
use std::net::IpAddr;
use tracker::udp::{self, ConnectionId, DatagramError, Reply};
use tracker::{Announce, Announced, Crypto, Event, Family, PeerAddress, Scrape, TrackerUrl};

/// Memory for each byte of a reply: as for announces over HTTP, without a tape.
const TIMES_THE_INPUT: usize = 64;
/// Memory for any reply: the tracker's texts, and the first capacity of list and set.
const BESIDE: usize = 16 << 10;
/// Bytes before the options of an announce.
const ANNOUNCE: usize = 98;

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    match Reply::parse(input) {
        Some(reply) => read(input, reply),
        None => assert!(input.len() < 8),
    }
    requests(input);
}

fn read(input: &[u8], reply: Reply<'_>) {
    assert_eq!(input[..8], [reply.action.to_be_bytes(), reply.transaction.to_be_bytes()].concat());
    let bound = TIMES_THE_INPUT * input.len() + BESIDE;
    let failure = memory::bounded(bound, || reply.failure());
    assert_eq!(failure.is_some(), reply.action == 3);
    assert!(failure.as_ref().is_none_or(|reason| reason.chars().count() <= 1001));
    let connected = reply.connected();
    let announced = [Family::V4, Family::V6].map(|family| {
        let announced = memory::bounded(bound, || reply.announced(family));
        announced.as_ref().iter().for_each(|announced| entries(input, announced, family));
        announced.map(drop)
    });
    let scraped = [1, 2, Scrape::MAX].map(|torrents| {
        let scrape = Scrape::new((0..torrents).map(|n| InfoHash([n as u8; 20]))).expect("not too many");
        let scraped = memory::bounded(bound, || reply.scraped(&scrape));
        scraped.as_ref().iter().for_each(|scraped| {
            assert!(scraped.files.iter().map(|(info_hash, _)| info_hash).eq(scrape.info_hashes()));
            // Of several torrents the first is asked about twice, and has to get the same counts.
            assert!(torrents == 1 || input[8..20] == input[20..32]);
            assert!(input.len() >= 8 + 12 * (torrents + usize::from(torrents > 1)));
        });
        scraped.map(drop)
    });
    let results = [(0, 16, connected.map(drop)), (1, 20, announced[0].clone()), (1, 20, announced[1].clone())];
    let scraped = scraped.map(|result| (2, 20, result));
    for (action, least, result) in results.into_iter().chain(scraped) {
        let has_order = !matches!(result, Err(DatagramError::Order { .. }));
        assert_eq!(result.is_ok(), reply.action == action && input.len() >= least && has_order);
        result.err().iter().for_each(|error| refused(input, reply.action, &failure, error));
    }
}

fn refused(input: &[u8], action: u32, failure: &Option<String>, error: &DatagramError) {
    match error {
        DatagramError::Failure { reason } => assert_eq!(Some(reason), failure.as_ref()),
        DatagramError::Action { expected, found } => {
            assert!(*found == action && expected.number() != action && action != 3)
        }
        DatagramError::Empty(asked) => assert!(asked.number() == action && action != 0 && input.len() == 8),
        DatagramError::Short { action: asked, needed, found } => {
            assert!(asked.number() == action && *found == input.len() && found < needed);
        }
        DatagramError::Order { asked, found } => {
            let counts = &input[8..];
            assert!(action == 2 && *found == counts.len() / 12 && *asked > 1);
            assert!(found < asked || counts[..12] != counts[12..24]);
        }
        other => panic!("{other}"),
    }
    assert_error(error);
}

/// Every entry of the list is a peer or counted as skipped, and the peers make the same list again.
fn entries(input: &[u8], announced: &Announced, family: Family) {
    sound(announced);
    let size = if family == Family::V4 { 6 } else { 18 };
    let list = &input[20..];
    assert_eq!(announced.peers.len() + announced.skipped.total(), list.len().div_ceil(size));
    let mut again = input[..20].to_vec();
    for peer in &announced.peers {
        let PeerAddress::Socket(address) = &peer.address else { panic!("a name in a compact list") };
        match (address.ip(), family) {
            (IpAddr::V4(ip), Family::V4) => again.extend(ip.octets()),
            (IpAddr::V4(ip), Family::V6) => again.extend(ip.to_ipv6_mapped().octets()),
            (IpAddr::V6(ip), _) => again.extend(ip.octets()),
        }
        again.extend(address.port().to_be_bytes());
    }
    let again = Reply::parse(&again).expect("a reply").announced(family);
    let mut whole = announced.clone();
    whole.skipped = Default::default();
    assert_eq!(again, Ok(whole));
}

/// Reads the input as the fields of an announce and of a scrape, and checks the datagrams made of them.
fn requests(input: &[u8]) {
    let mut source = Source::new(input);
    let [connection, numbers] = [source.array(), source.array()].map(u64::from_be_bytes);
    let transaction = numbers as u32;
    let (info_hash, peer_id) = (InfoHash(source.array()), PeerId(source.array()));
    let [downloaded, left, uploaded] = [source.array(), source.array(), source.array()].map(u64::from_be_bytes);
    let [_, _, _, event] = source.array();
    let event = match event {
        1 => Event::Completed,
        2 => Event::Started,
        3 => Event::Stopped,
        _ => Event::None,
    };
    let [_, key, numwant] = [source.array(), source.array(), source.array()].map(u32::from_be_bytes);
    let announce = Announce::started(info_hash, peer_id, u16::from_be_bytes(source.array()), key)
        .with_bytes(uploaded, downloaded, left)
        .with_event(event)
        .with_numwant(u32::try_from(numwant.cast_signed()).ok())
        .with_crypto(Crypto::Supported);
    let target = options(source.rest()).unwrap_or_default();
    let url = std::str::from_utf8(&target).ok().and_then(|target| format!("udp://t.example:1/{target}").parse().ok());
    let url: TrackerUrl = url.unwrap_or_else(|| "udp://t.example:1".parse().expect("a URL"));
    let connection = ConnectionId(connection);
    // Twice the capacity it needs, and the first capacity beside.
    let bound = 4 * (ANNOUNCE + url.target().len()) + 64;
    let packet = memory::bounded(bound, || udp::announce(connection, transaction, &announce, &url));
    same(input, &packet);
    let told = options(&packet[ANNOUNCE..]).expect("valid options");
    assert_eq!(told, if url.target() == "/" { b"" } else { url.target().as_bytes() });
    assert_eq!(udp::connect(transaction)[..12], *b"\0\0\x04\x17\x27\x10\x19\x80\0\0\0\0");
    let scrape = Scrape::new(input.chunks_exact(20).filter_map(|bytes| bytes.try_into().ok()).map(InfoHash));
    if let Ok(scrape) = scrape {
        let packet = udp::scrape(connection, transaction, &scrape);
        assert_eq!(packet[..8], connection.0.to_be_bytes());
        let mut asked: Vec<[u8; 20]> = scrape.info_hashes().iter().map(|info_hash| info_hash.0).collect();
        asked.sort_unstable();
        let twice = asked.first().filter(|_| asked.len() > 1).copied();
        assert!(packet[16..].chunks(20).eq(twice.iter().chain(&asked).map(|info_hash| &info_hash[..])));
        assert!(scrape.info_hashes().len() <= Scrape::MAX);
    }
}

/// The fields of BEP 15 are those of the input; an unknown event is 0, a negative numwant -1, and the IP address always 0.
fn same(input: &[u8], packet: &[u8]) {
    let mut padded = input.to_vec();
    padded.resize(input.len().max(ANNOUNCE), 0);
    padded[8..12].copy_from_slice(&[0, 0, 0, 1]);
    padded[80..83].fill(0);
    if padded[83] > 3 {
        padded[83] = 0;
    }
    padded[84..88].fill(0);
    if padded[92] & 0x80 != 0 {
        padded[92..96].fill(0xff);
    }
    assert_eq!(packet[..ANNOUNCE], padded[..ANNOUNCE]);
}

/// The options as a tracker reads them (BEP 41): 0 ends them, 1 is padding of one byte, 2 is a part of the URL.
fn options(mut options: &[u8]) -> Option<Vec<u8>> {
    let mut url = Vec::new();
    while let Some((&kind, rest)) = options.split_first() {
        options = match kind {
            0 => break,
            1 => rest,
            _ => {
                let (&length, rest) = rest.split_first()?;
                let (data, rest) = rest.split_at_checked(usize::from(length))?;
                if kind == 2 {
                    url.extend(data);
                }
                rest
            }
        };
    }
    Some(url)
}
