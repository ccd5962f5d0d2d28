//! What a peer is to its swarm, and what that was concluded from.

use crate::code::codes;

codes! {
    /// What a peer is to its swarm.
    #[derive(Default)]
    pub enum Role {
        /// It has every piece.
        Seed = "seed",
        /// It lacks a few scattered pieces, each of which another peer has: a seed that does not tell at once, as µTorrent
        /// does not, or a leecher about to finish.
        LikelySeed = "likely_seed",
        /// It says that it has nothing, and would give us pieces all the same: a seed that hides what it has (BEP 16), as those of
        /// libtorrent do.
        SuperSeed = "super_seed",
        /// It lacks pieces and wants none (BEP 21).
        PartialSeed = "partial_seed",
        /// It lacks pieces.
        Leech = "leech",
        /// It has not said; or what it said leaves it open: that it neither has nor wants anything, or of a torrent whose number of
        /// pieces is not known.
        #[default]
        Unknown = "unknown",
    }
}

codes! {
    /// What a role was concluded from.
    #[derive(Default)]
    pub enum RoleFrom {
        /// `have_all` (BEP 6).
        HaveAll = "have_all",
        /// `have_none` (BEP 6).
        HaveNone = "have_none",
        /// `have_none`, or a bitfield without a piece, and then `unchoke`.
        NoneAndUnchoke = "none_and_unchoke",
        /// Its bitfield.
        Bitfield = "bitfield",
        /// Its bitfield, and `have` messages that filled holes in it.
        BitfieldAndHaves = "bitfield_and_haves",
        /// `have` messages alone.
        Haves = "haves",
        /// Scattered holes in a nearly full bitfield.
        ScatteredHoles = "scattered_holes",
        /// `upload_only` in its extension handshake.
        UploadOnly = "upload_only",
        /// It said nothing of its pieces.
        #[default]
        Nothing = "nothing_said",
    }
}
