//! The extensions that are known by name (BEP 10).

/// An extension that the extension protocol (BEP 10) carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Extension {
    /// The info dictionary, piece by piece (BEP 9).
    UtMetadata,
    /// Peer exchange (BEP 11).
    UtPex,
    /// Introduces two peers that cannot reach each other (BEP 55).
    UtHolepunch,
    /// Takes a `have` back (BEP 54).
    LtDonthave,
    /// Says that nothing more will be downloaded (BEP 21), and when that changes.
    UploadOnly,
    /// Says that the sender downloads only what it can give on: libtorrent's.
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
