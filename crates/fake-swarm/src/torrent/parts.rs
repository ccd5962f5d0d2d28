//! What torrents of one file and of several have alike.

use crate::bencoding::{list, string};

/// Twenty bytes a piece: its index in decimal, so that each is different.
pub(super) fn invented_hashes(pieces: u64) -> String {
    (0..pieces).map(|index| format!("{index:020}")).collect()
}

/// The entry of web seeds, if there are any.
pub(super) fn url_list(urls: &[&str]) -> Option<(&'static str, Vec<u8>)> {
    (!urls.is_empty()).then(|| ("url-list", list(urls.iter().map(string))))
}
