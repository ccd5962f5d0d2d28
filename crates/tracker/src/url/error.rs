//! Errors of announce URLs.

/// Why text is not an announce URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// No `scheme://`.
    #[error("not a URL")]
    NotAUrl,
    /// Longer than [`TrackerUrl::MAX_BYTES`](crate::TrackerUrl::MAX_BYTES).
    #[error("URL is longer than {max} bytes")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// A scheme other than `http`, `https` and `udp`: `ws`, `wss`, `dht`, …
    #[error("unknown scheme")]
    UnknownScheme,
    /// A blank, control or non-ASCII character; in a redirect, any outside RFC 3986, 2.
    #[error("character that does not belong in a URL")]
    BadCharacter,
    /// A user name and password that are not text once decoded, or that Basic authentication cannot carry (RFC 7617).
    #[error("bad user name or password")]
    UserInfo,
    /// No host, or one that is neither an address nor a name.
    #[error("bad host name")]
    BadHost,
    /// No port, where the scheme has no default one (BEP 15 gives `udp` none).
    #[error("no port: a udp tracker has no default one")]
    MissingPort,
    /// A port that is not 1 to 65535.
    #[error("bad port")]
    BadPort,
    /// A redirect to a scheme other than HTTP and HTTPS.
    #[error("redirect to another scheme than http and https")]
    RedirectScheme,
    /// A redirect from HTTPS to HTTP, which would send the secrets of the URL in the clear.
    #[error("redirect from https to http")]
    Downgrade,
}
