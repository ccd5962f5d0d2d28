//! Bytes that real clients sent after our handshake, replayed and compared with a snapshot.

use bytes::BytesMut;
use fake_swarm::recording::Recording;
use peer_wire::{Bitfield, Codec, Extension, ExtensionHandshake, Handshake, Message};
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// One connection to a real client.
struct Capture {
    name: String,
    bytes: Vec<u8>,
    /// Pieces of the torrent.
    pieces: u32,
}

/// The recordings that begin with a handshake.
fn captures() -> Vec<Capture> {
    let mut captures = Vec::new();
    for (file, text) in Recording::FILES {
        let recording = Recording::parse(text).unwrap();
        let (_, pieces) = recording.torrent().unwrap();
        for exchange in recording.exchanges.iter().filter(|exchange| exchange.had != "early") {
            let name = format!("{file}, {} {}", exchange.had, exchange.probe);
            captures.push(Capture { name, bytes: exchange.bytes(), pieces });
        }
    }
    captures
}

/// The contents of a connection, received in chunks of `size` bytes.
fn received(capture: &Capture, size: usize) -> (Handshake, Vec<Message>) {
    let codec = Codec::for_pieces(capture.pieces);
    let (mut handshake, mut messages, mut buffer) = (None, Vec::new(), BytesMut::new());
    for chunk in capture.bytes.chunks(size) {
        buffer.extend_from_slice(chunk);
        if handshake.is_none() {
            handshake = Handshake::decode(&mut buffer).unwrap();
        }
        while handshake.is_some()
            && let Some(message) = codec.decode(&mut buffer).unwrap()
        {
            messages.push(message);
        }
    }
    assert!(buffer.is_empty());
    (handshake.unwrap(), messages)
}

fn shown(message: &Message, pieces: u32) -> String {
    match message {
        Message::Bitfield(payload) => {
            let bitfield = Bitfield::new(payload, pieces).unwrap();
            format!(
                "bitfield {} of {}, missing {:?}",
                bitfield.count_ones(),
                pieces,
                bitfield.holes().collect::<Vec<_>>()
            )
        }
        Message::Extended { id: 0, payload } => {
            let handshake = ExtensionHandshake::decode(payload).unwrap();
            assert_eq!(handshake.dropped, []);
            // What is understood is all there is: written again, it is what came.
            assert_eq!(handshake.encode(), payload);
            said(&handshake)
        }
        other => format!("{other:?}"),
    }
}

/// The fields that are there.
fn said(handshake: &ExtensionHandshake) -> String {
    let mut shown = format!("extension handshake m={:?}", handshake.extensions);
    let mut field = |key: &str, value: Option<String>| {
        value.iter().for_each(|value| write!(shown, " {key}={value}").unwrap());
    };
    field("v", handshake.client.clone());
    field("p", handshake.port.map(|port| port.to_string()));
    field("reqq", handshake.reqq.map(|reqq| reqq.to_string()));
    field("metadata_size", handshake.metadata_size.map(|size| size.to_string()));
    field("yourip", handshake.yourip.map(|ip| ip.to_string()));
    field("ipv4", handshake.ipv4.map(|ip| ip.to_string()));
    field("ipv6", handshake.ipv6.map(|ip| ip.to_string()));
    field("upload_only", handshake.upload_only.map(|only| only.to_string()));
    field("e", handshake.prefers_encryption.map(|prefers| prefers.to_string()));
    field("complete_ago", handshake.complete_ago.map(|seconds| seconds.to_string()));
    shown
}

#[test]
fn every_recorded_client_reads_as_in_the_snapshot() {
    let mut understood = String::new();
    for capture in captures() {
        let (handshake, messages) = received(&capture, capture.bytes.len());
        let client = handshake.peer_id.client().unwrap();
        let bits: Vec<_> = handshake.reserved.names().collect();
        writeln!(understood, "{}: {client}, reserved bits {bits:?}", capture.name).unwrap();
        messages.iter().for_each(|message| writeln!(understood, "  {}", shown(message, capture.pieces)).unwrap());
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/peer/understood.txt");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&file, &understood).unwrap();
    }
    assert!(understood == fs::read_to_string(file).unwrap(), "fixtures/peer/understood.txt is not:\n{understood}");
}

#[test]
fn extensions_of_libtorrent_are_known_by_name() {
    let recording = Recording::of("libtorrent-2.0.8").unwrap();
    let payload = recording.exchange("all").unwrap().extension_handshake().unwrap();
    let handshake = ExtensionHandshake::decode(payload).unwrap();
    let ids: Vec<u8> = Extension::ALL.into_iter().filter_map(|extension| handshake.extension_id(extension)).collect();
    assert_eq!(ids, [2, 1, 4, 7, 3, 8]);
    assert_eq!(handshake.extensions.len(), Extension::ALL.len());
}

#[test]
fn chunks_of_any_size_give_the_same_messages() {
    for capture in captures() {
        let whole = received(&capture, capture.bytes.len());
        for size in 1..capture.bytes.len() {
            assert_eq!(received(&capture, size), whole, "{} in chunks of {size}", capture.name);
        }
    }
}

#[test]
fn decoded_messages_encode_to_the_same_bytes() {
    for capture in captures() {
        let (handshake, messages) = received(&capture, capture.bytes.len());
        let mut written = BytesMut::from(&handshake.encode()[..]);
        messages.iter().for_each(|message| Codec::default().encode(message, &mut written).unwrap());
        assert_eq!(written, capture.bytes, "{}", capture.name);
    }
}
