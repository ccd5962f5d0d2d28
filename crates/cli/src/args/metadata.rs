//! The arguments of `metadata`.

use crate::args::network::{Conversation, Ourselves};
use crate::args::output::OutputArgs;
use crate::args::sources::{AskedNodes, AskedPeers, AskedTrackers, Certificates};
use clap::Args;
use client::Config;
use std::ffi::OsString;
use std::path::PathBuf;

/// The torrent that a link stands for.
#[derive(Args, Debug)]
pub(crate) struct Metadata {
    /// A magnet link, or an info-hash
    #[arg(value_name = "LINK")]
    pub(crate) link: OsString,

    /// Write the torrent to this file, which must not exist yet; - for standard output, and the report then goes to stderr
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,

    #[command(flatten)]
    peers: AskedPeers,
    #[command(flatten)]
    trackers: AskedTrackers,
    #[command(flatten)]
    nodes: AskedNodes,
    #[command(flatten)]
    certificates: Certificates,
    #[command(flatten)]
    conversation: Conversation,
    #[command(flatten)]
    ourselves: Ourselves,

    /// List every peer that speaks ut_metadata, also where there are many
    #[arg(short, long, help_heading = "Output", conflicts_with = "json")]
    pub(crate) all: bool,

    /// Print JSON instead of text: the `metadata` line, and the `torrent` line of `show` once it is known
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) output_args: OutputArgs,
}

impl Metadata {
    /// The configuration of the engine, which asks web seeds for nothing: they have no metadata; or one line about what is wrong.
    pub(crate) fn config(&self) -> Result<Config, String> {
        let mut config = Config::default().with_show_secrets(self.output_args.show_secrets);
        self.ourselves.apply(&mut config)?;
        self.conversation.apply(&mut config);
        self.trackers.apply(&mut config)?;
        self.nodes.apply(&mut config)?;
        self.certificates.apply(&mut config)?;
        self.peers.apply(&mut config)?;
        config.sources.web_seeds = false;
        // They are for a file alone.
        config.piece_layers = self.output.is_some();
        if config.linger.is_zero() {
            return Err("give a --linger: peers are asked after their handshake".to_owned());
        }
        Ok(config)
    }
}
