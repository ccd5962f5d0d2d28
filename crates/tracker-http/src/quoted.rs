//! What a tracker said, kept for an error.

use guard::Secrets;
use std::fmt;
use std::sync::Arc;

/// Text from outside that may repeat a secret of the URL that was asked. `Display` and `Debug` hide that and escape what a
/// terminal would obey; [`Quoted::expose`] does neither.
#[derive(Clone)]
pub struct Quoted {
    text: String,
    secrets: Arc<Secrets>,
}

impl Quoted {
    /// `text`, said by whoever was asked with `secrets`.
    pub(crate) fn new(text: impl Into<String>, secrets: &Arc<Secrets>) -> Self {
        Self { text: text.into(), secrets: secrets.clone() }
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

/// Where a redirect leads. `Display` and `Debug` hide its secrets; [`Location::expose`] does not.
#[derive(Clone)]
pub struct Location(pub(crate) Quoted);

impl Location {
    /// The location as it was sent, secrets and all; may be relative.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A redirect may carry secrets of its own, and ours where no secret is looked for.
        f.write_str(&self.0.secrets.conceal(&guard::redact_url(&self.0.text)))
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}
