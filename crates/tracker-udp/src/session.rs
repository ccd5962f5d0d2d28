//! A connected socket and a tracker.

use crate::conversation::{Connection, Conversation};
use crate::error::Error;
use crate::reply::Reply;
use guard::Secrets;
use std::time::Duration;
use tokio::net::UdpSocket;
use tracker::{Announce, Announced, Family, Scrape, Scraped, TrackerUrl};

/// A tracker at the other end of a socket (BEP 15). The connection id is kept, so that a later exchange within a minute needs
/// no new one.
///
/// An exchange may be dropped at any time; the session remains usable.
#[derive(Debug)]
pub struct Session {
    /// Deadline for each whole exchange, from the first datagram sent to the answer. A request without an answer is
    /// retransmitted after 1.5, 3 and 6 s; a deadline below 10.5 s omits the last one.
    pub timeout: Duration,
    conversation: Conversation<UdpSocket>,
    /// Hidden where the tracker's text repeats them.
    secrets: Secrets,
}

impl Session {
    /// The default deadline: 4.5 s remain after the last retransmission.
    pub const TIMEOUT: Duration = Duration::from_secs(15);

    /// A session over `socket`, which is connected to an address of the tracker of `url`. Only the URL's path and query are
    /// used (BEP 41).
    ///
    /// # Errors
    /// A socket that is not connected.
    pub fn new(socket: UdpSocket, url: &TrackerUrl) -> Result<Self, Error> {
        let family = Family::of(socket.peer_addr()?);
        let conversation = Conversation::new(socket, url.clone(), family);
        Ok(Self { timeout: Self::TIMEOUT, conversation, secrets: Secrets::of(url.expose()) })
    }

    /// The connection id for a later session ([`resuming`](Self::resuming)), if there is one.
    #[must_use]
    pub fn connection(&self) -> Option<Connection> {
        self.conversation.connection()
    }

    /// Uses the connection id of an earlier session with the same tracker, instead of requesting one.
    #[must_use]
    pub fn resuming(mut self, connection: Option<Connection>) -> Self {
        self.conversation.resume(connection);
        self
    }

    /// Whether an announce may have been sent, so that the tracker may have counted us, even without an answer.
    #[must_use]
    pub fn has_announced(&self) -> bool {
        self.conversation.has_announced()
    }

    /// Announces. `transaction` is the id of the first request, and later ones count up from it. It should be hard to guess:
    /// it distinguishes the tracker's answers from forged ones.
    ///
    /// # Errors
    /// Why the tracker named no peers; see [`Error`].
    pub async fn announce(&mut self, announce: &Announce<'_>, transaction: u32) -> Result<Reply<Announced>, Error> {
        self.conversation
            .announce(announce, transaction, self.timeout)
            .await
            .map_err(|error| error.without(&self.secrets))
    }

    /// Asks for the counts of each torrent, of up to [`Scrape::MOST_OVER_UDP`] in one request. Where the torrents of the
    /// counts are unknown ([`udp::Reply::scraped`](tracker::udp::Reply::scraped)) the tracker is asked for one at a time, also
    /// in later scrapes. `transaction` as for [`announce`](Self::announce).
    ///
    /// A partial answer is no error, even when the deadline came or the tracker refused a torrent: [`Scraped::missing`] has
    /// the torrents without counts.
    ///
    /// # Errors
    /// The first error of a scrape without any count; see [`Error`].
    pub async fn scrape(&mut self, scrape: &Scrape, transaction: u32) -> Result<Reply<Scraped>, Error> {
        self.conversation.scrape(scrape, transaction, self.timeout).await.map_err(|error| error.without(&self.secrets))
    }
}
