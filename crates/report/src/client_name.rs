//! The name of a peer's software: from its `v` (BEP 10), or else from its peer id (BEP 20).

use ids::PeerId;
use std::borrow::Cow;

/// How rTorrent's `v` begins: with its library, which is not Rasterbar's (`libtorrent/`).
const LIBRARY_OF_RTORRENT: &str = "libTorrent ";

/// The name to show; escaped for a terminal.
pub(crate) fn client_name(v: Option<&str>, id: Option<PeerId>) -> Option<String> {
    let by_id = || id.and_then(|id| id.client());
    let Some(v) = v.map(str::trim).filter(|v| !v.is_empty()) else { return by_id().map(|client| client.to_string()) };
    let named = match v.strip_prefix(LIBRARY_OF_RTORRENT) {
        Some(version) => by_id()
            .filter(|client| client.name.starts_with("rTorrent"))
            .map_or_else(|| Cow::Borrowed(v), |client| Cow::Owned(format!("{} {version}", client.name))),
        None => Cow::Borrowed(v),
    };
    Some(guard::escape(&named).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWEST: &str = include_str!("../../../fixtures/ids/newest.tsv");

    #[test]
    fn the_newest_clients_are_named_as_they_name_themselves() {
        for row in NEWEST.lines().skip(1) {
            let [client, id, v, _by_peer_id, shown] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
            let id = PeerId::from_hex(id).unwrap();
            assert_eq!(client_name(Some(v), Some(id)).as_deref(), Some(shown), "{client}");
        }
    }

    #[test]
    fn only_rtorrent_is_renamed() {
        let named = |v, id: &[u8; 20]| client_name(v, Some(PeerId(*id))).unwrap();
        assert_eq!(named(Some("libTorrent 0.15.7"), b"-lt0F07-abcdefghijkl"), "rTorrent 0.15.7");
        assert_eq!(named(Some("libtorrent/2.0.14.0"), b"-lt0F07-abcdefghijkl"), "libtorrent/2.0.14.0");
        assert_eq!(named(Some("libTorrent 0.15.7"), b"-LT20E0-abcdefghijkl"), "libTorrent 0.15.7");
        assert_eq!(named(Some("libTorrent \u{1b}[2J"), b"-lt0F07-abcdefghijkl"), "rTorrent \\u{1b}[2J");
        assert_eq!(named(Some("  "), b"-lt0F07-abcdefghijkl"), "rTorrent 0.15.7");
        assert_eq!(named(None, b"-lt0F07-abcdefghijkl"), "rTorrent 0.15.7");
        assert_eq!((client_name(Some("x"), None).as_deref(), client_name(None, None)), (Some("x"), None));
    }
}
