//! The methods by which the stream can continue after the handshake.

use std::fmt;

/// How the stream continues after the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CryptoMethod {
    /// In plaintext: only the handshake and the initial payload are encrypted.
    Plaintext,
    /// In RC4, in both directions.
    Rc4,
}

/// `crypto_provide`: the methods that an initiator offers, one bit each.
///
/// Clients select differently from [`EITHER`](Self::EITHER); all of them accept [`RC4`](Self::RC4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CryptoProvide(pub u32);

impl CryptoMethod {
    pub(crate) const ALL: [Self; 2] = [Self::Plaintext, Self::Rc4];

    /// Its bit in `crypto_provide` and `crypto_select`.
    pub(crate) const fn bit(self) -> u32 {
        match self {
            Self::Plaintext => 0x01,
            Self::Rc4 => 0x02,
        }
    }
}

impl CryptoProvide {
    /// Plaintext only.
    pub const PLAINTEXT: Self = Self(CryptoMethod::Plaintext.bit());
    /// RC4 only.
    pub const RC4: Self = Self(CryptoMethod::Rc4.bit());
    /// Plaintext or RC4, as the responder selects.
    pub const EITHER: Self = Self(Self::PLAINTEXT.0 | Self::RC4.0);

    /// Whether the method is offered.
    #[must_use]
    pub fn contains(self, method: CryptoMethod) -> bool {
        self.0 & method.bit() != 0
    }

    /// Whether any known method is offered.
    pub(crate) fn is_known(self) -> bool {
        self.0 & Self::EITHER.0 != 0
    }
}

impl fmt::Display for CryptoMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plaintext => "plaintext",
            Self::Rc4 => "RC4",
        })
    }
}

/// The known methods by name, other bits as a number.
impl fmt::Display for CryptoProvide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for method in CryptoMethod::ALL.into_iter().filter(|method| self.contains(*method)) {
            write!(f, "{separator}{method}")?;
            separator = ", ";
        }
        let unknown = self.0 & !Self::EITHER.0;
        if unknown != 0 || separator.is_empty() {
            write!(f, "{separator}{unknown:#x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_bits_are_shown_by_name_and_others_as_a_number() {
        for (bits, shown) in
            [(0, "0x0"), (1, "plaintext"), (2, "RC4"), (3, "plaintext, RC4"), (6, "RC4, 0x4"), (8, "0x8")]
        {
            assert_eq!(CryptoProvide(bits).to_string(), shown);
        }
    }
}
