//! How the stream may go on after the handshake: what is provided, and what is selected of it.

use crate::Error;
use std::fmt;

/// How the stream goes on after the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CryptoMethod {
    /// As it is: only the handshake and the initial payload were encrypted.
    Plaintext,
    /// In RC4, both ways.
    Rc4,
}

/// `crypto_provide`: the methods that an initiator offers, a bit each, in the 32 bits that travel.
///
/// Clients differ in what they make of [`EITHER`](Self::EITHER); [`RC4`](Self::RC4) is what all of them take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CryptoProvide(pub u32);

impl CryptoMethod {
    const ALL: [Self; 2] = [Self::Plaintext, Self::Rc4];

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
    /// Plaintext and RC4, for the responder to choose.
    pub const EITHER: Self = Self(Self::PLAINTEXT.0 | Self::RC4.0);

    /// Whether the method is offered.
    #[must_use]
    pub fn contains(self, method: CryptoMethod) -> bool {
        self.0 & method.bit() != 0
    }

    /// Whether a method is offered that we know.
    pub(crate) fn is_known(self) -> bool {
        self.0 & Self::EITHER.0 != 0
    }

    /// What a `crypto_select` stands for: exactly one of the methods offered.
    pub(crate) fn selected(self, select: u32) -> Result<CryptoMethod, Error> {
        match select.count_ones() {
            0 => return Err(Error::NothingSelected),
            1 => {}
            _ => return Err(Error::SeveralSelected { select }),
        }
        let offered = CryptoMethod::ALL.into_iter().find(|method| method.bit() == select && self.contains(*method));
        offered.ok_or(Error::NotOffered { select, provided: self })
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

/// The methods by name, and other bits as a number.
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
    fn exactly_one_of_what_was_offered_may_be_selected() {
        let (plaintext, rc4, either) = (CryptoProvide::PLAINTEXT, CryptoProvide::RC4, CryptoProvide::EITHER);
        for (provided, select, expected) in [
            (plaintext, 1, Ok(CryptoMethod::Plaintext)),
            (rc4, 2, Ok(CryptoMethod::Rc4)),
            (either, 1, Ok(CryptoMethod::Plaintext)),
            (either, 2, Ok(CryptoMethod::Rc4)),
            (either, 0, Err(Error::NothingSelected)),
            (either, 3, Err(Error::SeveralSelected { select: 3 })),
            (either, 0x102, Err(Error::SeveralSelected { select: 0x102 })),
            (rc4, 1, Err(Error::NotOffered { select: 1, provided: rc4 })),
            (plaintext, 2, Err(Error::NotOffered { select: 2, provided: plaintext })),
            // Offered, but nobody knows what it is.
            (CryptoProvide(6), 4, Err(Error::NotOffered { select: 4, provided: CryptoProvide(6) })),
            (either, 0x8000_0000, Err(Error::NotOffered { select: 0x8000_0000, provided: either })),
        ] {
            assert_eq!(provided.selected(select), expected, "{select:#x} of {provided}");
        }
    }

    #[test]
    fn bits_are_shown_by_name() {
        for (bits, shown) in
            [(0, "0x0"), (1, "plaintext"), (2, "RC4"), (3, "plaintext, RC4"), (6, "RC4, 0x4"), (8, "0x8")]
        {
            assert_eq!(CryptoProvide(bits).to_string(), shown);
        }
    }
}
