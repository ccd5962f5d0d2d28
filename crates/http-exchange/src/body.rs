//! Content encodings of a body.

use crate::error::Error;
use flate2::bufread::GzDecoder;
use std::borrow::Cow;
use std::io::Read;

/// The first bytes of every gzip stream (RFC 1952, 2.3.1).
const GZIP_MAGIC: &[u8] = b"\x1f\x8b";

/// Inflates a body that is gzip, whatever its label, to at most `limit` bytes. What follows the first gzip member is ignored.
pub(crate) fn inflate(body: &[u8], limit: usize) -> Result<Cow<'_, [u8]>, Error> {
    if !body.starts_with(GZIP_MAGIC) {
        return Ok(Cow::Borrowed(body));
    }
    let mut inflated = Vec::new();
    // One byte above the limit shows that there is more.
    let mut decoder = GzDecoder::new(body).take((limit as u64).saturating_add(1));
    decoder.read_to_end(&mut inflated).map_err(Error::Gzip)?;
    if inflated.len() > limit {
        return Err(Error::InflatedTooLarge { limit });
    }
    Ok(Cow::Owned(inflated))
}

/// Whether a `Content-Encoding` is one that [`inflate`] undoes, or none.
pub(crate) fn is_known(encoding: &str) -> bool {
    ["", "gzip", "identity", "x-gzip"].iter().any(|known| encoding.trim().eq_ignore_ascii_case(known))
}
