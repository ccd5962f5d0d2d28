//! Datagrams to a UDP tracker.

use super::action::{Action, ConnectionId};
use crate::announce::{Announce, Event};
use crate::scrape::Scrape;
use crate::url::TrackerUrl;
use ids::InfoHash;

/// BEP 15: takes the place of the connection id in the request for one.
const PROTOCOL_ID: u64 = 0x0417_2710_1980;
/// BEP 41: part of the path and query of the announce URL.
const URL_DATA: u8 = 2;

/// The request for a connection id (BEP 15), 16 bytes. The transaction id should be hard to guess: it comes back in the
/// reply.
#[must_use]
pub fn connect(transaction: u32) -> Vec<u8> {
    header(ConnectionId(PROTOCOL_ID), Action::Connect, transaction)
}

/// An announce: 98 bytes, and the URL's path and query as options (BEP 41) if it has any. [`Announce::crypto`] and
/// [`Announce::tracker_id`] have no place in it.
#[must_use]
pub fn announce(connection: ConnectionId, transaction: u32, announce: &Announce<'_>, url: &TrackerUrl) -> Vec<u8> {
    let mut packet = header(connection, Action::Announce, transaction);
    packet.extend(announce.info_hash.0);
    packet.extend(announce.peer_id.0);
    // BEP 15 has another order than the query of HTTP.
    for bytes in [announce.downloaded, announce.left, announce.uploaded] {
        packet.extend(bytes.to_be_bytes());
    }
    packet.extend(event(announce.event).to_be_bytes());
    // BEP 15: the IP address, 0 by default; the tracker uses the source address.
    packet.extend([0; 4]);
    packet.extend(announce.key.to_be_bytes());
    packet.extend(numwant(announce.numwant).to_be_bytes());
    packet.extend(announce.port.to_be_bytes());
    append_url(&mut packet, url);
    packet
}

/// A scrape (BEP 15), 16 bytes and 20 for each torrent. Several torrents are sent in ascending order, and the first of them
/// twice: the reply names no torrents, and [`Reply::scraped`](super::Reply::scraped) sees from the repetition whether the
/// tracker keeps the order.
#[must_use]
pub fn scrape(connection: ConnectionId, transaction: u32, scrape: &Scrape) -> Vec<u8> {
    let mut packet = header(connection, Action::Scrape, transaction);
    packet.extend(asked(scrape).iter().flat_map(|info_hash| info_hash.0));
    packet
}

/// The entries of a scrape.
pub(super) fn asked(scrape: &Scrape) -> Vec<InfoHash> {
    let mut asked = scrape.info_hashes().to_vec();
    asked.sort_unstable_by_key(|info_hash| info_hash.0);
    if let [first, _, ..] = *asked {
        asked.insert(0, first);
    }
    asked
}

fn header(connection: ConnectionId, action: Action, transaction: u32) -> Vec<u8> {
    let mut packet = connection.0.to_be_bytes().to_vec();
    packet.extend(action.number().to_be_bytes());
    packet.extend(transaction.to_be_bytes());
    packet
}

fn event(event: Event) -> u32 {
    match event {
        Event::None => 0,
        Event::Completed => 1,
        Event::Started => 2,
        Event::Stopped => 3,
    }
}

/// BEP 15: -1 leaves it to the tracker.
fn numwant(numwant: Option<u32>) -> i32 {
    numwant.map_or(-1, |numwant| numwant.try_into().unwrap_or(i32::MAX))
}

/// BEP 41: "The data field contains the concatenated PATH and QUERY portion of the UDP tracker URL"; longer ones are cut
/// into several options. The end of the packet ends the options. A mere `/` is not sent.
fn append_url(packet: &mut Vec<u8>, url: &TrackerUrl) {
    let target = if url.target() == "/" { "" } else { url.target() };
    for chunk in target.as_bytes().chunks(usize::from(u8::MAX)) {
        packet.push(URL_DATA);
        // `chunks` bounds the length.
        packet.push(u8::try_from(chunk.len()).unwrap_or(u8::MAX));
        packet.extend(chunk);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::announce::Crypto;
    use ids::PeerId;
    use proptest::prelude::*;

    const ID: ConnectionId = ConnectionId(0x0102_0304_0506_0708);

    fn example() -> Announce<'static> {
        Announce {
            info_hash: InfoHash([0xaa; 20]),
            peer_id: PeerId([0xbb; 20]),
            port: 0x1ae1,
            uploaded: 3,
            downloaded: 1,
            left: u64::MAX,
            event: Event::Started,
            numwant: Some(200),
            key: 0xdead_beef,
            crypto: Crypto::Required,
            tracker_id: Some(b"nowhere to put it"),
        }
    }

    fn url(target: &str) -> TrackerUrl {
        format!("udp://t.example:1{target}").parse().unwrap()
    }

    #[test]
    fn requests_have_the_layout_of_bep_15() {
        assert_eq!(connect(0x99), b"\0\0\x04\x17\x27\x10\x19\x80\0\0\0\0\0\0\0\x99");
        let expected = [
            &b"\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\x01\0\0\0\x99"[..],
            &[0xaa; 20],
            &[0xbb; 20],
            b"\0\0\0\0\0\0\0\x01\xff\xff\xff\xff\xff\xff\xff\xff\0\0\0\0\0\0\0\x03",
            b"\0\0\0\x02\0\0\0\0\xde\xad\xbe\xef\0\0\0\xc8\x1a\xe1",
        ];
        assert_eq!(announce(ID, 0x99, &example(), &url("")), expected.concat());
        let [one, two] = [1, 2].map(|byte| InfoHash([byte; 20]));
        let head = &b"\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\x02\0\0\0\x99"[..];
        assert_eq!(scrape(ID, 0x99, &two.into()), [head, &two.0].concat());
        let several = Scrape::new([two, one]).unwrap();
        assert_eq!(scrape(ID, 0x99, &several), [head, &one.0, &one.0, &two.0].concat());
    }

    #[test]
    fn events_and_numwant_have_the_numbers_of_bep_15() {
        let field = |announced: Announce<'_>, at: usize| announce(ID, 0, &announced, &url(""))[at..at + 4].to_vec();
        for (event, number) in [(Event::None, 0), (Event::Completed, 1), (Event::Started, 2), (Event::Stopped, 3)] {
            assert_eq!(field(Announce { event, ..example() }, 80), [0, 0, 0, number]);
        }
        for (numwant, number) in [(None, -1), (Some(0), 0), (Some(200), 200), (Some(u32::MAX), i32::MAX)] {
            assert_eq!(field(Announce { numwant, ..example() }, 92), i32::to_be_bytes(number));
        }
    }

    #[test]
    fn path_and_query_follow_in_options() {
        let options = |target: &str| announce(ID, 0, &example(), &url(target))[98..].to_vec();
        assert_eq!(options(""), b"");
        assert_eq!(options("/"), b"");
        assert_eq!(options("/announce"), b"\x02\x09/announce");
        assert_eq!(options("/dir?a=b&c=d#x"), b"\x02\x0c/dir?a=b&c=d");
        let long = format!("/{}", "a".repeat(255));
        assert_eq!(options(&long), [b"\x02\xff", &long.as_bytes()[..255], b"\x02\x01a"].concat());
    }

    /// The URL as a tracker reads it from the options.
    fn read_url(mut options: &[u8]) -> Option<Vec<u8>> {
        let mut url = Vec::new();
        while let Some((&[kind, length], rest)) = options.split_first_chunk() {
            let (data, rest) = rest.split_at_checked(usize::from(length))?;
            (kind == 2 && length > 0).then(|| url.extend(data))?;
            options = rest;
        }
        options.is_empty().then_some(url)
    }

    proptest! {
        #[test]
        fn the_options_give_back_any_url(target in "/[!-~&&[^#]]{1,600}") {
            let packet = announce(ID, 0, &example(), &url(&target));
            prop_assert_eq!(read_url(&packet[98..]).unwrap(), target.into_bytes());
        }

        #[test]
        fn every_field_is_at_its_offset(
            numbers in any::<[u64; 3]>(), key in any::<u32>(), port in any::<u16>(), hash in any::<[u8; 20]>(),
            transaction in any::<u32>(), id in any::<u64>(),
        ) {
            let [uploaded, downloaded, left] = numbers;
            let info_hash = InfoHash(hash);
            let announced = Announce { uploaded, downloaded, left, key, port, info_hash, ..example() };
            let packet = announce(ConnectionId(id), transaction, &announced, &url(""));
            let number = |at: usize| u64::from_be_bytes(packet[at..at + 8].try_into().unwrap());
            prop_assert_eq!((number(0), number(56), number(64), number(72)), (id, downloaded, left, uploaded));
            prop_assert_eq!(&packet[12..16], transaction.to_be_bytes());
            prop_assert_eq!(&packet[16..36], hash);
            prop_assert_eq!((&packet[88..92], &packet[96..98]), (&key.to_be_bytes()[..], &port.to_be_bytes()[..]));
        }
    }
}
