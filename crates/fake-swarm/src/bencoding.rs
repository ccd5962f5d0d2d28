//! Bencode (BEP 3) written by hand: enough for a tracker's reply and a `.torrent`, and not shared with the code under
//! test.
//!
//! Each function returns the encoded bytes, and the composite ones take encoded bytes, so that a test can also put a
//! wrong value in the right place.

/// `i42e`, of any integer type.
#[must_use]
pub fn integer(value: impl Into<i128>) -> Vec<u8> {
    format!("i{}e", value.into()).into_bytes()
}

/// `4:spam`.
#[must_use]
pub fn string(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let bytes = bytes.as_ref();
    [format!("{}:", bytes.len()).as_bytes(), bytes].concat()
}

/// `l…e` around values that are encoded already.
#[must_use]
pub fn list(values: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    enclosed(b'l', values.into_iter())
}

/// `d…e` of keys as they are and values that are encoded already. The keys are sorted as raw bytes, as BEP 3 demands;
/// a key that is given twice is written twice.
#[must_use]
pub fn dictionary<K: AsRef<[u8]>>(entries: impl IntoIterator<Item = (K, Vec<u8>)>) -> Vec<u8> {
    let mut entries: Vec<_> = entries.into_iter().collect();
    entries.sort_by(|(one, _), (other, _)| one.as_ref().cmp(other.as_ref()));
    enclosed(b'd', entries.into_iter().flat_map(|(key, value)| [string(key), value]))
}

fn enclosed(kind: u8, parts: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut out = vec![kind];
    parts.for_each(|part| out.extend(part));
    out.push(b'e');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind() {
        assert_eq!(integer(-3), b"i-3e");
        assert_eq!(string(b"spam"), b"4:spam");
        assert_eq!(string(""), b"0:");
        assert_eq!(list([string("a"), list([])]), b"l1:alee");
        assert_eq!(dictionary([("peers6", integer(1)), ("peers", integer(2))]), b"d5:peersi2e6:peers6i1ee");
        assert_eq!(dictionary::<&str>([]), b"de");
    }
}
