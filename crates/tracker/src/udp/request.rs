//! What is sent to a UDP tracker.

use super::{Action, ConnectionId};
use crate::{Announce, Event, Scrape, TrackerUrl};

/// BEP 15: what stands in place of a connection id in the request for one.
const PROTOCOL_ID: u64 = 0x0417_2710_1980;
/// BEP 41: part of the path and query of the announce URL.
const URL_DATA: u8 = 2;

/// The request for a connection id, 16 bytes. The transaction id should be hard to guess: it comes back in the reply.
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
    // BEP 15 has them in another order than the query of HTTP.
    for bytes in [announce.downloaded, announce.left, announce.uploaded] {
        packet.extend(bytes.to_be_bytes());
    }
    packet.extend(event(announce.event).to_be_bytes());
    // BEP 15: the IP address, 0 by default; trackers take the one they see.
    packet.extend([0; 4]);
    packet.extend(announce.key.to_be_bytes());
    packet.extend(numwant(announce.numwant).to_be_bytes());
    packet.extend(announce.port.to_be_bytes());
    append_url(&mut packet, url);
    packet
}

/// A scrape, 16 bytes and 20 for each torrent.
#[must_use]
pub fn scrape(connection: ConnectionId, transaction: u32, scrape: &Scrape) -> Vec<u8> {
    let mut packet = header(connection, Action::Scrape, transaction);
    packet.extend(scrape.info_hashes().iter().flat_map(|info_hash| info_hash.0));
    packet
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
/// into several options. They end with the packet, so that no end marker is needed. A mere `/` says nothing.
fn append_url(packet: &mut Vec<u8>, url: &TrackerUrl) {
    let target = if url.target() == "/" { "" } else { url.target() };
    for chunk in target.as_bytes().chunks(usize::from(u8::MAX)) {
        packet.push(URL_DATA);
        // A chunk has at most so many bytes.
        packet.push(u8::try_from(chunk.len()).unwrap_or(u8::MAX));
        packet.extend(chunk);
    }
}
