//! What is kept of runs: an observation of each, in the user's database if there is one.
//!
//! A database that cannot be used is told once for as long as it lasts, and no run waits for it: the round's observations are
//! held back, and written at its end if that is possible then.

use crate::output;
use crate::shown::shown_word;
use client::PeerReport;
use guard::ErrorChain;
use history::{Error, History, MetPeers, MetSeeds, Recorded, Round};
use ids::InfoHash;
use report::Observation;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// Observations that are held back in one round, at most: some 20 MB.
const MOST_HELD_BACK: usize = 20_000;

/// Shared by all runs; clones share.
#[derive(Clone, Debug)]
pub(crate) struct Recorder {
    output: output::Shared,
    /// Hashes of addresses, in memory alone.
    met: Arc<Mutex<MetPeers>>,
    database: Option<Arc<tokio::sync::Mutex<Database>>>,
}

#[derive(Debug)]
struct Database {
    path: PathBuf,
    history: Option<History>,
    /// The round that goes on, once it has begun in the file, and its time.
    round: Option<Round>,
    at_ms: i64,
    /// Those of this round that could not be written when they were made.
    held_back: Vec<Observation>,
    /// Whether one of this round has been written.
    is_any: bool,
    /// Those of this round that are lost.
    lost: usize,
    /// Why it could not be written last, as it was told.
    told: Option<String>,
    /// Whether it was removed or replaced and opened anew, which is to be told.
    is_another: bool,
}

impl Recorder {
    pub(crate) fn new(path: Option<PathBuf>, output: output::Shared) -> Self {
        let database = path.map(|path| Database {
            path,
            history: None,
            round: None,
            at_ms: 0,
            is_any: false,
            held_back: Vec::new(),
            lost: 0,
            told: None,
            is_another: false,
        });
        Self {
            output,
            met: Arc::default(),
            database: database.map(|database| Arc::new(tokio::sync::Mutex::new(database))),
        }
    }

    /// Whether there is a database.
    pub(crate) fn has_database(&self) -> bool {
        self.database.is_some()
    }

    /// Begins a round. Its time is what the clock says, in milliseconds since 1970.
    pub(crate) async fn begin_round(&self) -> i64 {
        let at_ms = now_ms();
        self.with_database(move |database| database.begin_round(at_ms)).await;
        at_ms
    }

    /// Counts a peer of a run about this torrent, among whose seeds it is if it is one.
    pub(crate) fn met(&self, info_hash: InfoHash, report: &PeerReport, seeds: &mut MetSeeds) {
        self.lock_met().count(info_hash, report, seeds);
    }

    /// Keeps what was seen of a torrent in this round, with what is known of its peers from earlier ones. What is different from
    /// what the database had is given if there is one.
    pub(crate) async fn record(&self, observation: &mut Observation, seeds: MetSeeds) -> Option<Recorded> {
        self.lock_met().end_run(observation, seeds);
        let observation = observation.clone();
        self.with_database(move |database| database.record(observation)).await.flatten()
    }

    /// Ends the round. Whether all of it is kept.
    pub(crate) async fn end_round(&self) -> bool {
        let now_ms = now_ms();
        self.with_database(move |database| database.end_round(now_ms)).await.unwrap_or(true)
    }

    fn lock_met(&self) -> MutexGuard<'_, MetPeers> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it may block: the disk may be slow, and another program may hold the file for two seconds. What is to be told of it is
    /// told. `None` without a database.
    async fn with_database<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Database) -> T + Send + 'static,
    ) -> Option<T> {
        let mut database = Arc::clone(self.database.as_ref()?).lock_owned().await;
        let before = database.told.clone();
        let done = tokio::task::spawn_blocking(move || {
            let done = work(&mut database);
            let told = database.told.clone();
            (done, told, database.path.clone(), std::mem::take(&mut database.is_another))
        });
        match done.await {
            Ok((done, told, path, is_another)) => {
                if is_another {
                    let said = "was removed or replaced: recording goes on in the file that is there now";
                    self.output.lock().report_error(&shown_word(path.as_os_str()), said);
                }
                self.tell(&path, before, told);
                Some(done)
            }
            Err(error) => match error.try_into_panic() {
                // A panic is a defect of this program, and goes on here.
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => None,
            },
        }
    }

    fn tell(&self, path: &std::path::Path, before: Option<String>, now: Option<String>) {
        let path = shown_word(path.as_os_str());
        match now {
            Some(reason) if before.as_ref() != Some(&reason) => {
                self.output.lock().not_recorded(&path, &format!("not recorded: {reason}"));
            }
            None if before.is_some() => self.output.lock().report_error(&path, "recorded again"),
            _ => {}
        }
    }
}

impl Database {
    fn begin_round(&mut self, at_ms: i64) {
        (self.at_ms, self.round, self.is_any, self.lost) = (at_ms, None, false, 0);
        self.held_back.clear();
        if let Err(error) = self.open_round() {
            self.told = Some(reason(&error));
        }
    }

    /// Opens the file, unless it is open, and begins the round in it. After an error it is opened anew: it may be another by then.
    fn open_round(&mut self) -> Result<(), Error> {
        let mut history = match self.history.take() {
            Some(history) => history,
            None => History::open(&self.path)?,
        };
        let mut round = history.begin_round(self.at_ms);
        if matches!(round, Err(Error::Moved)) {
            drop(history);
            history = History::open(&self.path)?;
            round = history.begin_round(self.at_ms);
            self.is_another = round.is_ok();
        }
        self.round = Some(round?);
        self.history = Some(history);
        Ok(())
    }

    fn record(&mut self, observation: Observation) -> Option<Recorded> {
        if self.held_back.is_empty()
            && let (Some(history), Some(round)) = (&mut self.history, self.round)
            && let Ok(recorded) = history.record(round, &observation)
        {
            self.is_any = true;
            return Some(recorded);
        }
        if self.held_back.len() < MOST_HELD_BACK {
            self.held_back.push(observation);
        } else {
            self.lost += 1;
        }
        None
    }

    /// Writes what was held back, and thins what is old. Whether all of the round is in the file.
    fn end_round(&mut self, now_ms: i64) -> bool {
        if self.round.is_none() && self.held_back.is_empty() {
            // It could not be begun, which was told, and nothing waits for it.
            return false;
        }
        let had_all = self.round.is_some() && self.held_back.is_empty();
        let is_any = self.is_any || !self.held_back.is_empty();
        match self.write(now_ms) {
            Ok(()) if self.lost == 0 => {
                // Nothing shows nothing.
                self.told = self.told.take().filter(|_| !is_any);
                true
            }
            Ok(()) => {
                self.told = Some(format!("{} observations of a round are too many to be held back", self.lost));
                false
            }
            Err(error) => {
                self.told = Some(reason(&error));
                self.history = None;
                // Then it was not thinned.
                had_all
            }
        }
    }

    fn write(&mut self, now_ms: i64) -> Result<(), Error> {
        if self.round.is_none() {
            self.open_round()?;
        }
        let held_back = std::mem::take(&mut self.held_back);
        if let (Some(history), Some(round)) = (&mut self.history, self.round) {
            history.record_all(round, held_back)?;
            history.prune(now_ms)?;
        }
        Ok(())
    }
}

fn reason(error: &Error) -> String {
    ErrorChain(error).to_string()
}

/// The time by the clock, in milliseconds since 1970. It may jump, so that nothing is measured by it.
fn now_ms() -> i64 {
    let since = |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
    SystemTime::now().duration_since(UNIX_EPOCH).map_or_else(|error| -since(error.duration()), since)
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::Verdict;

    fn empty(path: PathBuf) -> Database {
        let (history, round, held_back, lost, told) = (None, None, Vec::new(), 0, None);
        Database { path, history, round, at_ms: 0, is_any: false, held_back, lost, told, is_another: false }
    }

    #[test]
    fn a_file_that_is_removed_between_rounds_is_made_anew() {
        let folder = std::env::temp_dir().join(format!("bt-handshake-removed-{}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let path = folder.join("a.db");
        let mut database = empty(path.clone());
        for at_ms in [1000, 2000, 3000] {
            database.begin_round(at_ms);
            assert!(database.record(Observation::new(InfoHash([1; 20]), at_ms, Verdict::Healthy)).is_some());
            assert!(database.end_round(at_ms) && database.told.is_none());
            assert_eq!(std::mem::take(&mut database.is_another), at_ms == 2000);
            if at_ms == 1000 {
                std::fs::remove_file(&path).unwrap();
            }
        }
        drop(database);
        let mut history = History::open_read_only(&path).unwrap();
        assert_eq!(history.observations(InfoHash([1; 20])).unwrap().len(), 2);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn what_cannot_be_written_is_held_back_to_the_end_of_the_round() {
        let folder = std::env::temp_dir().join(format!("bt-handshake-held-back-{}", std::process::id()));
        let path = folder.join("a.db");
        let mut database = empty(path);
        let seen = |n| Observation::new(InfoHash([n; 20]), 1000, Verdict::Healthy);
        database.begin_round(1000);
        assert!(database.told.as_deref().is_some_and(|told| told.starts_with("the history cannot be opened: ")));
        assert_eq!(database.record(seen(1)), None);
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(database.record(seen(2)), None);
        assert!(database.end_round(2000) && database.told.is_none());
        // The next round finds it open.
        database.begin_round(3000);
        assert!(database.record(seen(1)).is_some_and(|recorded| recorded.is_new && recorded.since_ms == Some(1000)));
        assert!(database.end_round(3000));
        let history = database.history.as_mut().unwrap();
        assert_eq!([1, 2].map(|n| history.observations(InfoHash([n; 20])).unwrap().len()), [2, 1]);
        drop(database);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
