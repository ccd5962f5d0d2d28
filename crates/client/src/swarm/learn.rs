//! What becomes known of the torrent of a link or an info-hash while the run goes on, and what follows from it.

use crate::error::Error;
use crate::metadata::{Known, Metadata};
use crate::swarm::Swarm;
use crate::torrent_ref::Content;
use metainfo::{InfoError, Torrent};
use report::{CutShort, Outcome, Source, Stage};
use std::sync::Arc;

impl Swarm {
    /// Hands in the torrent that a link or an info-hash stands for: from now on peers are judged by its number of pieces,
    /// those that waited for it ([`TorrentRef::may_be_learned`](crate::TorrentRef::may_be_learned)) are reported, and the link's web
    /// seeds are asked. If it is private, BEP 27 holds from now on: peers that no tracker has named and that were not dialled yet end
    /// as `not_tried`, trackers are asked one at a time, and web seeds only at the hosts of its trackers. The run keeps to the trackers
    /// and web seeds of the link, and, but for [piece layers](crate::Config::piece_layers), to its info-hashes: what the torrent names
    /// beyond them is not asked.
    ///
    /// # Errors
    /// It has another info-hash; or it is private without permission
    /// ([`Config::allow_private`](crate::Config::allow_private)), and then the run ends at once ([`CutShort::Private`]).
    pub fn learn(&mut self, torrent: &Torrent) -> Result<(), Error> {
        if torrent.hashes.wire().all(|info_hash| info_hash != self.torrent.hashes().primary()) {
            return Err(Error::AnotherTorrent);
        }
        self.metadata.take().iter().for_each(Metadata::abandon);
        self.torrent.learn(torrent.hashes);
        if torrent.private {
            self.keep_to_private_rules()?;
        }
        self.discovery.learn(torrent);
        if self.config.sources.web_seeds {
            self.count_files(&Content::from(torrent));
        }
        if self.torrent.pieces.learn(torrent.pieces) {
            self.tally.learned(torrent.hashes);
        }
        Ok(())
    }

    /// The metadata that peers gave for a link or an info-hash ([`Config::metadata`](crate::Config::metadata)), once that was
    /// reported ([`Event::Metadata`](crate::Event::Metadata)). What it says of the torrent has been [learned](Self::learn) by then.
    #[must_use]
    pub fn known(&self) -> Option<&Known> {
        self.known.as_ref()
    }

    /// Takes in the metadata that peers gave.
    pub(super) fn metadata_is_there(&mut self, parsed: Result<Known, InfoError>) {
        let Some(mut metadata) = self.metadata.take() else { return };
        let (report, layers) = (metadata.ended(&parsed), metadata.layers.take());
        // Else it is as unknown as before, and nothing more can come.
        let Ok(known) = parsed else { return self.tally.metadata(report) };
        let is_over = known.torrent.private && !self.config.allow_private;
        self.layers = layers.filter(|_| !is_over);
        let report = match &mut self.layers {
            Some(layers) => layers.begin(&known.torrent, report),
            None => Some(report),
        };
        report.into_iter().for_each(|report| self.tally.metadata(report));
        known.proof.into_iter().for_each(|proof| self.discovery.prove_by(proof));
        // A private one without permission has ended the run.
        let _ = self.learn(&known.torrent);
        self.known = Some(known);
    }

    /// Nothing more is asked for piece layers.
    pub(super) fn layers_ended(&mut self) {
        let Some(layers) = self.layers.take() else { return };
        let (layers, report) = layers.ended();
        if let Some(known) = &mut self.known {
            known.piece_layers = Arc::new(layers);
        }
        report.into_iter().for_each(|report| self.tally.metadata(report));
    }

    fn keep_to_private_rules(&mut self) -> Result<(), Error> {
        self.discovery.keep_to_private_rules();
        if !self.config.allow_private {
            self.cut_short(CutShort::Private);
            return Err(Error::Private);
        }
        for address in self.peers.withdraw(|source| matches!(source, Source::Magnet | Source::Dht(_) | Source::Pex(_)))
        {
            self.unreached(address, Outcome::NotTried, Stage::Queued, None);
        }
        Ok(())
    }

    /// Notes how many files a web seed may have.
    pub(super) fn count_files(&mut self, content: &Content) {
        self.tally.files(content.wanted_files().count());
    }
}
