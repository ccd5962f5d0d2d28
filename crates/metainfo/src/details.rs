//! The fields of a torrent that do not describe its content. All are optional: one of the wrong kind is ignored and noted
//! as a diagnostic.

use crate::diagnostic::Diagnostics;
use crate::encoding::Encoding;
use crate::error::Problem;
use crate::quota::{ListQuota, truncated};
use bencode::{Dict, Kind, Value};
use std::collections::HashSet;

/// The optional fields, each with its key; of a text the first 64 KiB. More fields may be added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Details {
    /// `comment.utf-8` or `comment`: any bytes.
    pub comment: Option<Vec<u8>>,
    /// `created by.utf-8` or `created by`: the program that made the torrent.
    pub created_by: Option<Vec<u8>>,
    /// `creation date`: seconds since 1970, never negative.
    pub creation_date: Option<u64>,
    /// `encoding` or `codepage`: the encoding of text that is not UTF-8; `None` for an unknown one.
    pub encoding: Option<Encoding>,
    /// `source` in the info dictionary: trackers add it so that their torrents have other info-hashes.
    pub source: Option<Vec<u8>>,
    /// `url-list`: web seeds (BEP 19), without empty and duplicate ones.
    pub web_seeds: Vec<String>,
    /// `httpseeds`: web seeds of the other kind (BEP 17).
    pub http_seeds: Vec<String>,
    /// `nodes`: hosts and ports of DHT nodes (BEP 5).
    pub nodes: Vec<(Vec<u8>, u16)>,
    /// `ssl-cert` in the info dictionary: its peers accept only TLS, no plain handshake.
    pub ssl_certificate: bool,
}

pub(crate) fn parse(root: Dict<'_>, info: Dict<'_>, diagnostics: &mut Diagnostics) -> Details {
    let mut reader = Reader { diagnostics };
    Details {
        comment: reader.twin(root, "comment.utf-8", "comment"),
        created_by: reader.twin(root, "created by.utf-8", "created by"),
        creation_date: reader.date(root),
        encoding: Encoding::declared(root),
        source: reader.string(info, "info.source", "source").map(<[u8]>::to_vec),
        web_seeds: reader.urls(root, "url-list"),
        http_seeds: reader.urls(root, "httpseeds"),
        nodes: reader.nodes(root),
        ssl_certificate: reader.string(info, "info.ssl-cert", "ssl-cert").is_some(),
    }
}

struct Reader<'d> {
    diagnostics: &'d mut Diagnostics,
}

impl Reader<'_> {
    fn mistyped(&mut self, path: String, expected: Kind, value: Value<'_>) {
        let problem = Problem::mistyped(value, expected);
        self.diagnostics.ignored(|| path, problem, value.offset());
    }

    fn string<'v>(&mut self, dict: Dict<'v>, path: &str, key: &str) -> Option<&'v [u8]> {
        let value = dict.get(key.as_bytes())?;
        let bytes = value.as_bytes();
        if bytes.is_none() {
            self.mistyped(path.to_owned(), Kind::String, value);
        }
        bytes.map(truncated)
    }

    fn twin(&mut self, root: Dict<'_>, utf8: &str, plain: &str) -> Option<Vec<u8>> {
        let preferred = self.string(root, utf8, utf8).filter(|bytes| !bytes.is_empty());
        preferred.or_else(|| self.string(root, plain, plain)).map(<[u8]>::to_vec)
    }

    fn date(&mut self, root: Dict<'_>) -> Option<u64> {
        let value = root.get(b"creation date")?;
        let Some(seconds) = value.as_int() else {
            match value.kind() {
                Kind::Integer => self.out_of_range(value),
                _ => self.mistyped("creation date".to_owned(), Kind::Integer, value),
            }
            return None;
        };
        let seconds = u64::try_from(seconds).ok();
        if seconds.is_none() {
            self.diagnostics.ignored(|| "creation date".to_owned(), Problem::Negative, value.offset());
        }
        seconds
    }

    fn out_of_range(&mut self, value: Value<'_>) {
        self.diagnostics.ignored(|| "creation date".to_owned(), Problem::OUT_OF_RANGE, value.offset());
    }

    /// One URL, or a list of them.
    fn urls(&mut self, root: Dict<'_>, key: &str) -> Vec<String> {
        let Some(value) = root.get(key.as_bytes()) else { return Vec::new() };
        let one = value.as_bytes().map(|_| value);
        if one.is_none() && value.as_list().is_none() {
            self.mistyped(key.to_owned(), Kind::List, value);
        }
        let (mut urls, mut seen, mut quota) = (Vec::new(), HashSet::new(), ListQuota::new());
        for (index, url) in one.into_iter().chain(value.as_list().into_iter().flatten()).enumerate() {
            match url.as_bytes() {
                None => self.mistyped(format!("{key}[{index}]"), Kind::String, url),
                Some(bytes) if bytes.is_empty() || !seen.insert(bytes) => {}
                Some(bytes) if quota.try_take(bytes.len()) => urls.push(String::from_utf8_lossy(bytes).into_owned()),
                Some(_) => {
                    self.diagnostics.full(key, url.offset());
                    break;
                }
            }
        }
        urls
    }

    fn nodes(&mut self, root: Dict<'_>) -> Vec<(Vec<u8>, u16)> {
        let Some(value) = root.get(b"nodes") else { return Vec::new() };
        let Some(list) = value.as_list() else {
            self.mistyped("nodes".to_owned(), Kind::List, value);
            return Vec::new();
        };
        let (mut nodes, mut quota) = (Vec::new(), ListQuota::new());
        for (index, node) in list.iter().enumerate() {
            let path = || format!("nodes[{index}]");
            if !quota.try_take(node.raw().len()) {
                self.diagnostics.full("nodes", node.offset());
                break;
            }
            let Some(pair) = node.as_list() else {
                self.mistyped(path(), Kind::List, node);
                continue;
            };
            let mut pair = pair.iter();
            let host = pair.next().and_then(Value::as_bytes);
            let port = pair.next().and_then(Value::as_int).and_then(|port| u16::try_from(port).ok());
            match (host, port) {
                (Some(host), Some(port)) => nodes.push((host.to_vec(), port)),
                _ => self.diagnostics.ignored(path, Problem::NotANode, node.offset()),
            }
        }
        nodes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bencode::{Document, Limits};

    fn details(written: &str) -> (Details, Vec<String>) {
        let document = Document::parse_lenient(written.as_bytes(), Limits::TORRENT).unwrap();
        let root = document.root().as_dict().unwrap();
        let mut diagnostics = Diagnostics::default();
        let details = parse(root, root.dict("info").unwrap(), &mut diagnostics);
        (details, diagnostics.first().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn optional_fields_are_read() {
        let (found, notes) = details(concat!(
            "d7:comment1:a13:comment.utf-81:b10:created by1:c13:creation datei7e9:httpseedsl1:he4:infod6:source1:se",
            "5:nodesll4:hosti6881eee8:url-listl1:u0:1:uee"
        ));
        assert_eq!(
            found,
            Details {
                comment: Some(b"b".to_vec()),
                created_by: Some(b"c".to_vec()),
                creation_date: Some(7),
                encoding: None,
                source: Some(b"s".to_vec()),
                web_seeds: vec!["u".into()],
                http_seeds: vec!["h".into()],
                nodes: vec![(b"host".to_vec(), 6881)],
                ssl_certificate: false,
            }
        );
        assert_eq!(notes, [""; 0]);
        assert_eq!(details("d4:infode8:url-list0:e").0, Details::default());
    }

    #[test]
    fn entries_beyond_the_quota_are_ignored() {
        let urls: String = (10_000..30_000).map(|number| format!("5:{number}")).collect();
        let written = format!("d9:httpseedsl{urls}e4:infode5:nodesl{}e8:url-listl{urls}ee", "l1:hi1ee".repeat(20_000));
        let (found, notes) = details(&written);
        assert_eq!((found.web_seeds.len(), found.http_seeds.len(), found.nodes.len()), (10_000, 10_000, 10_000));
        assert_eq!(notes.len(), 3, "{notes:?}");
    }

    #[test]
    fn fields_of_the_wrong_kind_are_ignored_and_noted() {
        let (found, notes) = details(concat!(
            "d7:commenti1e13:creation datei-1e9:httpseedsi1e4:infod8:ssl-certi1e6:sourcelee",
            "5:nodesl1:xl4:hosti70000eee8:url-listli5eee"
        ));
        assert_eq!(found, Details::default());
        assert_eq!(
            notes,
            [
                "comment: expected string, found integer, ignored (at byte 10)",
                "creation date: negative, ignored (at byte 29)",
                "info.source: expected string, found list, ignored (at byte 75)",
                "url-list[0]: expected string, found integer, ignored (at byte 116)",
                "httpseeds: expected list, found integer, ignored (at byte 44)",
                "nodes[0]: expected list, found string, ignored (at byte 86)",
                "nodes[1]: not a host and a port, ignored (at byte 89)",
                "info.ssl-cert: expected string, found integer, ignored (at byte 64)",
            ]
        );
    }
}
