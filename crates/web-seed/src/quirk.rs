//! What of a web seed some clients cannot use, though nothing is wrong with the server.

use crate::url::{Content, WebSeedUrl};

/// What of a web seed some clients cannot use, though nothing is wrong with the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Quirk {
    /// The URL of a torrent with a directory does not end in a slash: libtorrent and aria2 add it, Transmission asks for the URL
    /// itself, whatever the file.
    NoFinalSlash,
    /// A name has `#`: Transmission 4.1 cuts its request there.
    NumberSign,
    /// A name has `%`: Transmission 4.1 sends it as it is, and servers decode what follows.
    PercentSign,
}

impl Quirk {
    /// Those of a web seed of BEP 19, each once; `paths` are those of the torrent's files.
    pub fn of<'p>(
        _url: &WebSeedUrl,
        _content: Content<'_>,
        _paths: impl IntoIterator<Item = &'p [&'p [u8]]>,
    ) -> Vec<Self> {
        Vec::new()
    }
}
