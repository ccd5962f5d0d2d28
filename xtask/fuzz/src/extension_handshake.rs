//! Extension handshakes: what is kept of one is within the limits, is the same when it is written and read again, and does
//! not grow when a peer repeats it.

use crate::escape::{assert_error, assert_harmless};
use crate::memory;
use bencode::Document;
use peer_wire::{Extension, ExtensionHandshake, ExtensionHandshakeError};
use std::collections::HashSet;

/// Memory for each byte of the input: at most 16 for the tape; the shortest name of an extension, five bytes of the input,
/// takes a string and a node of a tree.
const TIMES_THE_INPUT: usize = 32;
/// Memory for any input: a name, and the list of what was dropped.
const BESIDE: usize = 4 << 10;

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    let bound = TIMES_THE_INPUT * input.len() + BESIDE;
    match memory::bounded(bound, || ExtensionHandshake::decode(input)) {
        Ok(read) => {
            limits(&read);
            again(&read);
            additive(input, &read);
        }
        Err(error) => {
            if let ExtensionHandshakeError::Bencode(error) = &error {
                assert!(error.offset <= input.len());
            }
            assert_error(&error);
        }
    }
}

fn limits(read: &ExtensionHandshake) {
    let ExtensionHandshake { extensions, client, port, metadata_size, complete_ago, dropped, .. } = read;
    assert!(client.as_ref().is_none_or(|name| !name.is_empty() && name.len() <= ExtensionHandshake::MAX_CLIENT));
    assert!(extensions.len() <= ExtensionHandshake::MAX_EXTENSIONS);
    assert!(extensions.keys().all(|name| name.len() <= ExtensionHandshake::MAX_EXTENSION_NAME));
    assert!(*port != Some(0) && complete_ago.is_none_or(|seconds| seconds >= -1));
    assert!(metadata_size.is_none_or(|bytes| (1..=ExtensionHandshake::MAX_METADATA).contains(&bytes)));
    for extension in Extension::ALL {
        let id = extensions.get(extension.name()).copied();
        assert_eq!(read.extension_id(extension), id.filter(|&id| id > 0));
    }
    // A name can be both cut and not UTF-8, so `v` may be there twice.
    assert!(dropped.iter().collect::<Vec<_>>().len() <= 12);
    let keys: HashSet<_> = dropped.iter().map(|dropped| dropped.key).filter(|key| *key != "v").collect();
    assert_eq!(keys.len(), dropped.iter().filter(|dropped| dropped.key != "v").count());
    dropped.iter().for_each(|dropped| assert_harmless(&dropped.to_string()));
}

fn again(read: &ExtensionHandshake) {
    let written = read.encode();
    assert!(Document::parse(&written).is_ok(), "what is written is canonical");
    let again = ExtensionHandshake::decode(&written).expect("what was written");
    assert_eq!(again, ExtensionHandshake { dropped: Vec::new(), ..read.clone() });
    assert_eq!(again.encode(), written);
}

/// BEP 10: "the `m` dictionary is additive"; the other keys are treated likewise.
fn additive(input: &[u8], read: &ExtensionHandshake) {
    let mut twice = read.clone();
    twice.update(read.clone());
    assert_eq!(&twice, read);
    let mut first = ExtensionHandshake::default();
    first.update(read.clone());
    let (keys, all) = (first.dropped.iter().map(|dropped| dropped.key).collect::<HashSet<_>>(), &read.dropped);
    assert!(all.iter().all(|dropped| keys.contains(dropped.key)) && keys.len() == first.dropped.len());
    assert_eq!(ExtensionHandshake { dropped: all.clone(), ..first }, *read);
    // Another one: this input without its first byte, behind entries of our own.
    let other = [b"d1:md6:ut_pexi9e1:xi7ee1:pi1e", input.get(1..).unwrap_or_default()].concat();
    if let Ok(other) = ExtensionHandshake::decode(&other) {
        let mut both = read.clone();
        both.update(other.clone());
        limits(&both);
        assert!(read.extensions.keys().all(|name| both.extensions.contains_key(name)));
        assert_eq!(both.port, other.port.or(read.port));
        assert_eq!(both.client, other.client.or_else(|| read.client.clone()));
    }
}
