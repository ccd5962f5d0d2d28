//! The queries of the DHT that were sent and not answered, and to which lookup an answer belongs.

use dht::krpc::Message;
use std::collections::HashMap;
use std::mem::take;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::Instant;

/// The queries that were sent and not answered, by the node's address.
#[derive(Debug, Default)]
pub(crate) struct Queries(Mutex<HashMap<(IpAddr, u16), Vec<Open>>>);

/// A query that was sent.
#[derive(Debug)]
struct Open {
    to: SocketAddr,
    transaction: [u8; 4],
    mailbox: Arc<Mailbox>,
}

/// Answers to the queries of one lookup, which any of the lookups may have read. Each query has one answer at most, so that there
/// are never more of them than queries.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    answers: Mutex<Vec<Answer>>,
    arrived: Arc<Notify>,
}

/// A reply or an error that answers a query.
#[derive(Debug)]
pub(crate) struct Answer {
    /// As the query was sent to it.
    pub(crate) from: SocketAddr,
    /// When it was read.
    pub(crate) at: Instant,
    pub(crate) message: Message,
}

impl Queries {
    pub(crate) fn add(&self, to: SocketAddr, transaction: [u8; 4], mailbox: &Arc<Mailbox>) {
        let query = Open { to, transaction, mailbox: Arc::clone(mailbox) };
        lock(&self.0).entry(key(to)).or_default().push(query);
    }

    /// Puts an answer in the mailbox of the lookup that asked, and wakes it unless it is the `reader`.
    pub(crate) fn deliver(&self, datagram: &[u8], from: SocketAddr, reader: Option<&Arc<Mailbox>>) {
        if datagram.len() > Message::MAX_BYTES {
            return;
        }
        let mut open = lock(&self.0);
        // Not parsed for strangers.
        let Some(queries) = open.get_mut(&key(from)) else { return };
        let message = match Message::parse(datagram) {
            Ok(Message::Query(_)) | Err(_) => return,
            Ok(message) => message,
        };
        let Some(place) = queries.iter().position(|query| query.transaction == *message.transaction()) else { return };
        let Open { to, mailbox, .. } = queries.swap_remove(place);
        if queries.is_empty() {
            open.remove(&key(from));
        }
        lock(&mailbox.answers).push(Answer { from: to, at: Instant::now(), message });
        if !reader.is_some_and(|reader| Arc::ptr_eq(&mailbox, reader)) {
            mailbox.arrived.notify_one();
        }
    }

    /// Leaves out the queries of a lookup.
    pub(crate) fn forget(&self, mailbox: &Arc<Mailbox>) {
        lock(&self.0).retain(|_, queries| {
            queries.retain(|query| !Arc::ptr_eq(&query.mailbox, mailbox));
            !queries.is_empty()
        });
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        lock(&self.0).values().flatten().count()
    }
}

impl Mailbox {
    /// Takes the answers that have arrived.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        take(&mut *lock(&self.answers))
    }

    /// Ready when another has read an answer.
    pub(crate) fn arrived(&self) -> OwnedNotified {
        Arc::clone(&self.arrived).notified_owned()
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        lock(&self.answers).is_empty()
    }
}

/// Without the scope and flow of an IPv6 address, which an answer may have in another way.
pub(crate) fn key(address: SocketAddr) -> (IpAddr, u16) {
    (address.ip(), address.port())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
