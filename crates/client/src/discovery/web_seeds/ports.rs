//! How many ports of one IP address a run connects to because a torrent, a link or a redirect names them: 512 web seeds at 512
//! ports would be a scan.

use crate::shared::address_quota::AddressCounter;
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

/// The ports so far.
#[derive(Debug)]
pub(crate) struct Ports(Mutex<Seen>);

#[derive(Debug)]
struct Seen {
    counter: AddressCounter,
    allowed: HashSet<SocketAddr>,
}

/// As many other ports of the address were named before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limit of {limit} ports for its address")]
pub(crate) struct Crowded {
    limit: usize,
}

impl Ports {
    /// `most` for each address; `None` for any number.
    pub(crate) fn new(most: Option<usize>) -> Self {
        Self(Mutex::new(Seen { counter: AddressCounter::new(most), allowed: HashSet::new() }))
    }

    /// Counts the port of `address` if it is new.
    ///
    /// # Errors
    /// There are enough others.
    pub(crate) fn check(&self, address: SocketAddr) -> Result<(), Crowded> {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        // Held for a look or a change, never during a wait.
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Seen { counter, allowed } = &mut *seen;
        let Some(limit) = counter.most().filter(|_| !allowed.contains(&address)) else { return Ok(()) };
        if counter.take(address.ip(), 1) == 0 {
            return Err(Crowded { limit });
        }
        allowed.insert(address);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_n_ports_and_each_may_be_named_again() {
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let ports = Ports::new(Some(2));
        for (text, is_allowed) in [
            ("9.9.9.9:80", true),
            ("[::ffff:9.9.9.9]:80", true),
            ("9.9.9.9:443", true),
            ("9.9.9.9:8080", false),
            ("9.9.9.9:80", true),
            ("[::ffff:9.9.9.9]:8080", false),
            ("8.8.8.8:8080", true),
        ] {
            assert_eq!(ports.check(address(text)).is_ok(), is_allowed, "{text}");
        }
        let any = Ports::new(None);
        assert!((1..1000).all(|port| any.check(SocketAddr::new([9, 9, 9, 9].into(), port)).is_ok()));
    }
}
