//! One request after another until its answer, under one deadline.

use crate::datagrams::Datagrams;
use crate::{Error, Ignored, Reply};
use std::io;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tracker::udp::{self, Action, ConnectionId};

/// How long each sending of a request is waited for before it is sent again: BEP 15's 15 s · 2ⁿ, a tenth of it, because
/// somebody is watching. A request is thus sent at 0, 1.5, 4.5 and 10.5 s; then only the deadline ends the waiting.
const RETRANSMIT_AFTER: [Duration; 3] = [Duration::from_millis(1500), Duration::from_secs(3), Duration::from_secs(6)];

/// Longest time an exchange may take: no clock overflows at its end, and nobody waits for it either.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Longest datagram received, in bytes: more than UDP can carry over IPv4, so that none is cut.
const MAX_DATAGRAM: usize = 64 << 10;

/// A question and its answer: at most a connect and what follows it, however often each is sent.
pub(crate) struct Exchange {
    limit: Duration,
    begun: Instant,
    deadline: Instant,
    /// How long it took to get connection ids.
    connect: Option<Duration>,
    /// The number of the next request.
    transaction: u32,
    ignored: Ignored,
    /// Whether one refusal has been forgiven.
    forgiven: bool,
    buffer: Vec<u8>,
}

/// What is asked, and by which the answer is known.
struct Request {
    action: Action,
    transaction: u32,
    datagram: Vec<u8>,
}

impl Exchange {
    /// Begins now. The requests are numbered from `transaction` on.
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
            forgiven: false,
            buffer: vec![0; MAX_DATAGRAM],
        }
    }

    /// What the whole exchange came to, with as many torrents in one request.
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
    /// Whatever keeps the tracker from giving one.
    pub(crate) async fn connect<D: Datagrams>(&mut self, datagrams: &D) -> Result<ConnectionId, Error> {
        let begun = Instant::now();
        let reply = self.ask(datagrams, Action::Connect, self.deadline, udp::connect).await?;
        let Some(reply) = reply else { return Err(self.timeout(Action::Connect)) };
        let id = reply.connected()?;
        *self.connect.get_or_insert_default() += begun.elapsed();
        Ok(id)
    }

    /// Sends a request until its answer comes. `None` when the deadline comes first, or the end of what the request rests
    /// on.
    ///
    /// # Errors
    /// A refusal by the network, or a socket that fails. What the tracker answers is no error here.
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

    /// Sends a request. A socket to which ICMP has brought a refusal tells it instead, once.
    async fn send<D: Datagrams>(&mut self, datagrams: &D, request: &Request) -> Result<(), Error> {
        match datagrams.send(&request.datagram).await {
            Err(error) if self.forgive(&error) => Ok(datagrams.send(&request.datagram).await?),
            result => Ok(result?),
        }
    }

    /// Waits for the answer, until `end` at the longest and however much else comes in, and gives its length.
    async fn receive<D: Datagrams>(
        &mut self,
        datagrams: &D,
        request: &Request,
        end: Instant,
    ) -> Result<Option<usize>, Error> {
        // A socket that always has something to give would never let the timer speak.
        while Instant::now() < end {
            let Ok(received) = timeout_at(end, datagrams.recv(&mut self.buffer)).await else { break };
            match received {
                Ok(length) if self.is_answer(length, request) => return Ok(Some(length)),
                Ok(_) => {}
                Err(error) if self.forgive(&error) => self.send(datagrams, request).await?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    /// Whether the datagram in the buffer answers `request`; the others are counted. A tracker that got a request twice
    /// is late with its second answer, so that the action must be right too.
    fn is_answer(&mut self, length: usize, request: &Request) -> bool {
        let reply = self.buffer.get(..length).and_then(udp::Reply::parse);
        let failure = reply.and_then(|reply| reply.failure());
        let ours = reply.is_some_and(|reply| {
            reply.transaction == request.transaction && (failure.is_some() || reply.action == request.action.number())
        });
        if !ours {
            self.ignored.count += 1;
            self.ignored.last_text = failure.or(self.ignored.last_text.take());
        }
        ours
    }

    /// Whether an error is the one refusal that is forgiven. It may be about a datagram of an earlier exchange, which
    /// came back only now; the next one is about ours.
    fn forgive(&mut self, error: &io::Error) -> bool {
        let forgive = error.kind() == io::ErrorKind::ConnectionRefused && !self.forgiven;
        self.forgiven |= forgive;
        forgive
    }
}
