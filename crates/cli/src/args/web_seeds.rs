//! The arguments of `web-seeds`.

use crate::args::network::Ourselves;
use crate::args::output::OutputArgs;
use crate::args::sources::{AskedWebSeeds, Certificates};
use crate::args::values::TORRENT;
use clap::Args;
use client::{Config, Sources, WebSeedChecks};
use std::ffi::OsString;
use std::time::Duration;

/// The web seeds of torrents.
#[derive(Args, Debug)]
pub(crate) struct WebSeeds {
    #[arg(required = true, value_name = "TORRENT", help = TORRENT)]
    pub(crate) torrents: Vec<OsString>,

    /// Fetch a random piece in full, too, and look at its hash
    #[arg(long, help_heading = "Sources")]
    proof: bool,

    #[command(flatten)]
    web_seeds: AskedWebSeeds,
    #[command(flatten)]
    certificates: Certificates,
    #[command(flatten)]
    ourselves: Ourselves,

    /// List every file, not only those that are wrong
    #[arg(short, long, help_heading = "Output")]
    pub(crate) all: bool,

    /// Print one JSON object a line instead of text
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) output_args: OutputArgs,
}

impl WebSeeds {
    /// How long a run may take if the user does not say: a file is a request, and a torrent may have thousands.
    const DEADLINE: Duration = Duration::from_secs(300);

    /// The configuration of the engine, which asks web seeds alone; or one line about what is wrong.
    pub(crate) fn config(&self) -> Result<Config, String> {
        let mut config = Config::default()
            .with_sources(Sources::NONE.with_web_seeds(true))
            .with_web_seed_checks(WebSeedChecks::All)
            .with_web_seed_proof(self.proof)
            .with_dial(false)
            .with_deadline(Self::DEADLINE)
            .with_show_secrets(self.output_args.show_secrets);
        self.ourselves.apply(&mut config)?;
        self.web_seeds.apply(&mut config)?;
        self.certificates.apply(&mut config)?;
        Ok(config)
    }
}
