//! How trackers are asked.

use http_exchange::Limits;
use std::time::Duration;

/// How trackers are asked: GET requests (BEP 3) over a [`Connection`](crate::Connection).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Client {
    /// Deadline for a whole exchange, from the first byte written to the last one read. 15 s by default.
    pub timeout: Duration,
    /// The `User-Agent`; some trackers refuse requests without one.
    pub user_agent: String,
    /// How large a reply may be.
    pub limits: Limits,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            user_agent: concat!("bt-handshake/", env!("CARGO_PKG_VERSION")).to_owned(),
            limits: Limits::DEFAULT,
        }
    }
}

impl Client {
    /// The same with another deadline.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same with another `User-Agent`.
    #[must_use]
    pub fn with_user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}
