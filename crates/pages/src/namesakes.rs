//! Torrents of one name: what tells them apart.

use crate::section::{ROW_NAME, name};
use crate::view::TorrentView;
use ids::InfoHash;
use std::collections::{HashMap, HashSet};

/// The torrents whose name, as it is shown, another has too.
pub(crate) struct Namesakes(HashSet<InfoHash>);

impl Namesakes {
    pub(crate) fn of<'v>(torrents: impl IntoIterator<Item = &'v TorrentView>) -> Self {
        let (mut first, mut namesakes) = (HashMap::new(), HashSet::new());
        for torrent in torrents {
            let other = *first.entry(name(torrent, ROW_NAME)).or_insert(torrent.info_hash);
            if other != torrent.info_hash {
                namesakes.extend([other, torrent.info_hash]);
            }
        }
        Self(namesakes)
    }

    /// The first digits of the hash of a torrent that is not told by its name.
    pub(crate) fn digits(&self, torrent: &TorrentView) -> Option<String> {
        self.0.contains(&torrent.info_hash).then(|| torrent.info_hash.to_string().chars().take(8).collect())
    }
}
