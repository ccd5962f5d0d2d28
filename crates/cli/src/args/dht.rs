//! The arguments of `dht`.

use crate::args::network::Ourselves;
use crate::args::output::OutputArgs;
use crate::args::sources::AskedNodes;
use crate::args::values::{self, TORRENT};
use clap::Args;
use client::{Config, Sources};
use std::ffi::OsString;
use tracker::PeerAddress;

/// What the DHT says of torrents, or whether one node can be reached.
#[derive(Args, Debug)]
pub(crate) struct Dht {
    #[arg(required_unless_present = "ping", value_name = "TORRENT", help = TORRENT)]
    pub(crate) torrents: Vec<OsString>,

    /// Ask this node alone: does it answer, and, given a torrent, does it know peers?
    #[arg(long, value_name = "ADDR", value_parser = values::node, conflicts_with_all = ["dht_nodes", "all", "trace"], help_heading = "Sources")]
    pub(crate) ping: Option<PeerAddress>,

    #[command(flatten)]
    nodes: AskedNodes,
    #[command(flatten)]
    ourselves: Ourselves,

    /// List the peers that are named, too
    #[arg(short, long, help_heading = "Output")]
    pub(crate) all: bool,

    /// List every node in the order of asking, silent ones and errors too, with times
    #[arg(long, help_heading = "Output", conflicts_with = "json")]
    pub(crate) trace: bool,

    /// Print one JSON object a line instead of text
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) output_args: OutputArgs,
}

impl Dht {
    /// The configuration of the engine, which asks the DHT alone and dials no peer; or one line about what is wrong.
    pub(crate) fn config(&self) -> Result<Config, String> {
        let mut config = Config::default()
            .with_sources(Sources::NONE.with_dht(true))
            .with_dht_list_all(true)
            .with_dial(false)
            .with_max_peers(None)
            .with_show_secrets(self.output_args.show_secrets);
        self.ourselves.apply(&mut config)?;
        self.nodes.apply(&mut config)?;
        Ok(config)
    }
}
