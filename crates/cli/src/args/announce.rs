//! The arguments of `announce` and `scrape`.

use crate::args::network::Ourselves;
use crate::args::output::OutputArgs;
use crate::args::sources::{AskedTrackers, Certificates};
use crate::args::values::TORRENT;
use clap::Args;
use client::{Config, Sources};
use std::ffi::OsString;

/// What trackers are asked.
#[derive(Args, Debug)]
pub(crate) struct Ask {
    #[arg(required = true, value_name = "TORRENT", help = TORRENT)]
    pub(crate) torrents: Vec<OsString>,

    #[command(flatten)]
    trackers: AskedTrackers,
    #[command(flatten)]
    certificates: Certificates,
    #[command(flatten)]
    ourselves: Ourselves,

    /// List the peers that are named
    #[arg(short, long, help_heading = "Output")]
    pub(crate) all: bool,

    /// Print one JSON object a line instead of text
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) output_args: OutputArgs,
}

impl Ask {
    /// The configuration of the engine, which dials no peer; or one line about what is wrong.
    pub(crate) fn config(&self, scrape: bool) -> Result<Config, String> {
        let show_secrets = self.output_args.show_secrets;
        let mut config =
            Config::default().with_show_secrets(show_secrets).with_scrape(scrape).with_dial(false).with_max_peers(None);
        config.sources = Sources::NONE.with_trackers(true);
        self.ourselves.apply(&mut config)?;
        self.trackers.apply(&mut config)?;
        self.certificates.apply(&mut config)?;
        Ok(config)
    }
}
