//! What no honest peer says, by name: for tables in which each entry must do no harm.

mod metadata;
mod pex;
mod utp;

use crate::bencoding::{dictionary, integer, list, string};
use crate::message;

pub use metadata::metadata;
pub use pex::pex;
pub use utp::utp;

/// What a dictionary that should be an extension handshake (BEP 10) can be instead.
///
/// All fit in the 64 KiB that a receiver may allow; [`oversize_dictionary`] does not.
#[must_use]
pub fn dictionaries() -> Vec<(&'static str, Vec<u8>)> {
    let mut all = broken();
    all.extend(mistyped());
    all.extend(out_of_range());
    all.extend(texts());
    all
}

/// A well-formed dictionary of `length` bytes or a few more.
#[must_use]
pub fn oversize_dictionary(length: usize) -> Vec<u8> {
    dictionary([("v", string("x")), ("z", string(vec![b'z'; length]))])
}

/// What a peer can say of its pieces, and contradict itself or the torrent. Nothing that it says past the end of the
/// torrent is true, and no piece is lost or won by a message of the wrong length.
#[must_use]
pub fn pieces(pieces: u32) -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let full = message::bits(pieces, |_| true);
    let bits = |spoilt: &dyn Fn(&mut Vec<u8>)| {
        let mut bits = full.clone();
        spoilt(&mut bits);
        message::bitfield(&bits)
    };
    let spare = |bits: &mut Vec<u8>| bits.iter_mut().for_each(|byte| *byte = 0xff);
    let whole = message::bitfield(&full);
    vec![
        ("bitfield without bits", vec![message::bitfield(&[])]),
        ("bitfield a byte short", vec![bits(&|bits| bits.truncate(bits.len() - 1))]),
        ("bitfield a byte long", vec![bits(&|bits| bits.push(0))]),
        ("bitfield of twice the length", vec![bits(&|bits| bits.extend(bits.clone()))]),
        ("spare bits set", vec![bits(&spare)]),
        ("bitfield after other messages", vec![message::unchoke(), message::have(0), whole.clone()]),
        ("bitfield twice", vec![whole.clone(), message::bitfield(&message::bits(pieces, |_| false))]),
        ("have_all, then an empty bitfield", vec![message::have_all(), message::bitfield(&vec![0; full.len()])]),
        ("bitfield, then have_none", vec![whole.clone(), message::have_none()]),
        ("have_none, then have_all", vec![message::have_none(), message::have_all()]),
        ("have_none, then every piece", (0..pieces).map(message::have).fold(vec![message::have_none()], pushed)),
        ("have of what was told", vec![whole.clone(), message::have(0), message::have(0)]),
        ("have past the end", vec![whole.clone(), message::have(pieces)]),
        ("have far past the end", vec![message::have(u32::MAX), whole.clone()]),
        ("have without a piece", vec![whole.clone(), message::message(4, &[])]),
        ("have of 5 bytes", vec![whole, message::message(4, &[0; 5])]),
        ("have_all with a payload", vec![message::message(14, &[1])]),
    ]
}

/// A list with one more at its end.
fn pushed(mut list: Vec<Vec<u8>>, next: Vec<u8>) -> Vec<Vec<u8>> {
    list.push(next);
    list
}

/// Bencode that is none, or is not canonical, or nests too deeply.
fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let nested = |opening: &str, inside: &str, closing: &str, depth| {
        format!("d1:z{}{inside}{}e", opening.repeat(depth), closing.repeat(depth)).into_bytes()
    };
    let many =
        |value: &dyn Fn(i32) -> Vec<u8>| dictionary((0..4000).map(|number| (format!("{number:05}"), value(number))));
    vec![
        ("empty", Vec::new()),
        ("not bencode", b"\xff\xfe\xfd".to_vec()),
        ("a list", list([string("v")])),
        ("a number", integer(7)),
        ("not closed", b"d1:v1:x".to_vec()),
        ("nothing after a key", b"d1:v".to_vec()),
        ("followed by more", b"d1:v1:xed1:v1:ye".to_vec()),
        ("key twice", b"d1:v1:x1:v1:ye".to_vec()),
        ("keys not sorted", b"d1:v1:x1:pi1ee".to_vec()),
        ("a key that is a number", b"di1e1:xe".to_vec()),
        ("a string longer than the message", b"d1:v99999:xe".to_vec()),
        ("a string longer than any memory", b"d1:v18446744073709551616:xe".to_vec()),
        ("a string of negative length", b"d1:v-1:xe".to_vec()),
        ("a number of 1,000 digits", [b"d1:pi".as_slice(), &[b'9'; 1000], b"ee"].concat()),
        ("a number without digits", b"d1:pie1:v1:xe".to_vec()),
        ("a number with leading zeros", b"d1:pi0001ee".to_vec()),
        ("minus zero", b"d1:pi-0ee".to_vec()),
        ("lists nested 9 deep", nested("l", "", "e", 9)),
        ("lists nested 30,000 deep", nested("l", "", "e", 30_000)),
        ("lists nested and not closed", nested("l", "", "", 60_000)),
        ("dictionaries nested 10,000 deep", nested("d1:a", "0:", "e", 10_000)),
        ("4,000 keys", many(&|number| integer(number))),
        ("4,000 extensions", dictionary([("m", many(&|_| integer(1)))])),
    ]
}

/// Every field that is known, each time with a value of another kind, most of them of the wrong one.
fn mistyped() -> Vec<(&'static str, Vec<u8>)> {
    let keys = ["complete_ago", "e", "ipv4", "ipv6", "m", "metadata_size", "p", "reqq", "upload_only", "v", "yourip"];
    let every = |value: Vec<u8>| dictionary(keys.map(|key| (key, value.clone())));
    vec![
        ("every field a number", every(integer(1))),
        ("every field a string", every(string("127.0.0.1"))),
        ("every field an empty string", every(string(""))),
        ("every field a list", every(list([integer(1)]))),
        ("every field a dictionary", every(dictionary([("ut_pex", list([]))]))),
        ("ids that are none", dictionary([("m", dictionary([("ut_metadata", string("3")), ("ut_pex", list([]))]))])),
    ]
}

/// Fields of the right kind with values that none can have.
fn out_of_range() -> Vec<(&'static str, Vec<u8>)> {
    let one = |key: &str, value: i128| dictionary([(key, integer(value))]);
    let id = |id: i128| dictionary([("m", one("ut_metadata", id))]);
    vec![
        ("metadata_size 2^31", one("metadata_size", 1 << 31)),
        ("metadata_size 2^64", one("metadata_size", 1 << 64)),
        ("metadata_size 0", one("metadata_size", 0)),
        ("metadata_size negative", one("metadata_size", -1)),
        ("p 0", one("p", 0)),
        ("p 65536", one("p", 65_536)),
        ("p negative", one("p", -1)),
        ("reqq negative", one("reqq", -1)),
        ("reqq 2^63", one("reqq", 1 << 63)),
        ("upload_only 7", one("upload_only", 7)),
        ("upload_only negative", one("upload_only", -1)),
        ("complete_ago -2^63", one("complete_ago", -(1 << 63))),
        ("an id of 256", id(256)),
        ("an id of -1", id(-1)),
        ("yourip of 3 bytes", dictionary([("yourip", string([127, 0, 0]))])),
        ("ipv6 of 4 bytes", dictionary([("ipv6", string([127, 0, 0, 1]))])),
    ]
}

/// Names of clients and of extensions that must not reach a terminal as they are.
fn texts() -> Vec<(&'static str, Vec<u8>)> {
    let v = |text: &[u8]| dictionary([("v", string(text))]);
    vec![
        ("v with colours", v(b"\x1b[31mred\x1b[0m")),
        ("v that clears the screen", v(b"\x1b[2J\x1b[H")),
        ("v that sets the title", v(b"\x1b]0;owned\x07")),
        ("v with a control sequence of one byte", v("\u{9b}31m".as_bytes())),
        ("v that runs from right to left", v("\u{202e}tnerroTtiB".as_bytes())),
        ("v with isolates", v("\u{2066}a\u{2069}\u{200f}".as_bytes())),
        ("v of several lines", v(b"a\r\nb\nc")),
        ("v with a zero", v(b"a\0b")),
        ("v with nothing to see", v("\u{200b}\u{feff}".as_bytes())),
        ("v that is not UTF-8", v(b"\xb5Torrent 3.5.5\xff")),
        ("v of 60,000 bytes", v(&[b'v'; 60_000])),
        ("v of nothing", v(b"")),
        ("an extension with colours", dictionary([("m", dictionary([("\u{1b}[31m", integer(3))]))])),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn entries_are_distinct_and_fit() {
        let all = dictionaries();
        let names: BTreeSet<_> = all.iter().map(|(name, _)| name).collect();
        let contents: BTreeSet<_> = all.iter().map(|(_, content)| content).collect();
        assert_eq!((names.len(), contents.len()), (all.len(), all.len()));
        for (name, content) in all {
            assert!(content.len() <= 65_536, "{name}: {} bytes", content.len());
        }
        assert!(oversize_dictionary(65_536).len() > 65_536);
        let all = pieces(1000);
        let names: BTreeSet<_> = all.iter().map(|(name, _)| name).collect();
        let contents: BTreeSet<_> = all.iter().map(|(_, content)| content).collect();
        assert_eq!((names.len(), contents.len()), (all.len(), all.len()));
    }

    #[test]
    fn a_bitfield_is_spoilt_as_its_name_says() {
        let messages = |name| pieces(13).into_iter().find(|(other, _)| *other == name).unwrap().1;
        assert_eq!(messages("bitfield a byte short"), [b"\0\0\0\x02\x05\xff".to_vec()]);
        assert_eq!(messages("bitfield a byte long"), [b"\0\0\0\x04\x05\xff\xf8\0".to_vec()]);
        assert_eq!(messages("spare bits set"), [b"\0\0\0\x03\x05\xff\xff".to_vec()]);
        assert_eq!(messages("have past the end")[1], b"\0\0\0\x05\x04\0\0\0\x0d");
        assert_eq!(messages("have_none, then every piece").len(), 14);
    }
}
