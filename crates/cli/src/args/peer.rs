//! The arguments of `peer`.

use crate::args::network::{Conversation, Ourselves};
use crate::args::output::OutputArgs;
use crate::args::values::TORRENT;
use clap::Args;
use client::{Config, Sources};
use std::ffi::OsString;
use tracker::PeerAddress;

/// One peer.
#[derive(Args, Debug)]
pub(crate) struct OnePeer {
    /// The peer: IP:PORT or HOST:PORT
    #[arg(value_name = "ADDR")]
    pub(crate) address: PeerAddress,

    #[arg(value_name = "TORRENT", help = TORRENT)]
    pub(crate) torrent: OsString,

    #[command(flatten)]
    conversation: Conversation,
    #[command(flatten)]
    ourselves: Ourselves,

    /// Show every byte sent and received, in hexadecimal
    #[arg(long, help_heading = "Output", conflicts_with = "json")]
    pub(crate) trace: bool,

    /// Print one JSON object a line instead of text
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) output_args: OutputArgs,
}

impl OnePeer {
    /// The configuration of the engine, or one line about what is wrong.
    pub(crate) fn config(&self) -> Result<Config, String> {
        let peers = vec![self.address.clone()];
        let show_secrets = self.output_args.show_secrets;
        let mut config = Config::default()
            .with_peers(peers)
            .with_sources(Sources::NONE)
            .with_show_secrets(show_secrets)
            .with_metadata(false);
        self.ourselves.apply(&mut config)?;
        self.conversation.apply(&mut config);
        Ok(config)
    }
}
