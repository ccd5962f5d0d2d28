//! What both sides read and check in the same way.

use crate::key_agreement::PublicKey;
use crate::{Error, LengthPrefixedPad, MAX_PAD, Opening};
use bytes::{Buf, BytesMut};

/// Takes `N` bytes off the front; `None`, and nothing taken, when more are needed.
pub(crate) fn take<const N: usize>(received: &mut BytesMut) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    received.try_copy_to_slice(&mut bytes).ok()?;
    Some(bytes)
}

/// Takes the peer's public key, unless the peer speaks plaintext.
pub(crate) fn public_key(received: &mut BytesMut) -> Result<Option<PublicKey>, Error> {
    match Opening::of(received) {
        Some(Opening::Plaintext) => Err(Error::PlaintextHandshake),
        Some(Opening::MaybeMse) => Ok(take(received)),
        None => Ok(None),
    }
}

/// The length of a pad that the peer announces.
pub(crate) fn pad_length(pad: LengthPrefixedPad, length: u16) -> Result<usize, Error> {
    if usize::from(length) > MAX_PAD {
        return Err(Error::PadTooLong { pad, length });
    }
    Ok(usize::from(length))
}

/// Checks the length of a pad that we are told to send.
pub(crate) fn own_pad(length: usize) -> Result<(), Error> {
    if length > MAX_PAD {
        return Err(Error::OwnPadTooLong { length });
    }
    Ok(())
}
