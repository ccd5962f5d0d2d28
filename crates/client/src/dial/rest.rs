//! The rest of a conversation, after the peer has said all of itself: its report is made, and extensions go on.

use crate::dial::attempt::Attempt;
use crate::dial::peer_context::PeerContext;
use crate::dial::stream::Stream;
use crate::discovery::pex::inbox::NamedCount;
use crate::shared::address_quota::AddressPermit;
use crate::shared::permits::ConnectionPermit;
use peer_wire::Handshake;
use report::{Encryption, Transport};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;

/// What an attempt leaves open, until it [goes on](Self::go_on).
#[derive(Debug)]
pub(crate) struct Rest {
    stream: Stream,
    session: peer_session::Rest,
    closed: Closed,
    _permits: (Option<ConnectionPermit>, Option<AddressPermit>),
}

/// A connection that is over, to a peer that shook hands.
#[derive(Debug)]
pub(crate) struct Closed {
    pub(crate) address: SocketAddr,
    pub(crate) by_user: bool,
    pub(crate) for_layers: bool,
    pub(crate) transport: Transport,
    pub(crate) encryption: Encryption,
    pub(crate) theirs: Handshake,
    /// Bytes received on it.
    pub(crate) received: usize,
    pub(crate) named: Option<NamedCount>,
}

/// How a task of an attempt ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// With the attempt.
    Attempt(Box<Attempt>),
    /// With the connection that went on: the attempt was told of before.
    Closed(Box<Closed>),
}

/// The result of one step of a peer's conversation.
#[derive(Debug)]
pub(crate) enum Done {
    /// An attempt has ended, with its connection.
    Attempt(Box<Attempt>),
    /// An attempt has ended, and its connection goes on.
    GoesOn(Box<Attempt>),
    /// Such a connection is over.
    Closed(Box<Closed>),
}

impl Closed {
    /// Of an attempt whose peer shook hands.
    pub(crate) fn of(attempt: &Attempt) -> Option<Self> {
        let theirs = attempt.progress.session.theirs?;
        let Attempt { request, progress, .. } = attempt;
        Some(Self {
            address: request.address,
            by_user: request.by_user,
            for_layers: request.for_layers,
            transport: progress.transport,
            encryption: request.encryption,
            theirs,
            received: progress.session.received,
            named: progress.pex.clone(),
        })
    }
}

impl Rest {
    /// Takes the permits of the attempt along.
    pub(crate) fn of(attempt: &mut Attempt, stream: Stream, session: peer_session::Rest) -> Option<Self> {
        let closed = Closed::of(attempt)?;
        let permits = (attempt.permit.take(), attempt.request.permit.take());
        Some(Self { stream, session, closed, _permits: permits })
    }

    /// Goes on until the extensions wait for nothing more, then closes. It is one block on the heap, so that the
    /// future of an attempt has no space for it.
    pub(crate) fn go_on(mut self, context: Arc<PeerContext>) -> Pin<Box<impl Future<Output = Box<Closed>> + Send>> {
        Box::pin(async move {
            let Self { stream, session, .. } = &mut self;
            let _ = context.stopped.or(pin!(session.listen(stream, &context.rules))).await;
            self.closed.received = self.session.received();
            let Self { stream, closed, .. } = self;
            stream.close();
            Box::new(closed)
        })
    }
}
