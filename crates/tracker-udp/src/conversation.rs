//! What is said to one tracker, over anything that carries datagrams.

use crate::datagrams::Datagrams;
use crate::exchange::Exchange;
use crate::{Error, Reply};
use std::time::Duration;
use tokio::time::Instant;
use tracker::udp::{self, Action, ConnectionId};
use tracker::{Announce, Announced, Family, Scrape, Scraped, TrackerUrl};

/// BEP 15: "A client can use a connection ID until one minute after it has received it."
const CONNECTION_LIFETIME: Duration = Duration::from_secs(60);

/// A tracker and the way to it.
#[derive(Debug)]
pub(crate) struct Conversation<D> {
    link: Link<D>,
    url: TrackerUrl,
    family: Family,
}

/// The way to a tracker, and whether it knows us.
#[derive(Debug)]
struct Link<D> {
    datagrams: D,
    connection: Option<Connection>,
    announced: bool,
}

/// A connection id and its end.
#[derive(Clone, Copy, Debug)]
struct Connection {
    id: ConnectionId,
    expires: Instant,
}

impl<D: Datagrams> Conversation<D> {
    pub(crate) fn new(datagrams: D, url: TrackerUrl, family: Family) -> Self {
        Self { link: Link { datagrams, connection: None, announced: false }, url, family }
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
        let Self { link, url, family } = self;
        let mut exchange = Exchange::begin(limit, transaction);
        let request = |id, transaction| udp::announce(id, transaction, announce, url);
        let content = link.ask(&mut exchange, Action::Announce, request, |reply| reply.announced(*family)).await?;
        Ok(exchange.reply(content))
    }

    /// One request for each torrent: the counts in a reply name none, and not every tracker keeps the order.
    pub(crate) async fn scrape(
        &mut self,
        scrape: &Scrape,
        transaction: u32,
        limit: Duration,
    ) -> Result<Reply<Scraped>, Error> {
        let mut exchange = Exchange::begin(limit, transaction);
        let mut scraped = Scraped::default();
        for &info_hash in scrape.info_hashes() {
            let one = Scrape::from(info_hash);
            let request = |id, transaction| udp::scrape(id, transaction, &one);
            let content = self.link.ask(&mut exchange, Action::Scrape, request, |reply| reply.scraped(&one)).await?;
            scraped.files.extend(content.files);
        }
        Ok(exchange.reply(scraped))
    }
}

impl<D: Datagrams> Link<D> {
    /// Asks under a connection id, and once more under a new one when the tracker does not take that.
    async fn ask<T>(
        &mut self,
        exchange: &mut Exchange,
        action: Action,
        request: impl Fn(ConnectionId, u32) -> Vec<u8>,
        read: impl Fn(udp::Reply<'_>) -> Result<T, udp::Error>,
    ) -> Result<T, Error> {
        let mut renewed = false;
        loop {
            let Connection { id, expires } = self.connect(exchange).await?;
            // Whatever comes of it: from here on the tracker may have counted us.
            self.announced |= action == Action::Announce;
            let request = |transaction| request(id, transaction);
            let reply = exchange.ask(&self.datagrams, action, expires, request).await?;
            match reply.map(&read) {
                Some(Ok(content)) => return Ok(content),
                Some(Err(udp::Error::Failure { reason })) if !renewed && is_about_connection(&reason) => renewed = true,
                Some(Err(error)) => return Err(error.into()),
                None if exchange.is_over() => return Err(exchange.timeout(action)),
                // The connection id has expired while the tracker was silent.
                None => {}
            }
            self.connection = None;
        }
    }

    /// The connection id that is still good, or a new one.
    async fn connect(&mut self, exchange: &mut Exchange) -> Result<Connection, Error> {
        if let Some(connection) = self.connection.filter(|connection| Instant::now() < connection.expires) {
            return Ok(connection);
        }
        let id = exchange.connect(&self.datagrams).await?;
        Ok(*self.connection.insert(Connection { id, expires: Instant::now() + CONNECTION_LIFETIME }))
    }
}

/// Whether a tracker refuses the connection id and not the request. There is no code for it, only each tracker's words:
/// "Connection ID missmatch.", "connection id could not be verified".
fn is_about_connection(reason: &str) -> bool {
    reason.to_ascii_lowercase().contains("connection id")
}

#[cfg(test)]
mod tests;
