//! The public face: a connected socket and a tracker.

use crate::Error;
use crate::conversation::{Connection, Conversation};
use guard::Secrets;
use std::time::Duration;
use tokio::net::UdpSocket;
use tracker::{Announce, Announced, Family, Scrape, Scraped, TrackerUrl};

/// A tracker at the other end of a socket (BEP 15). What it has told us about itself is kept: a later exchange within a
/// minute needs no new connection id.
///
/// An exchange may be dropped at any time; the session can go on with another one.
#[derive(Debug)]
pub struct Session {
    /// Deadline for each whole exchange, from the first datagram sent to the answer. A request is sent again after 1.5, 3
    /// and 6 s without an answer, so that with less than 10.5 s the last of these does not happen.
    pub timeout: Duration,
    conversation: Conversation<UdpSocket>,
    /// What the tracker's text may not repeat.
    secrets: Secrets,
}

/// A tracker's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<T> {
    /// What it says.
    pub content: T,
    /// Most torrents in one request that was answered so that it was understood; 1 for an announce.
    pub hashes: usize,
    /// The time it took to get a connection id; `None` when there was one already.
    pub connect: Option<Duration>,
    /// The time of the whole exchange.
    pub elapsed: Duration,
    /// Datagrams that came from the tracker's address and answered nothing that was asked.
    pub ignored: usize,
}

impl Session {
    /// The deadline when none is set: a request that nobody answers has 4.5 s left after it was sent for the last time.
    pub const TIMEOUT: Duration = Duration::from_secs(15);

    /// A session over `socket`, which is connected to an address of the tracker that `url` names. Only the URL's path
    /// and query are of use here (BEP 41).
    ///
    /// # Errors
    /// A socket that is not connected.
    pub fn new(socket: UdpSocket, url: &TrackerUrl) -> Result<Self, Error> {
        let family = Family::of(socket.peer_addr()?);
        let conversation = Conversation::new(socket, url.clone(), family);
        Ok(Self { timeout: Self::TIMEOUT, conversation, secrets: Secrets::of(url.expose()) })
    }

    /// What a later session needs to go on with this one's connection id; `None` when there is none.
    #[must_use]
    pub fn connection(&self) -> Option<Connection> {
        self.conversation.connection()
    }

    /// Goes on with the connection id of an earlier session with the same tracker, instead of asking for one.
    #[must_use]
    pub fn resuming(mut self, connection: Option<Connection>) -> Self {
        self.conversation.resume(connection);
        self
    }

    /// Whether an announce may have been sent, so that the tracker may have counted us, answered or not.
    #[must_use]
    pub fn has_announced(&self) -> bool {
        self.conversation.has_announced()
    }

    /// Announces. `transaction` numbers the first request, its successors the others; it should be hard to guess, since
    /// it tells the tracker's answers from a stranger's.
    ///
    /// # Errors
    /// Whatever kept the tracker from naming peers; see [`Error`].
    pub async fn announce(&mut self, announce: &Announce<'_>, transaction: u32) -> Result<Reply<Announced>, Error> {
        self.conversation
            .announce(announce, transaction, self.timeout)
            .await
            .map_err(|error| error.without(&self.secrets))
    }

    /// Asks for the counts of each torrent, of up to [`Scrape::MOST_OVER_UDP`] in one request. A tracker whose answer does
    /// not show whose the counts are ([`udp::Reply::scraped`](tracker::udp::Reply::scraped)) is asked one by one, in the
    /// next scrapes at once. `transaction` as for [`announce`](Self::announce).
    ///
    /// With some counts this is no error, even when the deadline came or the tracker refused a torrent:
    /// [`Scraped::missing`] has those that are not known.
    ///
    /// # Errors
    /// Whatever came first of what kept the tracker from giving any count; see [`Error`].
    pub async fn scrape(&mut self, scrape: &Scrape, transaction: u32) -> Result<Reply<Scraped>, Error> {
        self.conversation.scrape(scrape, transaction, self.timeout).await.map_err(|error| error.without(&self.secrets))
    }
}
