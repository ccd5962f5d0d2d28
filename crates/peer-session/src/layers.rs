//! Hash requests (BEP 52): the piece layers of a v2 torrent, from several peers at once.

mod member;
mod pool;

pub use member::{LayerPeer, LayerReport};

use crate::budget::ByteBudget;
use crate::extensions::Extension;
use crate::metadata::{Assembly, MetadataLimits};
use bytes::{Bytes, BytesMut};
use ids::InfoHash;
use metainfo::{PieceLayer, PieceLayers};
use peer_wire::{Codec, ExtensionHandshake, HashRange, Message};
use pool::Pool;
use std::fmt;
use std::future::poll_fn;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use tokio::time::Instant;

/// The piece layers of a torrent that is known by its info-hash, put together of what several peers send once its metadata is there.
/// Clones share it; each conversation has a [`HashRequests`] of it. `K` is the caller's name for a peer, such as its address.
///
/// Peers whose handshake has the v2 info-hash are asked, for one part of a layer at a time each; libtorrent closes a connection by
/// the v1 hash on such a request, and serves it without `interested` or `unchoke`. Each answer is proved by itself, so one that is wrong
/// shows at once whose it is. A part that is overdue is asked of another peer too.
#[derive(Clone)]
pub struct LayerAssembly<K>(Arc<Mutex<Pool<K>>>);

/// Hash requests in one conversation: asks this peer for parts of a [`LayerAssembly`]. What it asks for itself is not answered: we said
/// that we have no piece. Drop it when the conversation is over: then others are asked for what it has not answered.
pub struct HashRequests<K: Clone + Eq + Hash> {
    assembly: LayerAssembly<K>,
    key: K,
    /// What the peer's handshake has.
    info_hash: InfoHash,
    /// Its place in the assembly, once it has introduced itself.
    place: Option<usize>,
}

impl<K: Clone + Eq + Hash> LayerAssembly<K> {
    /// Prepares one for what `metadata` will tell. From the moment that it is there, conversations are kept until
    /// [`begin`](Self::begin) or [`cancel`](Self::cancel). Of the limits, those of bytes are for all layers together, which are taken from
    /// `budget` as long as they are here; while there is no room for them nothing is asked.
    pub fn after(metadata: &Assembly<K>, limits: MetadataLimits, budget: &ByteBudget) -> Self {
        Self(Arc::new(Mutex::new(Pool::new(metadata.clone(), limits, budget.charge()))))
    }

    /// Begins to ask for these layers the peers whose handshake has this hash, the truncated v2 one. If there are none, or they are
    /// larger than the limit, it is over at once.
    pub fn begin(&self, layers: Vec<PieceLayer>, v2: InfoHash) {
        self.pool(|pool| pool.begin(layers, v2, Instant::now()));
    }

    /// Asks for nothing any more.
    pub fn cancel(&self) {
        self.pool(Pool::end);
    }

    /// The part of a conversation with a peer whose handshake has this hash. Of a peer with two conversations at once, one is used.
    pub fn with(&self, key: K, info_hash: InfoHash) -> HashRequests<K> {
        HashRequests { assembly: self.clone(), key, info_hash, place: None }
    }

    /// Whether it waits for metadata or for layers.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.pool(|pool| pool.is_wanted())
    }

    /// The v2 info-hash, while peers are asked for layers.
    #[must_use]
    pub fn asks_by(&self) -> Option<InfoHash> {
        self.pool(|pool| pool.asks_by())
    }

    /// Waits until all layers are there, or nothing is asked any more. May be dropped at any time.
    pub async fn complete(&self) {
        poll_fn(|context| {
            self.pool(|pool| match pool.is_wanted() {
                false => Poll::Ready(()),
                true => {
                    pool.wait(context.waker());
                    Poll::Pending
                }
            })
        })
        .await;
    }

    /// What has happened so far, and each peer's part in it.
    #[must_use]
    pub fn report(&self) -> LayerReport<K> {
        self.pool(|pool| pool.report())
    }

    /// Ends it, and gives the layers that are complete; their memory counts no longer towards the budget.
    #[must_use]
    pub fn take(&self) -> PieceLayers {
        self.pool(Pool::take)
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

impl<K: Clone + Eq + Hash> HashRequests<K> {
    fn member<T>(&self, work: impl FnOnce(&mut Pool<K>, usize) -> T) -> Option<T> {
        self.place.map(|place| self.assembly.pool(|pool| work(pool, place)))
    }

    /// What to ask for now.
    fn ask(&mut self, now: Instant) -> Option<Bytes> {
        let range: HashRange = self.member(|pool, place| pool.due(place, now)).flatten()?;
        let mut bytes = BytesMut::new();
        // 49 bytes are never too long.
        Codec::default().encode(&Message::HashRequest(range), &mut bytes).ok()?;
        Some(bytes.freeze())
    }
}

impl<K: Clone + Eq + Hash + Send> Extension for HashRequests<K> {
    fn name(&self) -> &'static str {
        "hash requests"
    }

    fn has_own_ids(&self) -> bool {
        true
    }

    fn offer(&mut self, _: &ExtensionHandshake) -> Option<Bytes> {
        let now = Instant::now();
        self.place = self.assembly.pool(|pool| pool.join(&self.key, self.info_hash, now));
        self.ask(now)
    }

    fn heard_message(&mut self, message: &Message) -> Option<Bytes> {
        let now = Instant::now();
        match message {
            Message::Hashes { range, hashes } => self.member(|pool, place| pool.hashes(place, range, hashes, now))?,
            Message::HashReject(range) => self.member(|pool, place| pool.reject(place, range, now))?,
            _ => return None,
        }
        self.ask(now)
    }

    fn is_done(&self) -> bool {
        !self.member(|pool, place| pool.is_needed(place)).unwrap_or(false)
    }

    fn wake(&self) -> Option<Instant> {
        self.member(|pool, place| pool.wake(place)).flatten()
    }

    fn due(&mut self, now: Instant) -> Option<Bytes> {
        self.ask(now)
    }

    fn watch(&mut self, waker: &Waker) {
        self.member(|pool, place| pool.watch(place, waker));
    }

    fn is_busy(&self) -> bool {
        self.member(|pool, place| pool.is_kept(place)).unwrap_or(false)
    }

    fn asked_for(&self) -> usize {
        self.member(|pool, place| pool.bytes_of(place)).unwrap_or(0)
    }
}

impl<K: Clone + Eq + Hash> Drop for HashRequests<K> {
    fn drop(&mut self) {
        let now = Instant::now();
        self.member(|pool, place| pool.leave(place, now));
    }
}

impl<K> fmt::Debug for LayerAssembly<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LayerAssembly").field(&self.0).finish()
    }
}

impl<K: Clone + Eq + Hash + fmt::Debug> fmt::Debug for HashRequests<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HashRequests").field("key", &self.key).field("place", &self.place).finish_non_exhaustive()
    }
}
