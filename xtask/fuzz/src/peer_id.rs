//! Peer ids: any twenty bytes give a short, printable name of a client, or none.

use crate::escape::assert_harmless;
use crate::memory;
use ids::PeerId;

/// Memory for a name and a version, a string each, and for formatting.
const MEMORY: usize = 512;
/// The longest name with its version, in bytes: it has to fit a line of a table.
const LONGEST: usize = 60;

/// Checks the properties above for every twenty bytes of one input.
pub fn check(input: &[u8]) {
    let mut padded = input.to_vec();
    padded.resize(input.len().next_multiple_of(20), 0);
    padded.chunks_exact(20).filter_map(|id| id.try_into().ok()).map(PeerId).for_each(one);
}

fn one(id: PeerId) {
    let shown = id.to_string();
    assert!(shown.len() <= 80 && shown.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' '));
    let hex = id.hex().to_string();
    assert_eq!((PeerId::from_hex(&hex), PeerId::from_hex(&hex.to_uppercase())), (Ok(id), Ok(id)));
    let Some(client) = memory::bounded(MEMORY, || id.client()) else { return };
    let named = client.to_string();
    assert!(!client.name.is_empty() && client.version.as_ref().is_none_or(|version| !version.is_empty()));
    assert!(named.len() < LONGEST && named.trim() == named, "{named:?}");
    assert_harmless(&named);
    assert_eq!(id.client(), Some(client));
}
