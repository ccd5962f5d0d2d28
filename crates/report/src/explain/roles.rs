//! The roles of peers.

use crate::explain::{Causes, CodeKind, Explanation};
use crate::role::Role;

/// In the order of [`Role::ALL`].
pub(super) const TABLE: &[Explanation] = &[
    entry(
        Role::Seed,
        "seed",
        "it says that it has every piece: at once, or by filling the holes of a lazy bitfield while we listened",
        "it claims so: no piece was fetched",
        "nothing",
    ),
    entry(
        Role::LikelySeed,
        "likely seed",
        "it lacks 3 to 32 pieces in several places, most of them others than similar peers lack, and each of them was seen elsewhere",
        "a seed that does not tell at once, as uTorrent does; or a leecher about to finish",
        "give a longer --linger: a lazy seed fills its holes with time",
    ),
    entry(
        Role::SuperSeed,
        "hidden seed",
        "it says that it has nothing, and would give us pieces all the same: a seed that hides what it has (BEP 16)",
        "its user chose super-seeding, as libtorrent, qBittorrent and Deluge offer it: it shows each peer one piece after the other",
        "nothing; it is counted as a likely seed",
    ),
    entry(
        Role::PartialSeed,
        "partial seed",
        "it lacks pieces and wants none (BEP 21)",
        "its user chose some of the files, and it has those",
        "nothing",
    ),
    entry(Role::Leech, "leecher", "it lacks pieces", "it is still downloading, or has stopped to", "nothing"),
    entry(
        Role::Unknown,
        "role unknown",
        "it did not say what it has, or says that it neither has nor wants anything",
        "it has nothing yet, or is a seed that hides what it has (BEP 16): rTorrent then says the same",
        "give a longer --linger",
    ),
];

const fn entry(
    role: Role,
    words: &'static str,
    seen: &'static str,
    cause: &'static str,
    to_do: &'static str,
) -> Explanation {
    Explanation { kind: CodeKind::Role, code: role.code(), words, seen, causes: Causes::One(cause), to_do }
}
