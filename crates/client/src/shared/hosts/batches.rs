//! Scrapes of several runs in one request (BEP 15, 48): those that wait for the same tracker go together.

use ids::InfoHash;
use report::Times;
use std::collections::HashMap;
use std::mem;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::SetOnce;
use tracker::{Scrape, Scraped, TrackerUrl};

/// Trackers after which those that are asked one by one are forgotten, and get a batch again.
const MOST: usize = 1024;

/// Batches that are being gathered, by where they go.
#[derive(Debug, Default)]
pub(crate) struct Batches(Mutex<HashMap<Where, State>>);

/// What is known of a tracker.
#[derive(Debug)]
enum State {
    Gathering(Arc<Batch>),
    /// It did not answer a question about several torrents.
    OneByOne,
}

/// What two scrapes must have in common to go in one request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Where {
    /// What is asked: over HTTP the scrape URL.
    pub(crate) url: TrackerUrl,
    pub(crate) address: SocketAddr,
    /// A hash of our source addresses and of the certificates that are trusted.
    pub(crate) ours: u64,
}

#[derive(Debug, Default)]
struct Batch {
    info_hashes: Mutex<Vec<InfoHash>>,
    outcome: SetOnce<Option<Outcome>>,
}

/// What the tracker answered to all.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) scraped: Scraped,
    pub(crate) together: usize,
    pub(crate) http_status: Option<u16>,
    pub(crate) times: Times,
}

/// The part of a scrape in its batch.
pub(crate) enum Joined<'b> {
    /// The first, which asks for all.
    First(First<'b>),
    Later(Later),
    /// No batch: this tracker is asked one by one.
    Alone,
}

/// The one that asks. It gives its answer to the others, also when it is dropped.
pub(crate) struct First<'b> {
    batches: &'b Batches,
    to: Where,
    batch: Arc<Batch>,
}

/// One of the others.
pub(crate) struct Later(Arc<Batch>);

impl Batches {
    /// Adds a scrape to those that wait already, or begins a new batch.
    pub(crate) fn join(&self, to: &Where, info_hash: InfoHash) -> Joined<'_> {
        let mut batches = self.lock();
        match batches.get(to) {
            Some(State::OneByOne) => return Joined::Alone,
            Some(State::Gathering(batch)) if batch.take(info_hash, &to.url) => {
                return Joined::Later(Later(Arc::clone(batch)));
            }
            _ => {}
        }
        let batch = Arc::new(Batch { info_hashes: Mutex::new(vec![info_hash]), ..Batch::default() });
        // One that is full takes no more.
        batches.insert(to.clone(), State::Gathering(Arc::clone(&batch)));
        Joined::First(First { batches: self, to: to.clone(), batch })
    }

    /// Has later scrapes ask one by one there.
    pub(crate) fn give_up(&self, to: Where) {
        let mut batches = self.lock();
        if batches.len() >= MOST {
            batches.retain(|_, state| matches!(state, State::Gathering(_)));
        }
        batches.insert(to, State::OneByOne);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Where, State>> {
        // Held for a look or a change, never during a wait.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    /// Takes one more, if it fits into the request.
    fn take(&self, info_hash: InfoHash, url: &TrackerUrl) -> bool {
        let mut info_hashes = self.info_hashes.lock().unwrap_or_else(PoisonError::into_inner);
        info_hashes.push(info_hash);
        let fits = Scrape::split(info_hashes.iter().copied(), url).len() == 1;
        if !fits {
            info_hashes.pop();
        }
        fits
    }
}

impl First<'_> {
    /// Closes the batch, and gives its info-hashes.
    pub(crate) fn gathered(&self) -> Vec<InfoHash> {
        let mut batches = self.batches.lock();
        if matches!(batches.get(&self.to), Some(State::Gathering(batch)) if Arc::ptr_eq(batch, &self.batch)) {
            batches.remove(&self.to);
        }
        mem::take(&mut *self.batch.info_hashes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Gives the answer to the others.
    pub(crate) fn tell(self, outcome: Outcome) {
        // It was not set before.
        let _ = self.batch.outcome.set(Some(outcome));
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        self.gathered();
        // An error when it has been set already.
        let _ = self.batch.outcome.set(None);
    }
}

impl Later {
    /// The answer to the first; `None` when there is none, and then each asks for itself.
    pub(crate) async fn outcome(self) -> Option<Outcome> {
        self.0.outcome.wait().await.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(url: &str) -> Where {
        Where { url: url.parse().unwrap(), address: ([9, 9, 9, 9], 80).into(), ours: 0 }
    }

    fn hash(number: u8) -> InfoHash {
        InfoHash([number; 20])
    }

    #[tokio::test]
    async fn the_first_asks_for_all_and_the_others_get_its_answer() {
        let batches = Batches::default();
        let there = to("http://t.example/scrape");
        let Joined::First(first) = batches.join(&there, hash(1)) else { panic!("it is the first") };
        let Joined::Later(later) = batches.join(&there, hash(2)) else { panic!("there is one before it") };
        let Joined::First(other) = batches.join(&to("http://u.example/scrape"), hash(3)) else { panic!("elsewhere") };
        assert_eq!(first.gathered(), [hash(1), hash(2)]);
        // What comes after that is another batch.
        let Joined::First(next) = batches.join(&there, hash(4)) else { panic!("the first is on its way") };
        let mut scraped = Scraped::default();
        scraped.files.push((hash(2), tracker::Counts::default()));
        first.tell(Outcome { scraped, together: 2, http_status: Some(200), times: Times::default() });
        assert_eq!(later.outcome().await.map(|outcome| outcome.together), Some(2));
        assert_eq!((next.gathered(), other.gathered()), (vec![hash(4)], vec![hash(3)]));
    }

    #[tokio::test]
    async fn later_scrapes_ask_for_themselves_when_the_first_is_dropped() {
        let batches = Batches::default();
        let there = to("udp://t.example:1");
        let first = batches.join(&there, hash(1));
        let Joined::Later(later) = batches.join(&there, hash(2)) else { panic!("there is one before it") };
        drop(first);
        assert!(later.outcome().await.is_none());
        assert!(matches!(batches.join(&there, hash(2)), Joined::First(_)));
    }

    #[test]
    fn a_tracker_that_does_not_answer_many_is_asked_one_by_one() {
        let (batches, there) = (Batches::default(), to("http://t.example/scrape"));
        batches.give_up(there.clone());
        assert!(matches!(batches.join(&there, hash(1)), Joined::Alone));
        assert!(matches!(batches.join(&to("http://u.example/scrape"), hash(1)), Joined::First(_)));
    }

    #[tokio::test]
    async fn what_does_not_fit_begins_a_new_batch() {
        let (batches, mut firsts) = (Batches::default(), Vec::new());
        let (there, mut later) = (to("udp://t.example:1"), 0);
        for number in 0..200 {
            match batches.join(&there, hash(number)) {
                Joined::First(first) => firsts.push(first),
                Joined::Later(_) => later += 1,
                Joined::Alone => panic!("it has not been given up"),
            }
        }
        let sizes: Vec<usize> = firsts.iter().map(|first| first.gathered().len()).collect();
        assert_eq!((sizes, later), (vec![69, 69, 62], 197));
    }
}
