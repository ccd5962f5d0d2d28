//! Magnet links (BEP 9) of torrents.

use crate::view::TorrentView;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// The link that was given, or one of hashes and name.
pub(crate) fn magnet_link(torrent: &TorrentView) -> String {
    let given = torrent.magnet_link.as_deref().filter(|link| link.starts_with("magnet:?"));
    given.map_or_else(|| with_name(torrent), str::to_owned)
}

/// A link of hashes alone: nothing in it was chosen by others.
pub(crate) fn hash_link(torrent: &TorrentView) -> String {
    let v1 = torrent.info_hash_v2.is_none_or(|v2| v2.truncated() != torrent.info_hash);
    let v1 = v1.then(|| format!("xt=urn:btih:{}", torrent.info_hash));
    // The multihash of SHA-256 (BEP 52).
    let v2 = torrent.info_hash_v2.map(|v2| format!("xt=urn:btmh:1220{v2}"));
    let topics: Vec<_> = v1.into_iter().chain(v2).collect();
    format!("magnet:?{}", topics.join("&"))
}

fn with_name(torrent: &TorrentView) -> String {
    let link = hash_link(torrent);
    match torrent.name.as_str() {
        "" => link,
        name => format!("{link}&dn={}", utf8_percent_encode(name, NON_ALPHANUMERIC)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ids::{InfoHash, InfoHashV2};

    #[test]
    fn a_link_has_each_hash_once() {
        let mut torrent = TorrentView::new(InfoHash([1; 20]), "a b&tr=x");
        let (v1, v2) = ("01".repeat(20), "02".repeat(32));
        assert_eq!(magnet_link(&torrent), format!("magnet:?xt=urn:btih:{v1}&dn=a%20b%26tr%3Dx"));
        torrent.info_hash_v2 = Some(InfoHashV2([2; 32]));
        assert_eq!(hash_link(&torrent), format!("magnet:?xt=urn:btih:{v1}&xt=urn:btmh:1220{v2}"));
        torrent.info_hash = InfoHash([2; 20]);
        assert_eq!(hash_link(&torrent), format!("magnet:?xt=urn:btmh:1220{v2}"));
        for (given, is_kept) in [("magnet:?xt=urn:btih:00", true), ("javascript:alert(1)", false), ("", false)] {
            torrent.magnet_link = Some(given.to_owned());
            assert_eq!(magnet_link(&torrent) == given, is_kept);
        }
    }
}
