//! What a body says once its encoding is undone.

use crate::Error;
use flate2::bufread::GzDecoder;
use std::borrow::Cow;
use std::io::Read;

/// What every gzip stream begins with (RFC 1952), and no bencoded one.
const GZIP_MAGIC: &[u8] = b"\x1f\x8b";

/// Inflates a body that is gzip, whatever it is labelled; some trackers and proxies forget to say so, and others say so of a
/// plain one. What follows the first gzip member is ignored.
pub(crate) fn inflate(body: &[u8], limit: usize) -> Result<Cow<'_, [u8]>, Error> {
    if !body.starts_with(GZIP_MAGIC) {
        return Ok(Cow::Borrowed(body));
    }
    let mut inflated = Vec::new();
    // One byte more than may come shows that there is more.
    let mut decoder = GzDecoder::new(body).take((limit as u64).saturating_add(1));
    decoder.read_to_end(&mut inflated).map_err(Error::Gzip)?;
    if inflated.len() > limit {
        return Err(Error::InflatedTooLarge { limit });
    }
    Ok(Cow::Owned(inflated))
}

/// Whether a `Content-Encoding` is one that we asked for, or none.
pub(crate) fn is_known(encoding: &str) -> bool {
    ["", "gzip", "identity", "x-gzip"].iter().any(|known| encoding.trim().eq_ignore_ascii_case(known))
}
