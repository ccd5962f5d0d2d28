//! Which trackers did not answer, so that the torrents after the first do not wait for each of them again.

use crate::tracking::{Standing, TrackerStatus};
use std::collections::HashMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tracker::{Host, Scheme, TrackerUrl};

/// Most places that are remembered; those that would be too many are asked as if they were new.
const MOST: usize = 4096;
/// Time after which one that did not answer the second question either is asked once more: for processes that run for days.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60 * 60);

/// Where a tracker is asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// One of its addresses; several trackers may be behind one address, told apart by their host names.
    Endpoint(Scheme, Host, SocketAddr),
    /// A host name that is to be looked up.
    Name(String),
}

/// What was found instead of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Silence {
    /// No answer came in time.
    NoAnswer,
    /// The connection, or the datagram, was refused.
    Refused,
    /// The look-up of its host name took longer than a second and failed.
    NotResolved,
}

/// All places, of all runs.
#[derive(Debug)]
pub(crate) struct Silences {
    places: Mutex<HashMap<Place, Known>>,
    again_after: Duration,
}

/// What is known of a place.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    answered: Option<Instant>,
    silent: Option<Silent>,
}

#[derive(Clone, Copy, Debug)]
struct Silent {
    silence: Silence,
    since: Instant,
    /// When it is asked again.
    again: Instant,
}

impl Silent {
    fn status(self, now: Instant) -> TrackerStatus {
        TrackerStatus::KnownSilent { silence: self.silence, ago: now.saturating_duration_since(self.since) }
    }
}

impl Place {
    pub(crate) fn endpoint(url: &TrackerUrl, address: SocketAddr) -> Self {
        Self::Endpoint(url.scheme(), url.host().clone(), address)
    }
}

impl Silences {
    /// A place is asked again `again_after` the first silence.
    pub(crate) fn new(again_after: Duration) -> Self {
        Self { places: Mutex::default(), again_after }
    }

    /// An error if `place` is known to be silent and is not to be asked yet.
    pub(crate) fn look(&self, place: &Place, now: Instant) -> Result<(), TrackerStatus> {
        let places = self.lock();
        let silent = places.get(place).and_then(|known| known.silent);
        silent.filter(|silent| silent.again > now).map_or(Ok(()), |silent| Err(silent.status(now)))
    }

    /// As [`look`](Self::look), for a question that is asked if there is no error: when the time to ask again has come, one
    /// question is let through, and the others do without until its answer is there.
    pub(crate) fn ask(&self, place: &Place, now: Instant) -> Result<(), TrackerStatus> {
        self.look(place, now)?;
        if let Some(silent) = self.lock().get_mut(place).and_then(|known| known.silent.as_mut()) {
            silent.again = now + self.again_after;
        }
        Ok(())
    }

    /// What came of a question of the time `asked`.
    pub(crate) fn learn(&self, place: Place, error: Option<&TrackerStatus>, asked: Option<Instant>) {
        let Some(asked) = asked else { return };
        match error.map(|status| (status.silence(), status.standing())) {
            Some((Some(silence), _)) => self.silent(place, silence, asked, Instant::now()),
            Some((None, Standing::NotAsked | Standing::LocalFault | Standing::Silent)) => {}
            None | Some((None, _)) => self.answered(place, Instant::now()),
        }
    }

    /// An answer came.
    pub(crate) fn answered(&self, place: Place, now: Instant) {
        self.update(place, now, |known| *known = Known { answered: Some(now), silent: None });
    }

    /// No answer came to a question of the time `asked`. That says nothing about a place that has answered another one
    /// since.
    pub(crate) fn silent(&self, place: Place, silence: Silence, asked: Instant, now: Instant) {
        self.update(place, now, |known| {
            if known.answered.is_some_and(|answered| answered >= asked) {
                return;
            }
            known.silent = Some(match known.silent {
                // One of several that were asked at the same time.
                Some(silent) if asked < silent.since => silent,
                Some(silent) => Silent { silence, again: now + FORGOTTEN_AFTER, ..silent },
                None => Silent { silence, since: now, again: now + self.again_after },
            });
        });
    }

    /// Changes the entry of `place`, a new one if there is room.
    fn update(&self, place: Place, now: Instant, change: impl FnOnce(&mut Known)) {
        let mut places = self.lock();
        if places.len() >= MOST && !places.contains_key(&place) {
            let recent = |at: Instant| now.saturating_duration_since(at) < self.again_after;
            places.retain(|_, known| known.silent.is_some() || known.answered.is_some_and(recent));
            if places.len() >= MOST {
                return;
            }
        }
        change(places.entry(place).or_default());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Known>> {
        // Held for a look or a change, never during a wait.
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
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

    const AGAIN: Duration = Duration::from_secs(60);

    fn place(port: u16) -> Place {
        let url: TrackerUrl = format!("udp://9.9.9.9:{port}").parse().unwrap();
        Place::endpoint(&url, ([9, 9, 9, 9], port).into())
    }

    /// What is known, and since how many seconds.
    fn known(silences: &Silences, now: Instant) -> Option<(Silence, u64)> {
        match silences.ask(&place(1), now) {
            Err(TrackerStatus::KnownSilent { silence, ago }) => Some((silence, ago.as_secs())),
            Err(other) => panic!("{other}"),
            Ok(()) => None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_place_is_asked_once_more_and_late() {
        let (silences, begin) = (Silences::new(AGAIN), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        let silent = |asked, now| silences.silent(place(1), Silence::NoAnswer, at(asked), at(now));
        assert_eq!(known(&silences, at(0)), None);
        silent(0, 15);
        // Others that were asked meanwhile put nothing off.
        silent(5, 20);
        assert_eq!(known(&silences, at(74)), Some((Silence::NoAnswer, 59)));
        assert_eq!(known(&silences, at(75)), None);
        // By one, while the others do without.
        assert_eq!(known(&silences, at(76)), Some((Silence::NoAnswer, 61)));
        silent(75, 90);
        assert_eq!(known(&silences, at(3600)), Some((Silence::NoAnswer, 3585)));
        assert_eq!(known(&silences, at(90) + FORGOTTEN_AFTER), None);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_outweighs_silence_that_began_before_it() {
        let (silences, begin) = (Silences::new(AGAIN), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        silences.answered(place(1), at(3));
        silences.silent(place(1), Silence::NoAnswer, at(0), at(15));
        assert_eq!(known(&silences, at(15)), None);
        silences.silent(place(1), Silence::Refused, at(15), at(16));
        assert_eq!(known(&silences, at(17)), Some((Silence::Refused, 1)));
        silences.answered(place(1), at(18));
        assert_eq!(known(&silences, at(18)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_remembered_than_there_is_room_for() {
        let (silences, begin) = (Silences::new(AGAIN), Instant::now());
        (0..4096).for_each(|port| silences.answered(place(port + 1), begin));
        silences.silent(place(5000), Silence::NoAnswer, begin, begin);
        assert!(silences.ask(&place(5000), begin).is_ok());
        // What has not been asked for a while gives its room up.
        silences.silent(place(5000), Silence::NoAnswer, begin, begin + AGAIN);
        assert!(silences.ask(&place(5000), begin + AGAIN).is_err());
    }
}
