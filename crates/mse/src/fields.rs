//! Fields of the handshake: reading them and checking them.

use crate::error::{Error, LengthPrefixedPad};
use crate::limits::MAX_PAD;
use crate::method::{CryptoMethod, CryptoProvide};
use crate::opening::Opening;
use crate::secret::Number;
use bytes::{Buf, BytesMut};

/// Takes `N` bytes off the front; if there are fewer, `None`, and nothing is taken.
pub(crate) fn take<const N: usize>(received: &mut BytesMut) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    received.try_copy_to_slice(&mut bytes).ok()?;
    Some(bytes)
}

/// Takes the peer's public key; the error is for a plaintext handshake.
pub(crate) fn public_key(received: &mut BytesMut) -> Result<Option<Number>, Error> {
    match Opening::of(received) {
        Some(Opening::Plaintext) => Err(Error::PlaintextHandshake),
        Some(Opening::MaybeMse) => Ok(take(received)),
        None => Ok(None),
    }
}

/// Checks the length of a pad that the peer announces.
pub(crate) fn pad_length(pad: LengthPrefixedPad, length: u16) -> Result<usize, Error> {
    if usize::from(length) > MAX_PAD {
        return Err(Error::PadTooLong { pad, length });
    }
    Ok(usize::from(length))
}

/// Checks the length of a pad in our own configuration.
pub(crate) fn own_pad(length: usize) -> Result<(), Error> {
    if length > MAX_PAD {
        return Err(Error::OwnPadTooLong { length });
    }
    Ok(())
}

/// The method of a `crypto_select`: exactly one of those provided.
pub(crate) fn selected(provided: CryptoProvide, select: u32) -> Result<CryptoMethod, Error> {
    match select.count_ones() {
        0 => return Err(Error::NothingSelected),
        1 => {}
        _ => return Err(Error::SeveralSelected { select }),
    }
    let is_selected = |method: &CryptoMethod| method.bit() == select && provided.contains(*method);
    CryptoMethod::ALL.into_iter().find(is_selected).ok_or(Error::NotOffered { select, provided })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_of_the_provided_methods_may_be_selected() {
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
            // Provided, but unknown to us.
            (CryptoProvide(6), 4, Err(Error::NotOffered { select: 4, provided: CryptoProvide(6) })),
            (either, 0x8000_0000, Err(Error::NotOffered { select: 0x8000_0000, provided: either })),
        ] {
            assert_eq!(selected(provided, select), expected, "{select:#x} of {provided}");
        }
    }
}
