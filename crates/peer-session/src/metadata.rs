//! `ut_metadata` (BEP 9): the info dictionary of a magnet link, from several peers at once.

mod limits;
mod member;
mod pieces;
mod pool;
mod requests;

pub use limits::MetadataLimits;
pub use member::{MetadataPeer, MetadataReport, Standing};

use crate::advertised::Violation;
use crate::budget::ByteBudget;
use crate::extensions::Extension;
use bytes::Bytes;
use peer_wire::{ExtensionHandshake, MetadataMessage};
use pool::Pool;
use std::fmt;
use std::future::poll_fn;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use tokio::time::Instant;

/// The name of the extension.
const NAME: &str = "ut_metadata";

/// An info dictionary that is put together of what several peers send. Clones share it; each conversation has a
/// [`UtMetadata`] of it. `K` is the caller's name for a peer, such as its address.
///
/// Peers that name a size are asked, one piece at a time each, because rTorrent answers only the first of several requests. Software
/// that was seen to answer all is asked for several, once its first answer came quickly, which makes fewer round trips. A piece that is
/// overdue is asked of another peer too.
///
/// The size is that of the first peers; another is tried when none of these is left, or after some seconds if as many peers name it.
/// When all pieces are there, the hash decides. If it is wrong, one peer is asked for what the others gave, until it is right or it is
/// clear that this one gave wrong bytes; in the end every peer that gave any is known by name.
#[derive(Clone)]
pub struct Assembly<K>(Arc<Mutex<Pool<K>>>);

/// `ut_metadata` in one conversation: asks this peer for pieces of an [`Assembly`]. We have no metadata, so what it asks for is
/// rejected. Drop it when the conversation is over: then others are asked for what it has not answered.
pub struct UtMetadata<K: Clone + Eq + Hash> {
    assembly: Assembly<K>,
    key: K,
    /// Its place in the assembly, once it has offered metadata.
    place: Option<usize>,
}

impl<K: Clone + Eq + Hash> Assembly<K> {
    /// Begins one. The size that a peer names is taken from `budget` as long as it is assembled, and while there is no room for it
    /// nothing is asked. `is_right` compares a dictionary with the info-hash; it may be called for wrong ones too.
    pub fn new(limits: MetadataLimits, budget: &ByteBudget, is_right: impl Fn(&[u8]) -> bool + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Pool::new(limits, budget.charge(), Box::new(is_right), Instant::now()))))
    }

    /// The extension for a conversation with a peer. Of a peer with two conversations at once, one is used; a peer that was given up
    /// is not asked in a later one either.
    pub fn with(&self, key: K) -> UtMetadata<K> {
        UtMetadata { assembly: self.clone(), key, place: None }
    }

    /// The dictionary, once it is complete and its hash right.
    #[must_use]
    pub fn finished(&self) -> Option<Bytes> {
        self.pool(|pool| pool.finished())
    }

    /// As [`finished`](Self::finished), and its memory counts no longer towards the budget.
    #[must_use]
    pub fn release(&self) -> Option<Bytes> {
        self.pool(Pool::release)
    }

    /// Whether it is finished or [abandoned](Self::abandon), so that no peer is asked any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.pool(|pool| pool.is_over())
    }

    /// Asks no peer any more, and keeps no conversation: the dictionary has come in another way. Nothing changes where it is finished.
    pub fn abandon(&self) {
        self.pool(Pool::abandon);
    }

    /// Waits until it is [`finished`](Self::finished). May be dropped at any time.
    pub async fn complete(&self) -> Bytes {
        poll_fn(|context| {
            self.pool(|pool| match pool.finished() {
                Some(finished) => Poll::Ready(finished),
                None => {
                    let waker = context.waker();
                    if !pool.waiters.iter().any(|waiter| waiter.will_wake(waker)) {
                        pool.waiters.push(waker.clone());
                    }
                    Poll::Pending
                }
            })
        })
        .await
    }

    /// What has happened so far, and each peer's part in it.
    #[must_use]
    pub fn report(&self) -> MetadataReport<K> {
        self.pool(|pool| pool.report())
    }

    /// Does something with the pool, then wakes those for which that changed something.
    fn pool<T>(&self, work: impl FnOnce(&mut Pool<K>) -> T) -> T {
        let (done, woken) = {
            let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let done = work(&mut pool);
            (done, std::mem::take(&mut pool.woken))
        };
        woken.into_iter().for_each(Waker::wake);
        done
    }
}

impl<K: Clone + Eq + Hash> UtMetadata<K> {
    fn member<T>(&self, work: impl FnOnce(&mut Pool<K>, usize) -> T) -> Option<T> {
        self.place.map(|place| self.assembly.pool(|pool| work(pool, place)))
    }

    /// What to ask for now.
    fn ask(&mut self, now: Instant) -> Option<Bytes> {
        let piece = self.member(|pool, place| pool.due(place, now)).flatten()?;
        Some(MetadataMessage::Request { piece: piece.into() }.encode())
    }
}

impl<K: Clone + Eq + Hash + Send> Extension for UtMetadata<K> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn offer(&mut self, theirs: &ExtensionHandshake) -> Option<Bytes> {
        let now = Instant::now();
        self.place = self.assembly.pool(|pool| pool.join(&self.key, theirs, now));
        self.ask(now)
    }

    fn heard(&mut self, payload: &[u8]) -> Result<Option<Bytes>, Violation> {
        let now = Instant::now();
        let Ok(message) = MetadataMessage::decode(payload) else {
            self.member(|pool, place| pool.bar(place, Standing::Unreadable, now));
            return Err(Violation::ExtensionMessage { extension: NAME });
        };
        match message {
            MetadataMessage::Request { piece } => {
                self.member(|pool, place| pool.member(place).iter_mut().for_each(|member| member.told.asked_us = true));
                return Ok(Some(MetadataMessage::Reject { piece, total_size: None }.encode()));
            }
            // As WebTorrent rejects.
            MetadataMessage::Data { piece, bytes: [], .. } | MetadataMessage::Reject { piece, .. } => {
                self.member(|pool, place| pool.reject(place, piece, now));
            }
            MetadataMessage::Data { piece, total_size, bytes } => {
                self.member(|pool, place| pool.data(place, (piece, total_size), bytes, now));
            }
            _ => {}
        }
        let next = self.ask(now);
        if next.is_none() {
            // Another peer may be asked in its place.
            self.member(|pool, _| pool.wake_all());
        }
        Ok(next)
    }

    fn is_done(&self) -> bool {
        !self.member(|pool, place| pool.may_be_needed(place)).unwrap_or(false)
    }

    fn wake(&self) -> Option<Instant> {
        self.member(|pool, place| pool.wake(place)).flatten()
    }

    fn due(&mut self, now: Instant) -> Option<Bytes> {
        self.ask(now)
    }

    fn watch(&mut self, waker: &Waker) {
        self.member(|pool, place| {
            if let Some(member) = pool.member(place)
                && !member.waker.as_ref().is_some_and(|known| known.will_wake(waker))
            {
                member.waker = Some(waker.clone());
            }
        });
    }

    fn is_busy(&self) -> bool {
        self.member(|pool, place| pool.is_kept(place)).unwrap_or(false)
    }

    fn asked_for(&self) -> usize {
        self.member(|pool, place| pool.member(place).map_or(0, |member| member.bytes)).unwrap_or(0)
    }
}

impl<K: Clone + Eq + Hash> Drop for UtMetadata<K> {
    fn drop(&mut self) {
        let now = Instant::now();
        self.member(|pool, place| pool.leave(place, now));
    }
}

impl<K> fmt::Debug for Assembly<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Assembly").field(&self.0).finish()
    }
}

impl<K: Clone + Eq + Hash + fmt::Debug> fmt::Debug for UtMetadata<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UtMetadata").field("key", &self.key).field("place", &self.place).finish_non_exhaustive()
    }
}
