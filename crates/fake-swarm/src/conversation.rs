//! One fake peer on one connection: plays its script.

mod hearing;
mod responder;
mod serving;
mod speaking;

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::encryption::{Mse, Plaintext};
use crate::ending::Ending;
use crate::handshake::{
    PROTOCOL, asked_for, handshake, peer_id_beginning, peer_id_of, peer_id_per_connection, sent_peer_id, wants_upgrade,
};
use crate::ledger::{Account, End};
use crate::peer::{Id, Knows, Peer, Speaks};
use crate::stream::Stream;
use hearing::Hearing;
use speaking::Speaking;

/// How long a connection may last: longer than any deadline of the code under test, so that its own deadlines are seen.
const PATIENCE: Duration = Duration::from_secs(120);

/// Plays the script to its end.
pub(crate) async fn play(stream: Stream, ip: Ipv4Addr, info_hash: &[u8; 20], script: &Peer, account: Account) {
    // The script decides what a segment is; the kernel must not wait to merge writes unless the script lets it.
    stream.set_nagle(script.nagle);
    let (to_serve, heard) = script.serves().then(mpsc::unbounded_channel).unzip();
    let mut conversation = Conversation {
        stream: &stream,
        script,
        ip,
        info_hash,
        hearing: Hearing::new(&stream, &account, to_serve),
        speaking: Speaking::new(&stream, script, &account, heard),
    };
    let end = tokio::time::timeout(PATIENCE, conversation.play()).await.unwrap_or(End::TimedOut);
    // The socket is closed first: a test that waits for the count expects that.
    drop(stream);
    account.close(end);
}

struct Conversation<'a> {
    stream: &'a Stream,
    script: &'a Peer,
    ip: Ipv4Addr,
    info_hash: &'a [u8; 20],
    hearing: Hearing<'a>,
    speaking: Speaking<'a>,
}

/// Why a conversation goes no further.
enum Stop {
    /// The script has come to an end, and this is what it ends with.
    Script(Ending),
    /// The connection is over.
    Over(End),
}

impl Conversation<'_> {
    async fn play(&mut self) -> End {
        let mut stopped = self.converse().await;
        loop {
            match stopped {
                Err(Stop::Over(end)) => return end,
                Err(Stop::Script(Ending::Stays)) => {}
                // The other direction stays open and is read: closing with bytes unread would be a reset.
                Err(Stop::Script(Ending::Closes)) => {
                    if self.stream.shutdown().is_err() {
                        return End::TheyReset;
                    }
                }
                Err(Stop::Script(Ending::Resets)) => {
                    return self.stream.reset().map_or(End::TheyReset, |()| End::WeReset);
                }
            }
            stopped = self.hearing.listen(&self.script.closes_on).await;
        }
    }

    /// The script from its beginning to its end.
    async fn converse(&mut self) -> Result<Infallible, Stop> {
        if self.hearing.account.is_sooner_than(self.script.throttle) {
            return Err(Stop::Script(Ending::Closes));
        }
        let answer = match self.script.speaks {
            Speaks::Never => return Err(Stop::Script(Ending::Stays)),
            Speaks::OnAccept => self.answer(&[], self.default_hash()),
            Speaks::After(wanted) => {
                self.settle_encryption(wanted).await?;
                let sent = self.hearing.until(wanted).await?;
                // Real clients, too, close on an unknown info-hash without a byte.
                let info_hash = self.hash_for(&sent).ok_or(Stop::Script(Ending::Closes))?;
                self.answer(&sent, info_hash)
            }
        };
        tokio::select! {
            biased;
            stopped = self.hearing.listen(&self.script.closes_on) => stopped,
            stopped = self.speaking.follow(&answer) => stopped,
        }
    }

    /// Returns when both sides may go on with their handshakes.
    async fn settle_encryption(&mut self, wanted: usize) -> Result<(), Stop> {
        let policy = &self.script.encryption;
        let foreign = policy.mse != Mse::Unknown && self.hearing.until(PROTOCOL.len()).await? != PROTOCOL;
        match &policy.mse {
            Mse::Spoken(responder) if foreign => return self.respond(responder, wanted).await,
            Mse::Refused(ending) if foreign => return Err(Stop::Script(*ending)),
            _ => self.hearing.settle(),
        }
        match policy.plaintext {
            Plaintext::Accepted => Ok(()),
            Plaintext::Refused(ending) => {
                self.hearing.until(wanted).await?;
                Err(Stop::Script(ending))
            }
        }
    }

    /// The info-hash to answer this beginning of a handshake with; `None` for a torrent that this peer does not have.
    fn hash_for(&self, sent: &[u8]) -> Option<[u8; 20]> {
        let asked = asked_for(sent);
        let ours = asked == Some(*self.info_hash);
        match self.script.knows {
            Knows::Torrent => ours.then_some(*self.info_hash),
            Knows::V1Only => (ours && !wants_upgrade(sent)).then_some(*self.info_hash),
            Knows::Hybrid(other) if ours && wants_upgrade(sent) => Some(other),
            Knows::Hybrid(other) => asked.filter(|hash| ours || *hash == other),
            Knows::Another | Knows::Anything => Some(self.default_hash()),
        }
    }

    /// The info-hash for an initiator that has not asked for one.
    fn default_hash(&self) -> [u8; 20] {
        if self.script.knows == Knows::Another { self.info_hash.map(|byte| !byte) } else { *self.info_hash }
    }

    fn answer(&self, sent: &[u8], info_hash: [u8; 20]) -> Vec<u8> {
        if let Some(bytes) = &self.script.instead {
            return bytes.clone();
        }
        let peer_id = match self.script.id {
            Id::OfAddress => peer_id_of(self.ip),
            Id::Given(peer_id) => peer_id,
            Id::Beginning(prefix) => peer_id_beginning(prefix, self.ip),
            Id::PerConnection(prefix) => peer_id_per_connection(prefix, self.ip, self.hearing.account.index()),
            Id::Initiators => sent_peer_id(sent).unwrap_or_default(),
        };
        handshake(self.script.reserved, &info_hash, &peer_id)
    }
}

#[cfg(test)]
mod tests;
