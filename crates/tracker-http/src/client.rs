//! How trackers are asked.

use crate::connection::Connection;
use crate::{Error, Limits};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// How trackers are asked: GET requests (BEP 3) over a [`Connection`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Deadline for a whole exchange, from the first byte written to the last one read.
    pub timeout: Duration,
    /// Who we say we are; some trackers refuse those who say nothing.
    pub user_agent: String,
    /// How much a reply may take.
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
    /// A connection over `stream`, at the other end of which is a tracker. Nothing is written yet.
    ///
    /// # Errors
    /// None so far; hyper leaves the possibility open.
    pub async fn over<S>(&self, stream: S) -> Result<Connection<S>, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        Connection::new(self.clone(), stream).await
    }
}
