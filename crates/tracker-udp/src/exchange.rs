//! Requests and retransmissions under one deadline.

use crate::datagrams::Datagrams;
use crate::error::{Error, Ignored};
use crate::reply::Reply;
use std::io;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tracker::udp::{self, Action, ConnectionId};

/// Waits before each retransmission: a tenth of BEP 15's 15 s · 2ⁿ, because a user is waiting. A request is thus sent at 0,
/// 1.5, 4.5 and 10.5 s; after that only the deadline ends it.
const RETRANSMIT_AFTER: [Duration; 3] = [Duration::from_millis(1500), Duration::from_secs(3), Duration::from_secs(6)];

/// Longest deadline of an exchange; a larger one could overflow the clock.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Size of the receive buffer in bytes: more than UDP can carry over IPv4, so that no datagram is cut.
const MAX_DATAGRAM: usize = 64 << 10;

/// A request and its answer: at most a connect and the request after it, with the retransmissions of both.
pub(crate) struct Exchange {
    limit: Duration,
    begun: Instant,
    deadline: Instant,
    /// The time spent on connection ids.
    connect: Option<Duration>,
    /// The transaction id of the next request.
    transaction: u32,
    ignored: Ignored,
    /// Whether one ICMP refusal has been ignored.
    refused: bool,
    buffer: Vec<u8>,
}

/// A request, and the fields that its answer must have.
struct Request {
    action: Action,
    transaction: u32,
    datagram: Vec<u8>,
}

impl Exchange {
    /// Begins now. The transaction ids count up from `transaction`.
    pub(crate) fn begin(limit: Duration, transaction: u32) -> Self {
        let begun = Instant::now();
        let limit = limit.min(LONGEST);
        Self {
            limit,
            begun,
            deadline: begun + limit,
            connect: None,
            transaction,
            ignored: Ignored::default(),
            refused: false,
            buffer: vec![0; MAX_DATAGRAM],
        }
    }

    /// The result of the whole exchange, with `hashes` torrents in one request.
    pub(crate) fn reply<T>(self, content: T, hashes: usize) -> Reply<T> {
        Reply { content, hashes, connect: self.connect, elapsed: self.begun.elapsed(), ignored: self.ignored.count }
    }

    /// The error of a request that the deadline ended.
    pub(crate) fn timeout(&mut self, stage: Action) -> Error {
        Error::Timeout { stage, limit: self.limit, ignored: std::mem::take(&mut self.ignored) }
    }

    /// Whether the deadline has passed.
    pub(crate) fn is_over(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Gets a connection id.
    ///
    /// # Errors
    /// Why the tracker gives none.
    pub(crate) async fn connect<D: Datagrams>(&mut self, datagrams: &D) -> Result<ConnectionId, Error> {
        let begun = Instant::now();
        let reply = self.ask(datagrams, Action::Connect, self.deadline, udp::connect).await?;
        let Some(reply) = reply else { return Err(self.timeout(Action::Connect)) };
        let id = reply.connected()?;
        *self.connect.get_or_insert_default() += begun.elapsed();
        Ok(id)
    }

    /// Sends a request until its answer comes. `None` when the deadline comes first, or `expires`, the end of the connection
    /// id.
    ///
    /// # Errors
    /// An ICMP refusal, or a socket that fails. A refusal by the tracker is an answer.
    pub(crate) async fn ask<D: Datagrams>(
        &mut self,
        datagrams: &D,
        action: Action,
        expires: Instant,
        request: impl FnOnce(u32) -> Vec<u8>,
    ) -> Result<Option<udp::Reply<'_>>, Error> {
        let transaction = self.transaction;
        self.transaction = transaction.wrapping_add(1);
        let request = Request { action, transaction, datagram: request(transaction) };
        let end = expires.min(self.deadline);
        let mut waits = RETRANSMIT_AFTER.into_iter();
        while Instant::now() < end {
            self.send(datagrams, &request).await?;
            let again = waits.next().map_or(end, |wait| end.min(Instant::now() + wait));
            if let Some(length) = self.receive(datagrams, &request, again).await? {
                return Ok(self.buffer.get(..length).and_then(udp::Reply::parse));
            }
        }
        Ok(None)
    }

    /// Sends a request. A socket with a pending ICMP refusal reports that instead of sending, once.
    async fn send<D: Datagrams>(&mut self, datagrams: &D, request: &Request) -> Result<(), Error> {
        match datagrams.send(&request.datagram).await {
            Err(error) if self.ignore_refusal(&error) => Ok(datagrams.send(&request.datagram).await?),
            result => Ok(result?),
        }
    }

    /// Waits for the answer until `end`, however many other datagrams come, and gives its length.
    async fn receive<D: Datagrams>(
        &mut self,
        datagrams: &D,
        request: &Request,
        end: Instant,
    ) -> Result<Option<usize>, Error> {
        // While the socket always has a datagram, `timeout_at` never looks at the timer.
        while Instant::now() < end {
            let Ok(received) = timeout_at(end, datagrams.recv(&mut self.buffer)).await else { break };
            match received {
                Ok(length) if self.is_answer(length, request) => return Ok(Some(length)),
                Ok(_) => {}
                Err(error) if self.ignore_refusal(&error) => self.send(datagrams, request).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Whether the datagram in the buffer answers `request`; others are counted. The action must match too: the second answer
    /// to a retransmitted request may come late.
    fn is_answer(&mut self, length: usize, request: &Request) -> bool {
        let reply = self.buffer.get(..length).and_then(udp::Reply::parse);
        let failure = reply.and_then(|reply| reply.failure());
        let answers = reply.is_some_and(|reply| {
            reply.transaction == request.transaction && (failure.is_some() || reply.action == request.action.number())
        });
        if !answers {
            self.ignored.count += 1;
            self.ignored.last_text = failure.or(self.ignored.last_text.take());
        }
        answers
    }

    /// Whether an error is an ICMP refusal, and the first one. That one may belong to a datagram of an earlier exchange; the
    /// next one belongs to this one.
    fn ignore_refusal(&mut self, error: &io::Error) -> bool {
        let ignore = error.kind() == io::ErrorKind::ConnectionRefused && !self.refused;
        self.refused |= ignore;
        ignore
    }
}
