//! The files of a torrent that lack pieces.

use crate::input::Input;
use crate::text::plural;
use client::SwarmView;
use guard::escape_bytes;
use metainfo::File;

/// The files that lack a piece: at most `most` by name, the others counted.
pub(super) fn files(input: &Input, swarm: &SwarmView, most: usize) -> Vec<String> {
    let mut files = missing_files(input, swarm);
    let mut named: Vec<String> = files.by_ref().take(most).map(|file| path(input, &file.path)).collect();
    let more = files.count();
    named.extend((more > 0).then(|| plural(more, "more file")));
    named
}

/// The files that cannot be completed.
pub(super) fn missing_files<'s>(input: &'s Input, swarm: &'s SwarmView) -> impl Iterator<Item = File<'s>> {
    input.listing().into_iter().flat_map(|torrent| swarm.missing_files(torrent))
}

/// A path in a torrent, escaped.
pub(super) fn path(input: &Input, elements: &[&[u8]]) -> String {
    escape_bytes(&input.path(elements)).to_string()
}
