//! Peer ids of every known client, and of unknown ones, with the software that each names.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests may fail loudly")]

use ids::PeerId;

/// Ids of the newest clients; a test of the client crate covers the last column.
const NEWEST: &str = include_str!("../../../fixtures/ids/newest.tsv");
const TABLE: &str = include_str!("../../../fixtures/ids/clients.tsv");

/// The bytes of an id in the form of its `Display`.
fn bytes(shown: &str) -> [u8; 20] {
    let mut bytes = Vec::new();
    let mut rest = shown.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        bytes.push(match (first, after) {
            (b'\\', [b'x', high, low, after @ ..]) => {
                rest = after;
                u8::from_str_radix(str::from_utf8(&[*high, *low]).unwrap(), 16).unwrap()
            }
            (b'\\', [escaped, after @ ..]) => {
                rest = after;
                match escaped {
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'n' => b'\n',
                    other => *other,
                }
            }
            _ => *first,
        });
    }
    bytes.try_into().unwrap_or_else(|bytes: Vec<u8>| panic!("{shown} has {} bytes", bytes.len()))
}

#[test]
fn every_id_of_the_table_names_its_client() {
    let mut wrong = Vec::new();
    for row in TABLE.lines().skip(1) {
        let [shown, name, version, _from] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let id = PeerId(bytes(shown));
        assert_eq!(id.to_string(), shown);
        let client = id.client();
        let found = client.as_ref().map(|client| (client.name.as_ref(), client.version.as_deref()));
        let expected = (!name.is_empty()).then_some((name, Some(version).filter(|version| !version.is_empty())));
        if found != expected {
            wrong.push(format!("{shown}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_newest_clients_are_named_by_their_ids() {
    for row in NEWEST.lines().skip(1) {
        let [client, id, _v, by_peer_id, _shown] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let found = PeerId::from_hex(id).unwrap().client().map(|client| client.to_string());
        assert_eq!(found.as_deref(), Some(by_peer_id), "{client}");
    }
}
