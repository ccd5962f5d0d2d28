//! `ut_pex` (BEP 11): the peers that a peer names, heard and never told.

use crate::advertised::Violation;
use crate::extensions::Extension;
use crate::habits::first_list;
use crate::rules::Met;
use bytes::Bytes;
use peer_wire::{ExtensionHandshake, PexMessage, PexPeer, PexSkipped};
use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What a peer has named in one conversation. All of it is untrusted: any address may be in it, also our own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PexHeard {
    /// The peers it added, each once, in its order; at most [`MAX_PEERS`](Self::MAX_PEERS).
    pub peers: Vec<PexPeer>,
    /// Entries of peers that it dropped. They are counted only: they do not match what was added.
    pub dropped: usize,
    /// Entries of peers that it had added before.
    pub repeated: usize,
    /// Entries that were not taken, by the reason.
    pub skipped: PexSkipped,
    /// Its messages, also unreadable ones.
    pub messages: usize,
    /// Those that are no `ut_pex` message, and those beyond [`MAX_MESSAGES`](Self::MAX_MESSAGES), which are not read.
    pub unread: usize,
    /// How long after the extension handshakes the first message came.
    pub first_after: Option<Duration>,
}

/// Where a [`UtPex`] leaves what it hears; clones share it. May be read while the conversation goes on.
#[derive(Clone, Debug, Default)]
pub struct PexRecord(Arc<Mutex<PexHeard>>);

/// `ut_pex` in one conversation. It is named in our extension handshake, so that the peer tells us, and says nothing itself.
#[derive(Debug)]
pub struct UtPex {
    record: PexRecord,
    known: HashSet<SocketAddr>,
    patience: Duration,
    /// Both extension handshakes were through.
    since: Option<Instant>,
}

impl PexHeard {
    /// The most peers kept of one conversation: two full lists of libtorrent.
    pub const MAX_PEERS: usize = PexMessage::MAX_PEERS;
    /// The most messages read in one conversation. Clients send one a minute at most, libtorrent closes at seven in a minute.
    pub const MAX_MESSAGES: usize = 8;
}

impl PexRecord {
    /// What has been heard so far.
    #[must_use]
    pub fn heard(&self) -> PexHeard {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, PexHeard> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UtPex {
    /// The name of the extension.
    pub const NAME: &'static str = "ut_pex";
    /// How long the first list is waited for at most, when the peer has said the rest.
    pub const PATIENCE: Duration = Duration::from_secs(2);

    /// Leaves what it hears in `record`.
    #[must_use]
    pub fn new(record: PexRecord) -> Self {
        Self { record, known: HashSet::new(), patience: Self::PATIENCE, since: None }
    }

    /// How long the first list of this peer is waited for: as long as its software was seen to take, and once more the time that
    /// the handshake took, as ours has to get there and the list has to come back. Not at all where the software sends none within
    /// that time. One that has no other peer sends none either, and that cannot be known.
    #[must_use]
    pub fn patience(met: &Met) -> Duration {
        /// The clocks of clients run late where the machine has much to do: 30 libtorrents on two cores took 1.22 s.
        const SLACK: Duration = Duration::from_millis(300);
        first_list(met.theirs.peer_id).map_or(Duration::ZERO, |after| (after + SLACK + met.took).min(Self::PATIENCE))
    }

    /// Sets how long the first list is waited for; [`PATIENCE`](Self::PATIENCE) otherwise.
    #[must_use]
    pub fn waiting(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    fn take(&mut self, message: PexMessage) {
        let mut heard = self.record.lock();
        heard.skipped += message.skipped;
        heard.dropped += message.dropped.len();
        for peer in message.added {
            if self.known.contains(&peer.address) {
                heard.repeated += 1;
            } else if heard.peers.len() == PexHeard::MAX_PEERS {
                heard.skipped.too_many += 1;
            } else {
                self.known.insert(peer.address);
                heard.peers.push(peer);
            }
        }
    }
}

impl Extension for UtPex {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn offer(&mut self, _: &ExtensionHandshake) -> Option<Bytes> {
        self.since = Some(Instant::now());
        None
    }

    fn heard(&mut self, payload: &[u8]) -> Result<Option<Bytes>, Violation> {
        let message = PexMessage::decode(payload).ok();
        let is_read = {
            let mut heard = self.record.lock();
            heard.messages += 1;
            let is_read = message.is_some() && heard.messages <= PexHeard::MAX_MESSAGES;
            heard.unread += usize::from(!is_read);
            heard.first_after = heard.first_after.or(self.since.map(|since| since.elapsed()));
            is_read
        };
        // A list that cannot be read says nothing against the rest that the peer says.
        message.filter(|_| is_read).into_iter().for_each(|message| self.take(message));
        Ok(None)
    }

    fn is_done(&self) -> bool {
        let is_over = |since: Instant| since.elapsed() >= self.patience;
        self.since.is_none_or(is_over) || self.record.lock().messages > 0
    }

    fn wake(&self) -> Option<Instant> {
        self.since.map(|since| since + self.patience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(hosts: std::ops::Range<u16>) -> Vec<u8> {
        let entries: Vec<u8> =
            hosts.flat_map(|host| [&[198, 51][..], &host.to_be_bytes(), &[0x1a, 0xe1]].concat()).collect();
        [format!("d5:added{}:", entries.len()).as_bytes(), &entries, b"7:dropped6:abcdefe"].concat()
    }

    #[tokio::test(start_paused = true)]
    async fn lists_are_merged_and_bounded() {
        let record = PexRecord::default();
        let mut pex = UtPex::new(record.clone());
        assert!(pex.is_done() && pex.offer(&ExtensionHandshake::default()).is_none() && !pex.is_done());
        tokio::time::advance(Duration::from_millis(300)).await;
        for payload in [&list(0..100)[..], &list(90..130), b"le", &list(130..300), &list(0..1)] {
            assert_eq!(pex.heard(payload), Ok(None));
        }
        (0..10).for_each(|_| drop(pex.heard(&list(400..500))));
        let heard = record.heard();
        assert!(pex.is_done());
        assert_eq!((heard.peers.len(), heard.repeated, heard.dropped), (PexHeard::MAX_PEERS, 11, 7));
        // 100 beyond the limit of the fourth message, and three lists more; seven are not read, and one cannot be.
        assert_eq!((heard.skipped.too_many, heard.messages, heard.unread), (100 + 300, 15, 8));
        assert_eq!(heard.first_after, Some(Duration::from_millis(300)));
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_again_and_again_is_one_peer() {
        let record = PexRecord::default();
        let mut pex = UtPex::new(record.clone());
        let victims: Vec<u8> = (0..500).flat_map(|_| [192, 0, 2, 1, 0x1a, 0xe1]).collect();
        let _ = pex.heard(&[b"d5:added3000:", &victims[..], b"e"].concat());
        let heard = record.heard();
        assert_eq!((heard.peers.len(), heard.repeated, heard.skipped.too_many), (1, 199, 300));
    }
}
