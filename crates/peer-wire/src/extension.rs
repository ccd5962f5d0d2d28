//! The extensions whose names are known (BEP 10).

/// An extension of the extension protocol (BEP 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Extension {
    /// Sends the info dictionary, piece by piece (BEP 9).
    UtMetadata,
    /// Peer exchange (BEP 11).
    UtPex,
    /// Introduces two peers that cannot reach each other (BEP 55).
    UtHolepunch,
    /// Withdraws a `have` (BEP 54).
    LtDonthave,
    /// Tells that the sender downloads nothing more, or that this changed (BEP 21).
    UploadOnly,
    /// Tells that the sender downloads only to upload more than it downloads; by libtorrent.
    ShareMode,
}

impl Extension {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::UtMetadata, Self::UtPex, Self::UtHolepunch, Self::LtDonthave, Self::UploadOnly, Self::ShareMode];

    /// Its name in `m`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UtMetadata => "ut_metadata",
            Self::UtPex => "ut_pex",
            Self::UtHolepunch => "ut_holepunch",
            Self::LtDonthave => "lt_donthave",
            Self::UploadOnly => "upload_only",
            Self::ShareMode => "share_mode",
        }
    }
}
