//! What a node of the DHT was asked.

use std::net::SocketAddr;
use std::time::Instant;

/// How deep a datagram is read: a query has two levels, and a list in the second.
const DEPTH: usize = 8;

/// One datagram that came to a node, as far as it can be read; what it does not say is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DhtQuery {
    /// All of it.
    pub bytes: Vec<u8>,
    /// Where it came from.
    pub remote: SocketAddr,
    /// When it came.
    pub at: Instant,
    /// How many datagrams came to the node before.
    pub before: usize,
    /// `ping`, `find_node`, `get_peers` or another; empty if it is no query.
    pub method: String,
    /// What the reply has to repeat.
    pub transaction: Vec<u8>,
    /// The id of the asking node.
    pub id: Option<[u8; 20]>,
    /// The info-hash or id that is asked for.
    pub target: Option<[u8; 20]>,
    /// Whether the asking node says that it answers nothing (BEP 43).
    pub read_only: bool,
    /// Whether filters are asked for (BEP 33).
    pub scrape: bool,
    /// The families of nodes that are asked for (BEP 32).
    pub want: Vec<String>,
}

impl DhtQuery {
    pub(crate) fn parse(bytes: &[u8], remote: SocketAddr, before: usize) -> Self {
        let mut values = Vec::new();
        // Of a datagram that is cut off the values before the cut are known.
        let _ = read(&mut &*bytes, "", &mut values);
        let get = |wanted: &str| values.iter().find(|(path, _)| path == wanted).map(|(_, value)| *value);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let id_at = |path| get(path).and_then(|value| value.try_into().ok());
        Self {
            bytes: bytes.to_vec(),
            remote,
            at: Instant::now(),
            before,
            method: get("/q").map(text).unwrap_or_default(),
            transaction: get("/t").unwrap_or_default().to_vec(),
            id: id_at("/a/id"),
            target: id_at("/a/info_hash").or_else(|| id_at("/a/target")),
            read_only: get("/ro") == Some(b"1"),
            scrape: get("/a/scrape") == Some(b"1"),
            want: values.iter().filter(|(path, _)| path == "/a/want/").map(|(_, value)| text(value)).collect(),
        }
    }
}

/// Reads one value, and notes all strings and numbers in it by the keys that lead there.
fn read<'b>(rest: &mut &'b [u8], path: &str, values: &mut Vec<(String, &'b [u8])>) -> Option<()> {
    let kind = *rest.first()?;
    match kind {
        b'i' => {
            let end = rest.iter().position(|byte| *byte == b'e')?;
            values.push((path.to_owned(), rest.get(1..end)?));
            *rest = rest.get(end + 1..)?;
        }
        b'l' | b'd' => {
            *rest = rest.get(1..)?;
            while *rest.first()? != b'e' {
                let key = if kind == b'd' { string(rest)? } else { b"" };
                let path = format!("{path}/{}", String::from_utf8_lossy(key));
                if path.matches('/').count() > DEPTH {
                    return None;
                }
                read(rest, &path, values)?;
            }
            *rest = rest.get(1..)?;
        }
        _ => values.push((path.to_owned(), string(rest)?)),
    }
    Some(())
}

/// Reads `4:spam`.
fn string<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let colon = rest.iter().position(|byte| *byte == b':')?;
    let length: usize = std::str::from_utf8(rest.get(..colon)?).ok()?.parse().ok()?;
    let (string, after) = rest.get(colon + 1..)?.split_at_checked(length)?;
    *rest = after;
    Some(string)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> DhtQuery {
        DhtQuery::parse(bytes, SocketAddr::from(([127, 0, 0, 1], 4000)), 0)
    }

    #[test]
    fn a_whole_query() {
        let query = parse(
            b"d1:ad2:id20:iiiiiiiiiiiiiiiiiiii9:info_hash20:hhhhhhhhhhhhhhhhhhhh6:scrapei1e4:wantl2:n42:n6ee1:q9:get_peers2:roi1e\
              1:t4:tttt1:y1:qe",
        );
        assert_eq!((query.method.as_str(), query.transaction.as_slice()), ("get_peers", b"tttt".as_slice()));
        assert_eq!((query.id, query.target), (Some([b'i'; 20]), Some([b'h'; 20])));
        assert!(query.read_only && query.scrape);
        assert_eq!(query.want, ["n4", "n6"]);
    }

    #[test]
    fn what_is_not_said_is_empty() {
        for bytes in [&b""[..], b"GET / HTTP/1.1", b"d1:ad2:id3:abc", b"d1:t99:", b"i5", &[b'l'; 10_000]] {
            let query = parse(bytes);
            assert_eq!((query.method.as_str(), query.id, query.target), ("", None, None));
            assert!(!query.read_only && !query.scrape && query.want.is_empty() && query.transaction.is_empty());
        }
        assert_eq!(parse(b"d1:ad6:target20:hhhhhhhhhhhhhhhhhhhhe1:q9:find_nodee").target, Some([b'h'; 20]));
    }
}
