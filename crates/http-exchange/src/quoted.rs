//! Text of a server, kept for an error.

use guard::Secrets;
use std::fmt;
use std::sync::Arc;

/// Longest text kept, in bytes: the longest refusal of a real tracker has 450.
const MAX_QUOTED_BYTES: usize = 1024;

/// Untrusted text, up to 1,024 bytes and an ellipsis, that may repeat a secret of the requested URL. `Display` and `Debug`
/// hide the secret and escape what would control a terminal; [`Quoted::expose`] does neither.
#[derive(Clone)]
pub struct Quoted {
    text: String,
    secrets: Arc<Secrets>,
}

impl Quoted {
    /// `text` of a server that was sent `secrets`.
    #[must_use]
    pub fn new(text: &str, secrets: &Arc<Secrets>) -> Self {
        Self { text: beginning(text), secrets: secrets.clone() }
    }

    /// The text as it came, secrets included.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.secrets.conceal(&guard::escape(&self.text).to_string()))
    }
}

impl fmt::Debug for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// The part of `text` that is kept.
fn beginning(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_QUOTED_BYTES);
    let ellipsis = if end < text.len() { "…" } else { "" };
    format!("{}{ellipsis}", text.get(..end).unwrap_or_default())
}

/// Where a redirect leads. `Display` and `Debug` hide its secrets; [`Location::expose`] does not.
#[derive(Clone)]
pub struct Location {
    text: String,
    secrets: Arc<Secrets>,
}

impl Location {
    /// The `Location` of a server that was sent `secrets`.
    #[must_use]
    pub fn new(text: &[u8], secrets: &Arc<Secrets>) -> Self {
        Self { text: String::from_utf8_lossy(text).into_owned(), secrets: secrets.clone() }
    }

    /// The location as it was sent, secrets included; may be relative, and as long as a head may be.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // It may carry secrets of its own, and ours where a URL usually has none.
        f.write_str(&self.secrets.conceal(&guard::redact_url(&beginning(&self.text))))
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}
