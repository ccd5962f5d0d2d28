//! The addresses of nodes' host names, so that a long list of torrents does not look the same names up again and again.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;

/// How long addresses are used.
const FRESH: Duration = Duration::from_secs(10 * 60);

/// Names that are kept: those of the user and the well-known ones are a few.
const KEPT: usize = 64;

/// Host names that were resolved.
#[derive(Debug, Default)]
pub(crate) struct Resolved(HashMap<String, (Instant, Vec<SocketAddr>)>);

impl Resolved {
    /// The addresses of a host, with this port.
    pub(crate) fn get(&mut self, host: &str, port: u16, now: Instant) -> Option<Vec<SocketAddr>> {
        let (at, addresses) = self.0.get(host)?;
        let with_port = |address: &SocketAddr| SocketAddr::new(address.ip(), port);
        (now - *at < FRESH).then(|| addresses.iter().map(with_port).collect())
    }

    pub(crate) fn keep(&mut self, host: &str, addresses: &[SocketAddr], now: Instant) {
        if self.0.len() >= KEPT {
            self.0.clear();
        }
        self.0.insert(host.to_owned(), (now, addresses.to_vec()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn addresses_are_used_for_ten_minutes_with_any_port() {
        let (mut resolved, begin) = (Resolved::default(), Instant::now());
        resolved.keep("n.example", &["192.0.2.1:1".parse().unwrap()], begin);
        assert_eq!(resolved.get("n.example", 6881, begin), Some(vec!["192.0.2.1:6881".parse().unwrap()]));
        assert_eq!(resolved.get("n.example", 6881, begin + FRESH), None);
        assert_eq!(resolved.get("m.example", 6881, begin), None);
    }
}
