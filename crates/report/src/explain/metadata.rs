//! How asking peers for the metadata of a link ended, and what came of asking each.

use crate::explain::{Causes, CodeKind, Explanation};
use crate::metadata::{MetadataStanding as P, MetadataStatus as S};

const NOTHING: &str = "nothing; other peers are asked";

/// In the order of [`S::ALL`].
pub(super) const TABLE: &[Explanation] = &[
    entry(
        S::Ok,
        "metadata is there",
        "peers gave the metadata, and its hash is the link's",
        "the number of pieces, the files and the private flag are known from then on",
        "nothing",
    ),
    entry(
        S::Private,
        "private, known late",
        "peers gave the metadata, and it says that the torrent is private",
        "a link does not say so: until then the torrent was treated as public unless a tracker's URL has a secret",
        "give the .torrent file",
    ),
    entry(
        S::NoPeerOffers,
        "no peer has it",
        "no peer that was reached offered the metadata",
        "the peers were given a link too and wait as you do, the torrent is private, or no peer was reached: this is why a client hangs at downloading metadata",
        "ask more sources, or get the .torrent file",
    ),
    entry(
        S::TimedOut,
        "offered, and not given",
        "peers offered the metadata, and it did not come whole in the time of the run",
        "the peers that offer it are slow, silent, full, or reject: the standing of each says which",
        "give a longer --deadline, or ask more sources",
    ),
    entry(
        S::WrongHash,
        "wrong hash",
        "the metadata came whole, its hash was wrong, and no other peer gave a right one",
        "peers with wrong_bytes are broken, or meant to keep others from the torrent",
        "ask more sources",
    ),
    entry(
        S::TooLarge,
        "said to be too large",
        "every peer that offered the metadata names a size beyond 16 MiB",
        "the peers lie, or the torrent has a million pieces or files",
        "get the .torrent file",
    ),
    entry(
        S::NotATorrent,
        "no torrent",
        "the hash of the metadata is right, and it is no torrent: the message says what is wrong",
        "the link was made of something else, or of a torrent of another version",
        "tell its author",
    ),
    entry(
        S::Interrupted,
        "interrupted",
        "the run was interrupted before the metadata was there",
        "too little was seen to tell why it was not there yet",
        "run it again",
    ),
];

/// In the order of [`P::ALL`].
pub(super) const STANDINGS: &[Explanation] = &[
    standing(
        P::Asked,
        "asked",
        "nothing is against the peer: it gave pieces, or was not needed",
        "only a few peers are asked at once",
    ),
    standing(
        P::NoSize,
        "has none",
        "the peer speaks ut_metadata and named no size",
        "it was given a link too, and has no metadata itself",
    ),
    standing(P::TooLarge, "too large", "the peer named a size beyond 16 MiB", "it lies, or the torrent is very large"),
    standing(
        P::OtherSize,
        "another size",
        "the peer named another size than that of the metadata whose hash is right",
        "it lies, or is broken",
    ),
    standing(
        P::Rejected,
        "rejected",
        "the peer rejected a piece, or hashes of a piece layer",
        "it limits how much it gives, or does not have it any more",
    ),
    standing(
        P::TimedOut,
        "not in time",
        "the peer did not send a piece, or hashes, within 5 s",
        "it is busy or silent; Transmission 3.00 takes up to 3 s",
    ),
    standing(
        P::WrongTotal,
        "another total size",
        "the peer sent a piece with another total size than it had named",
        "it is broken, or wants to use up memory",
    ),
    standing(P::WrongLength, "wrong length", "the peer sent a piece of a wrong length", "it is broken"),
    standing(P::Unreadable, "unreadable", "the peer sent what is no message of ut_metadata", "it is broken"),
    standing(
        P::WrongBytes,
        "wrong bytes",
        "the peer gave wrong bytes",
        "it is broken, or wants to keep others from the torrent",
    ),
];

const fn entry(
    status: S,
    words: &'static str,
    seen: &'static str,
    cause: &'static str,
    to_do: &'static str,
) -> Explanation {
    Explanation { kind: CodeKind::MetadataStatus, code: status.code(), words, seen, causes: Causes::One(cause), to_do }
}

const fn standing(of: P, words: &'static str, seen: &'static str, cause: &'static str) -> Explanation {
    let kind = CodeKind::MetadataStanding;
    Explanation { kind, code: of.code(), words, seen, causes: Causes::One(cause), to_do: NOTHING }
}
