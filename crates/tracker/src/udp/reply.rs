//! What a UDP tracker sends back.

use super::{Action, ConnectionId};
use crate::error::text;
use crate::peers::Collector;
use crate::{Announced, Counts, Family, Scrape, Scraped};

/// A datagram from a tracker. It answers a request when the transaction id is that request's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'p> {
    /// The number of the [`Action`] that is answered, or of [`Action::Error`].
    pub action: u32,
    /// The transaction id of the request, if the tracker does it right.
    pub transaction: u32,
    body: &'p [u8],
}

/// Why a datagram does not hold what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The tracker refuses, and says why. The reason is its own text, with what a terminal would obey escaped.
    #[error("tracker refuses: {}", guard::escape(reason))]
    Failure {
        /// Its message, as [`Reply::failure`] gives it.
        reason: String,
    },
    /// The answer to something else.
    #[error("expected an answer to {expected}, found action {found}")]
    Action {
        /// What was asked.
        expected: Action,
        /// What is answered.
        found: u32,
    },
    /// The right answer without its content. One popular tracker sends 8 bytes when it does not know the torrent.
    #[error("answer to {action} has {found} of at least {needed} bytes")]
    Short {
        /// What was asked.
        action: Action,
        /// Bytes there must be.
        needed: usize,
        /// Bytes there are.
        found: usize,
    },
}

/// Bytes of action and transaction id.
const HEADER: usize = 8;

impl<'p> Reply<'p> {
    /// `None` for what is shorter than action and transaction id.
    #[must_use]
    pub fn parse(datagram: &'p [u8]) -> Option<Self> {
        let (&action, rest) = datagram.split_first_chunk()?;
        let (&transaction, body) = rest.split_first_chunk()?;
        Some(Self { action: u32::from_be_bytes(action), transaction: u32::from_be_bytes(transaction), body })
    }

    /// The message of an error, whatever it was about, without the NUL that some trackers end it with. Invalid UTF-8 is
    /// replaced, an ellipsis cuts it off after 1,000 characters, nothing is escaped.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let end = self.body.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
        let is_error = self.action == Action::Error.number();
        is_error.then(|| text(self.body.get(..end).unwrap_or_default()))
    }

    /// The connection id: 8 bytes.
    ///
    /// # Errors
    /// A refusal, the answer to something else, or one that is too short.
    pub fn connected(&self) -> Result<ConnectionId, Error> {
        let (&id, _) = self.content(Action::Connect)?;
        Ok(ConnectionId(u64::from_be_bytes(id)))
    }

    /// Interval, counts and peers: 12 bytes, and one entry for each peer. BEP 15: the entries are of the address family
    /// that the datagram came over.
    ///
    /// # Errors
    /// A refusal, the answer to something else, or one that is too short.
    pub fn announced(&self, family: Family) -> Result<Announced, Error> {
        let (numbers, list) = self.content::<12>(Action::Announce)?;
        let [interval, incomplete, complete] = counts(numbers);
        let mut collector = Collector::default();
        collector.add_compact(list, family, &[]);
        let Collector { peers, skipped, .. } = collector;
        Ok(Announced { interval, complete, incomplete, peers, skipped, ..Announced::default() })
    }

    /// The counts of what `scrape` asked about, 12 bytes each. They name no torrents: BEP 15 has them in the order of the
    /// request, and one popular tracker does not. Only a scrape of one torrent is sure to be understood.
    ///
    /// # Errors
    /// A refusal, the answer to something else, or one with fewer counts than torrents.
    pub fn scraped(&self, scrape: &Scrape) -> Result<Scraped, Error> {
        let info_hashes = scrape.info_hashes();
        let (entries, _) = self.body_of(Action::Scrape, info_hashes.len() * 12)?.as_chunks();
        let files = info_hashes.iter().zip(entries).map(|(&info_hash, entry)| {
            let [complete, downloaded, incomplete] = counts(entry);
            (info_hash, Counts { complete, incomplete, downloaded })
        });
        Ok(Scraped { files: files.collect(), ..Scraped::default() })
    }

    /// The body as its first `N` bytes and the rest.
    fn content<const N: usize>(&self, expected: Action) -> Result<(&'p [u8; N], &'p [u8]), Error> {
        let body = self.body_of(expected, N)?;
        body.split_first_chunk().ok_or_else(|| self.short(expected, N))
    }

    /// The body of an answer to `expected` that has at least `needed` bytes. BEP 15: "Clients and trackers should not
    /// assume packets to be of a certain size."
    fn body_of(&self, expected: Action, needed: usize) -> Result<&'p [u8], Error> {
        if let Some(reason) = self.failure() {
            return Err(Error::Failure { reason });
        }
        if self.action != expected.number() {
            return Err(Error::Action { expected, found: self.action });
        }
        if self.body.len() < needed { Err(self.short(expected, needed)) } else { Ok(self.body) }
    }

    fn short(&self, action: Action, needed: usize) -> Error {
        Error::Short { action, needed: HEADER + needed, found: HEADER + self.body.len() }
    }
}

/// Three counts, or numbers of seconds. They are signed on the wire; negative ones are not known.
fn counts(bytes: &[u8; 12]) -> [Option<u32>; 3] {
    let (words, _) = bytes.as_chunks::<4>();
    let mut words = words.iter().map(|&word| i32::from_be_bytes(word).try_into().ok());
    std::array::from_fn(|_| words.next().flatten())
}
