//! Names of overlay networks, which are never looked up in the DNS.

/// An overlay network with names of its own, which is not supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Overlay {
    /// RFC 7686, 2: "Applications that do not implement the Tor protocol SHOULD generate an error upon the use of .onion and
    /// SHOULD NOT perform a DNS lookup."
    #[error("onion names are reached over Tor, which is not spoken here; not looked up (RFC 7686)")]
    Tor,
    /// Names that only an I2P router can resolve; a DNS query would disclose what is wanted.
    #[error("i2p names are reached over I2P, which is not spoken here; not looked up")]
    I2p,
}

impl Overlay {
    /// The network that `host` is named in; `None` for a name of the DNS.
    pub(crate) fn of(host: &str) -> Option<Self> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let last = host.rsplit('.').next()?;
        match () {
            () if last.eq_ignore_ascii_case("onion") => Some(Self::Tor),
            () if last.eq_ignore_ascii_case("i2p") => Some(Self::I2p),
            () => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_label_decides() {
        for (host, overlay) in [
            ("duskgytldkxiuqc6.onion", Some(Overlay::Tor)),
            ("www.duskgytldkxiuqc6.ONION.", Some(Overlay::Tor)),
            ("onion", Some(Overlay::Tor)),
            ("tracker2.postman.i2p", Some(Overlay::I2p)),
            ("abc.b32.I2P", Some(Overlay::I2p)),
            ("onion.example", None),
            ("myonion", None),
            ("i2p.example.", None),
            ("t.onion.ly", None),
            ("", None),
        ] {
            assert_eq!(Overlay::of(host), overlay, "{host}");
        }
    }
}
