//! Requests to one tracker, over a socket or a script of the tests.

use crate::datagrams::Datagrams;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::reply::Reply;
use std::time::Duration;
use tokio::time::Instant;
use tracker::udp::{self, Action, ConnectionId, DatagramError};
use tracker::{Announce, Announced, Family, Scrape, Scraped, TrackerUrl};

/// BEP 15: "A client can use a connection ID until one minute after it has received it."
const CONNECTION_LIFETIME: Duration = Duration::from_secs(60);

/// A tracker and the connection to it.
#[derive(Debug)]
pub(crate) struct Conversation<D> {
    link: Link<D>,
    url: TrackerUrl,
    family: Family,
    /// Most torrents in one scrape of this tracker, as learned so far.
    at_once: usize,
}

/// The socket, and what is known about us at the tracker.
#[derive(Debug)]
struct Link<D> {
    datagrams: D,
    connection: Option<Connection>,
    announced: bool,
}

/// A connection id and its expiry (BEP 15), to be used by a later session with the same tracker from the same local address,
/// and preferably the same port: some trackers bind it to both.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    id: ConnectionId,
    expires: Instant,
}

impl<D: Datagrams> Conversation<D> {
    pub(crate) fn new(datagrams: D, url: TrackerUrl, family: Family) -> Self {
        Self {
            link: Link { datagrams, connection: None, announced: false },
            url,
            family,
            at_once: Scrape::MOST_OVER_UDP,
        }
    }

    pub(crate) fn connection(&self) -> Option<Connection> {
        self.link.connection
    }

    pub(crate) fn resume(&mut self, connection: Option<Connection>) {
        self.link.connection = connection;
    }

    pub(crate) fn has_announced(&self) -> bool {
        self.link.announced
    }

    pub(crate) async fn announce(
        &mut self,
        announce: &Announce<'_>,
        transaction: u32,
        limit: Duration,
    ) -> Result<Reply<Announced>, Error> {
        let Self { link, url, family, .. } = self;
        let mut exchange = Exchange::begin(limit, transaction);
        let request = |id, transaction| udp::announce(id, transaction, announce, url);
        let content = link.ask(&mut exchange, Action::Announce, request, |reply| reply.announced(*family)).await?;
        Ok(exchange.reply(content, 1))
    }

    /// As many torrents in one request as the tracker answers in a proven order, and at worst one.
    pub(crate) async fn scrape(
        &mut self,
        scrape: &Scrape,
        transaction: u32,
        limit: Duration,
    ) -> Result<Reply<Scraped>, Error> {
        let mut exchange = Exchange::begin(limit, transaction);
        let (mut scraped, mut hashes, mut trouble) = (Scraped::default(), 0, None);
        let mut wanted = scrape.info_hashes();
        while let Some((some, rest)) = wanted.split_at_checked(wanted.len().min(self.at_once)) {
            let Ok(some) = Scrape::new(some.iter().copied()) else { break };
            let size = some.info_hashes().len();
            let request = |id, transaction| udp::scrape(id, transaction, &some);
            match self.link.ask(&mut exchange, Action::Scrape, request, |reply| reply.scraped(&some)).await {
                Ok(content) => {
                    scraped.files.extend(content.files);
                    hashes = hashes.max(size);
                    wanted = rest;
                }
                Err(error) if !is_about_request(&error) => {
                    trouble.get_or_insert(error);
                    break;
                }
                Err(error) if size > 1 => self.at_once = fewer(&error, self.at_once),
                Err(error) => {
                    trouble.get_or_insert(error);
                    wanted = rest;
                }
            }
        }
        match trouble {
            Some(error) if scraped.files.is_empty() => Err(error),
            _ => Ok(exchange.reply(scraped, hashes)),
        }
    }
}

/// Whether an error is the tracker's answer to this request, so that it may answer another one.
fn is_about_request(error: &Error) -> bool {
    error.is_refusal() || matches!(error, Error::BadReply(_))
}

/// How many torrents to put into one request where `now` were too many. A tracker that answers a limited number of entries
/// (chihaya 50) returns that many counts; one that answers each torrent once, in any order, returns one count too few, and
/// must be asked for one at a time.
fn fewer(error: &Error, now: usize) -> usize {
    match *error {
        // Including the repeated one, as many entries as were answered. Tried once.
        Error::BadReply(DatagramError::Order { asked, found })
            if now == Scrape::MOST_OVER_UDP && found > 2 && found + 1 < asked =>
        {
            found - 1
        }
        _ => 1,
    }
}

impl<D: Datagrams> Link<D> {
    /// Asks with a connection id, and once more with a new one when the tracker refuses that.
    async fn ask<T>(
        &mut self,
        exchange: &mut Exchange,
        action: Action,
        request: impl Fn(ConnectionId, u32) -> Vec<u8>,
        read: impl Fn(udp::Reply<'_>) -> Result<T, DatagramError>,
    ) -> Result<T, Error> {
        let mut renewed = false;
        loop {
            let Connection { id, expires } = self.connect(exchange).await?;
            // Whatever the result, from here on the tracker may have counted us.
            self.announced |= action == Action::Announce;
            let request = |transaction| request(id, transaction);
            let reply = exchange.ask(&self.datagrams, action, expires, request).await?;
            match reply.map(&read) {
                Some(Ok(content)) => return Ok(content),
                Some(Err(DatagramError::Failure { reason })) if !renewed && is_about_connection(&reason) => {
                    renewed = true
                }
                Some(Err(error)) => return Err(error.into()),
                None if exchange.is_over() => return Err(exchange.timeout(action)),
                // The connection id has expired while the tracker was silent.
                None => {}
            }
            self.connection = None;
        }
    }

    /// The connection id that is still valid, or a new one.
    async fn connect(&mut self, exchange: &mut Exchange) -> Result<Connection, Error> {
        if let Some(connection) = self.connection.filter(|connection| Instant::now() < connection.expires) {
            return Ok(connection);
        }
        let id = exchange.connect(&self.datagrams).await?;
        Ok(*self.connection.insert(Connection { id, expires: Instant::now() + CONNECTION_LIFETIME }))
    }
}

/// Whether a tracker refuses the connection id and not the request. There is no code for it, only text, such as "Connection
/// ID missmatch." of opentracker and "connection id could not be verified" of Torrust.
fn is_about_connection(reason: &str) -> bool {
    reason.to_ascii_lowercase().contains("connection id")
}

#[cfg(test)]
mod tests;
