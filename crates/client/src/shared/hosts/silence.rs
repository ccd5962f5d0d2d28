//! Which trackers did not answer, so that the torrents after the first do not wait for each of them again.

use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio::time::Instant;
use tracker::{Host, Scheme, TrackerUrl};

/// Time after which a question that was sent and has no answer counts as one whose answer is late.
pub(crate) const SILENT_AFTER: Duration = Duration::from_secs(1);
/// Most endpoints that are remembered; those beyond it are asked as if they were new.
const MOST: usize = 4096;
/// Time without an answer after which a question that is cancelled counts as one without an answer: enough for each first packet
/// to be sent three times.
const CUT_OFF_AFTER: Duration = Duration::from_secs(5);
/// Time after an answer in which one question without an answer is not enough, because the tracker may only ignore that
/// one's torrent; and in which no question waits for another.
const TRUSTED_FOR: Duration = Duration::from_secs(60);
/// Time after which one that did not answer the second question either is asked once more: for processes that run for days.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60 * 60);

/// Where a tracker is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    /// One of its addresses; several trackers may be behind one address, told apart by their host names.
    Address(Scheme, Host, SocketAddr),
    /// A host name that is to be looked up.
    Name(String),
}

/// What came instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// No answer came in time.
    NoAnswer,
    /// The connection, or the datagram, was refused.
    Refused,
    /// The look-up of its host name took longer than a second and failed.
    NotResolved,
}

/// What the end of a question shows about its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// A tracker is there.
    Answered,
    Silent(Silence),
    /// Neither: the fault is this machine's, or the question was not sent.
    None,
}

/// An endpoint that did not answer before, and is not to be asked yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KnownSilent {
    pub(crate) silence: Silence,
    /// How long that has been known.
    pub(crate) ago: Duration,
}

/// All endpoints, of all runs.
#[derive(Debug)]
pub(crate) struct Silences {
    endpoints: Mutex<HashMap<Endpoint, Known>>,
    again_after: Duration,
}

/// What is known of an endpoint.
#[derive(Debug, Default)]
struct Known {
    answered: Option<Instant>,
    silent: Option<Silent>,
    /// Questions that are open, and since when none was answered.
    open: usize,
    unanswered: Option<Instant>,
    /// When a question to an endpoint that had answered others was found to have no answer.
    doubted: Option<Instant>,
    /// Wakes those that wait for the end of one of them.
    ended: Option<Arc<Notify>>,
}

/// A question that is open until this is dropped.
#[derive(Debug)]
pub(crate) struct Question<'s> {
    silences: &'s Silences,
    endpoint: Endpoint,
    asked: Instant,
    /// Whether its end has been taken in.
    learned: bool,
}

#[derive(Clone, Copy, Debug)]
struct Silent {
    silence: Silence,
    since: Instant,
    /// When it is asked again.
    again: Instant,
}

impl Question<'_> {
    /// Takes in its end.
    pub(crate) fn learn(mut self, evidence: Evidence) {
        self.learned = true;
        match evidence {
            Evidence::Answered => self.answered(),
            Evidence::Silent(silence) => self.silent(silence),
            Evidence::None => {}
        }
    }

    /// An answer came.
    pub(crate) fn answered(&self) {
        let now = Instant::now();
        self.silences.update(&self.endpoint, now, |known| {
            (known.answered, known.silent, known.unanswered) = (Some(now), None, Some(now));
            known.doubted = None;
            known.wake();
        });
    }

    /// No answer came. That says nothing about an endpoint that has answered another question since this one was asked.
    pub(crate) fn silent(&self, silence: Silence) {
        let Self { silences, asked, .. } = *self;
        let now = Instant::now();
        silences.update(&self.endpoint, now, |known| {
            if known.answered.is_some_and(|answered| answered >= asked) {
                return;
            }
            if known.is_trusted(now) && known.doubted.is_none_or(|doubted| asked < doubted) {
                known.doubted.get_or_insert(now);
                return;
            }
            known.silent = Some(match known.silent {
                // One of several that were asked at the same time.
                Some(silent) if asked < silent.since => silent,
                Some(silent) => Silent { silence, again: now + FORGOTTEN_AFTER, ..silent },
                None => Silent { silence, since: now, again: now + silences.again_after },
            });
        });
    }

    /// How long it has been open.
    pub(crate) fn age(&self) -> Duration {
        self.asked.elapsed()
    }
}

/// A question that is cancelled, as by the end of its run, has shown silence if it was open for long.
impl Drop for Question<'_> {
    fn drop(&mut self) {
        let is_endpoint = matches!(self.endpoint, Endpoint::Address(..));
        if !self.learned && is_endpoint && self.age() >= CUT_OFF_AFTER {
            self.silent(Silence::NoAnswer);
        }
        let mut endpoints = self.silences.lock();
        if let Some(known) = endpoints.get_mut(&self.endpoint) {
            known.open = known.open.saturating_sub(1);
            if known.open == 0 {
                known.unanswered = None;
            }
            known.wake();
        }
    }
}

impl Known {
    fn is_trusted(&self, now: Instant) -> bool {
        self.answered.is_some_and(|answered| now.saturating_duration_since(answered) < TRUSTED_FOR)
    }

    fn wake(&mut self) {
        self.ended.take().into_iter().for_each(|ended| ended.notify_waiters());
    }
}

impl Silent {
    fn known(self, now: Instant) -> KnownSilent {
        KnownSilent { silence: self.silence, ago: now.saturating_duration_since(self.since) }
    }
}

impl Endpoint {
    pub(crate) fn of(url: &TrackerUrl, address: SocketAddr) -> Self {
        Self::Address(url.scheme(), url.host().clone(), address)
    }
}

impl Silences {
    /// An endpoint is asked again `again_after` the first silence.
    pub(crate) fn new(again_after: Duration) -> Self {
        Self { endpoints: Mutex::default(), again_after }
    }

    /// An error if `endpoint` is known to be silent and is not to be asked yet.
    pub(crate) fn look(&self, endpoint: &Endpoint, now: Instant) -> Result<(), KnownSilent> {
        let endpoints = self.lock();
        let silent = endpoints.get(endpoint).and_then(|known| known.silent);
        silent.filter(|silent| silent.again > now).map_or(Ok(()), |silent| Err(silent.known(now)))
    }

    /// The end of an open question to `endpoint`, if one is suspiciously long without an answer.
    pub(crate) fn suspicion(&self, endpoint: &Endpoint, now: Instant) -> Option<OwnedNotified> {
        let mut endpoints = self.lock();
        let known = endpoints.get_mut(endpoint).filter(|known| known.silent.is_none())?;
        let since = known.unanswered?;
        let is_long = now.saturating_duration_since(since) >= SILENT_AFTER && !known.is_trusted(now);
        // Under the lock, so that no end is missed.
        is_long.then(|| Arc::clone(known.ended.get_or_insert_default()).notified_owned())
    }

    /// As [`look`](Self::look), for a question that is asked if there is no error: when the time to ask again has come, one
    /// question is let through, and the others get an error until it is answered.
    pub(crate) fn ask(&self, endpoint: Endpoint, now: Instant) -> Result<Question<'_>, KnownSilent> {
        self.look(&endpoint, now)?;
        self.update(&endpoint, now, |known| {
            known.open += 1;
            known.unanswered.get_or_insert(now);
            if let Some(silent) = &mut known.silent {
                silent.again = now + self.again_after;
            }
        });
        Ok(Question { silences: self, endpoint, asked: now, learned: false })
    }

    /// Changes the entry of `endpoint`, a new one if there is room.
    fn update(&self, endpoint: &Endpoint, now: Instant, change: impl FnOnce(&mut Known)) {
        let mut endpoints = self.lock();
        if endpoints.len() >= MOST && !endpoints.contains_key(endpoint) {
            let recent = |at: Instant| now.saturating_duration_since(at) < self.again_after;
            let silent = |known: &Known| known.silent.is_some_and(|silent| silent.again > now);
            endpoints.retain(|_, known| silent(known) || known.open > 0 || known.answered.is_some_and(recent));
            if endpoints.len() >= MOST {
                return;
            }
        }
        change(endpoints.entry(endpoint.clone()).or_default());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Endpoint, Known>> {
        // Held for a look or a change, never during a wait.
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAnswer => "it did not answer",
            Self::Refused => "it refused the connection",
            Self::NotResolved => "its host name did not resolve",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::{Pin, pin};
    use std::task::{Context, Waker};

    const AGAIN: Duration = Duration::from_secs(60);

    fn endpoint(port: u16) -> Endpoint {
        let url: TrackerUrl = format!("udp://9.9.9.9:{port}").parse().unwrap();
        Endpoint::of(&url, ([9, 9, 9, 9], port).into())
    }

    /// What is known, and since how many seconds.
    fn known(silences: &Silences) -> Option<(Silence, u64)> {
        match silences.look(&endpoint(1), Instant::now()) {
            Err(KnownSilent { silence, ago }) => Some((silence, ago.as_secs())),
            Ok(()) => None,
        }
    }

    fn ask(silences: &Silences) -> Question<'_> {
        silences.ask(endpoint(1), Instant::now()).unwrap()
    }

    /// Lets time pass.
    async fn pass(seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_endpoint_is_asked_once_more_and_late() {
        let silences = Silences::new(AGAIN);
        let (first, second) = (ask(&silences), ask(&silences));
        pass(15).await;
        first.silent(Silence::NoAnswer);
        pass(5).await;
        // Questions that were asked meanwhile do not put off the time.
        second.silent(Silence::NoAnswer);
        pass(54).await;
        assert_eq!(known(&silences), Some((Silence::NoAnswer, 59)));
        pass(1).await;
        // One question, while the others get an error.
        let again = ask(&silences);
        assert_eq!(known(&silences), Some((Silence::NoAnswer, 60)));
        again.silent(Silence::NoAnswer);
        pass(3599).await;
        assert_eq!(known(&silences), Some((Silence::NoAnswer, 3659)));
        pass(1).await;
        assert_eq!(known(&silences), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_outweighs_silence_that_began_before_it() {
        let silences = Silences::new(AGAIN);
        let slow = ask(&silences);
        pass(3).await;
        ask(&silences).answered();
        slow.silent(Silence::NoAnswer);
        assert_eq!(known(&silences), None);
        pass(60).await;
        ask(&silences).silent(Silence::Refused);
        assert_eq!(known(&silences), Some((Silence::Refused, 0)));
        slow.answered();
        assert_eq!(known(&silences), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_tracker_that_ignores_one_torrent_is_not_silent() {
        let silences = Silences::new(AGAIN);
        ask(&silences).answered();
        pass(1).await;
        let (ignored, too) = (ask(&silences), ask(&silences));
        pass(15).await;
        // Nor do others wait for it.
        assert!(silences.suspicion(&endpoint(1), Instant::now()).is_none());
        ignored.silent(Silence::NoAnswer);
        // It was asked at the same time.
        too.silent(Silence::NoAnswer);
        assert_eq!(known(&silences), None);
        let next = ask(&silences);
        pass(15).await;
        next.silent(Silence::NoAnswer);
        assert_eq!(known(&silences), Some((Silence::NoAnswer, 0)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_waits_for_one_that_is_long_without_an_answer() {
        let silences = Silences::new(AGAIN);
        let suspicion = || silences.suspicion(&endpoint(1), Instant::now());
        let poll = |ended: Pin<&mut OwnedNotified>| ended.poll(&mut Context::from_waker(Waker::noop()));
        let slow = ask(&silences);
        assert!(suspicion().is_none());
        pass(1).await;
        let mut ended = pin!(suspicion().unwrap());
        assert!(poll(ended.as_mut()).is_pending());
        // As when a run ends: the endpoint is unknown, and is asked.
        drop(slow);
        assert!(poll(ended.as_mut()).is_ready() && suspicion().is_none());
        let dead = ask(&silences);
        pass(1).await;
        let ended = suspicion().unwrap();
        dead.silent(Silence::NoAnswer);
        drop(dead);
        ended.await;
        assert!(suspicion().is_none() && known(&silences).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_remembered_endpoints_is_limited() {
        let silences = Silences::new(AGAIN);
        (0..4096).for_each(|port| silences.ask(endpoint(port + 1), Instant::now()).unwrap().answered());
        let one_more = || silences.ask(endpoint(5000), Instant::now());
        one_more().unwrap().silent(Silence::NoAnswer);
        assert!(one_more().is_ok());
        // An endpoint that has not been asked for a while is forgotten for it.
        pass(60).await;
        one_more().unwrap().silent(Silence::NoAnswer);
        assert!(one_more().is_err());
    }
}
