//! The piece layers of a v2 torrent that is known by a link or an info-hash: asked of peers once its metadata is there (BEP 52).

use crate::standing::standing;
use metainfo::{PieceLayers, Torrent};
use peer_session::LayerAssembly;
use report::{LayersPeer, LayersReport, MetadataReport};
use std::net::SocketAddr;

/// What a run does for piece layers. Conversations are kept for it no longer than it lives.
#[derive(Debug)]
pub(crate) struct Layers {
    assembly: LayerAssembly<SocketAddr>,
    /// That of the metadata, which waits for them.
    report: Option<MetadataReport>,
}

/// Waits until nothing more is asked for; `None` where nothing is.
pub(crate) async fn complete(layers: &Option<Layers>) -> Option<()> {
    let assembly = layers.as_ref()?.assembly.clone();
    assembly.complete().await;
    Some(())
}

impl Layers {
    pub(crate) fn new(assembly: LayerAssembly<SocketAddr>) -> Self {
        Self { assembly, report: None }
    }

    /// What conversations need of it.
    pub(crate) fn assembly(&self) -> LayerAssembly<SocketAddr> {
        self.assembly.clone()
    }

    /// Begins to ask for those of a torrent, and keeps the report of its metadata until they are there; gives it back where none are
    /// to be had.
    pub(crate) fn begin(&mut self, torrent: &Torrent, report: MetadataReport) -> Option<MetadataReport> {
        let Some(v2) = torrent.hashes.v2() else {
            self.assembly.cancel();
            return Some(report);
        };
        self.assembly.begin(torrent.piece_layers(), v2.truncated());
        self.report = Some(report);
        None
    }

    /// What has come, and the report of the metadata with it.
    pub(crate) fn ended(mut self) -> (PieceLayers, Option<MetadataReport>) {
        let told = self.assembly.report();
        let mut layers = LayersReport::default();
        (layers.wanted, layers.complete, layers.size_bytes) = (told.layers, told.complete, told.bytes);
        (layers.elapsed, layers.v1_peers) = (told.elapsed, told.v1_peers);
        layers.peers = told
            .peers
            .iter()
            .map(|member| {
                let mut peer = LayersPeer::new(member.key, standing(member.standing));
                (peer.hashes, peer.slowest) = (member.hashes, member.slowest);
                peer
            })
            .collect();
        let report = self.report.take().map(|mut report| {
            report.layers = Some(layers);
            report
        });
        (self.assembly.take(), report)
    }
}

impl Drop for Layers {
    fn drop(&mut self) {
        self.assembly.cancel();
    }
}
