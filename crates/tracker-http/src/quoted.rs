//! What a tracker said, kept for an error.

use guard::Secrets;
use std::fmt;
use std::sync::Arc;

/// How much of a text is kept, in bytes: some trackers give reasons of 450.
const MAX_QUOTED_BYTES: usize = 1024;

/// Text from outside, up to 1,024 bytes and an ellipsis, that may repeat a secret of the URL that was asked. `Display` and
/// `Debug` hide that and escape what a terminal would obey; [`Quoted::expose`] does neither.
#[derive(Clone)]
pub struct Quoted {
    text: String,
    secrets: Arc<Secrets>,
}

impl Quoted {
    /// `text`, said by whoever was asked with `secrets`.
    pub(crate) fn new(text: &str, secrets: &Arc<Secrets>) -> Self {
        Self { text: beginning(text), secrets: secrets.clone() }
    }

    /// The text as it came, secrets and all.
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

/// As much of `text` as is kept.
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
    /// `text`, sent by whoever was asked with `secrets`.
    pub(crate) fn new(text: &[u8], secrets: &Arc<Secrets>) -> Self {
        Self { text: String::from_utf8_lossy(text).into_owned(), secrets: secrets.clone() }
    }

    /// The location as it was sent, secrets and all; may be relative, and up to 64 KiB long.
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
