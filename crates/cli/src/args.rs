//! The command line: the main job, and beside it a command for each room of the house.

mod announce;
mod dht;
mod fault;
mod limits;
mod many;
mod metadata;
mod network;
mod output;
mod peer;
mod report_page;
mod rounds;
mod sources;
mod values;
mod web_seeds;

use crate::conditions::Conditions;
use crate::rounds::schedule::Schedule;
pub(crate) use announce::Ask;
use clap::{Args, Parser, Subcommand};
use client::Config;
pub(crate) use dht::Dht;
use fault::{tell_replacement, without_secrets};
use many::Many;
pub(crate) use metadata::Metadata;
use network::{Conversation, Ourselves};
use output::OutputArgs;
pub(crate) use peer::OnePeer;
pub(crate) use report_page::{Format, History, Merge, Report};
use rounds::Rounds;
use sources::{AskedNodes, AskedTrackers, AskedWebSeeds, Certificates, Sources};
use std::ffi::OsString;
use std::path::PathBuf;
use values::TORRENT;
pub(crate) use web_seeds::WebSeeds;

/// The ping of BitTorrent: who is in a torrent's swarm, who answers a handshake, and why others do not.
#[derive(Debug, Parser)]
#[command(
    name = "bt-handshake",
    version,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    before_long_help = EXAMPLES,
    after_help = "See --help for all options.",
    after_long_help = EXIT_CODES,
)]
pub(crate) struct Cli {
    /// What to do, other than the main job
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// The main job
    #[command(flatten)]
    pub(crate) main: MainJob,
}

pub(crate) const EXAMPLES: &str = "\
Examples:
  bt-handshake file.torrent                         who is there, who answers, what is missing
  bt-handshake --json *.torrent | jq .outcome       one JSON object a line, for scripts
  bt-handshake --fail-under seeds=1 -q my.torrent   for a cron job: exit code 1 without a seed
  bt-handshake --peer 192.168.1.20:51413 HASH       does my own client answer?
  bt-handshake announce file.torrent                what each tracker says, and how fast
  bt-handshake web-seeds file.torrent               do the web seeds have its files?
  bt-handshake dht HASH                             which nodes of the DHT know peers?
  bt-handshake metadata MAGNET -o my.torrent        the torrent of a link, or why it hangs
  bt-handshake explain connect_timeout              what that may mean, and what to do";

const EXIT_CODES: &str = "\
Exit codes: 0 a peer shook hands or a web seed has everything, 1 neither or a condition is not met,
2 usage or local error, 3 no source worked, 130 interrupted. With --nagios 0 to 3 as monitoring plugins have them.";

/// What there is beside the main job.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What a torrent says, oddities included; nothing is sent
    Show(Show),
    /// What each tracker answers to an announce, by URL and address; no peer is contacted
    Announce(Ask),
    /// What each tracker counts; a scrape does not count us
    Scrape(Ask),
    /// What each web seed has, file by file; no tracker and no peer is contacted
    WebSeeds(WebSeeds),
    /// What each node of the DHT knows of a torrent's peers, or whether one node answers; no peer is contacted
    Dht(Dht),
    /// The torrent of a link or an info-hash, as a file; or why it hangs at downloading that
    Metadata(Metadata),
    /// One peer: every stage, its reserved bits, its extension handshake
    Peer(OnePeer),
    /// A history, or JSON lines, as one page of HTML with charts, as CSV or as torrents.json
    Report(Report),
    /// Work on files of history; nothing is sent
    #[command(subcommand)]
    History(History),
    /// What a code means: an outcome, a role, a verdict, a status; without one, all codes
    Explain {
        /// The code, such as connect_timeout
        code: Option<String>,
    },
    /// Completions for a shell, on standard output
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// The manual page, on standard output
    Man {
        /// Of this command rather than of the main job
        command: Option<String>,
    },
    /// The JSON Schema of everything that --json prints
    Schema,
}

/// The main job.
#[derive(Args, Debug)]
pub(crate) struct MainJob {
    #[arg(required = true, value_name = "TORRENT", help = TORRENT)]
    pub(crate) torrents: Vec<OsString>,

    #[command(flatten)]
    sources: Sources,
    #[command(flatten)]
    trackers: AskedTrackers,
    #[command(flatten)]
    web_seeds: AskedWebSeeds,
    #[command(flatten)]
    nodes: AskedNodes,
    #[command(flatten)]
    certificates: Certificates,
    #[command(flatten)]
    conversation: Conversation,
    #[command(flatten)]
    ourselves: Ourselves,
    #[command(flatten)]
    pub(crate) rounds: Rounds,
    #[command(flatten)]
    pub(crate) many: Many,

    /// Print one JSON object a line instead of text
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,

    /// Write the JSON to this file, beside what is printed
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,

    /// List everything: peers with their reasons, sources, times, charts
    #[arg(short, long, help_heading = "Output", conflicts_with_all = ["json", "quiet", "nagios"])]
    pub(crate) all: bool,

    /// Print the verdict only
    #[arg(short, long, help_heading = "Output")]
    pub(crate) quiet: bool,

    /// Exit with 1 unless at least this many answer: seeds=1,ok=10%,copies=1.0,peers=5,trackers=1,web-seeds=1,dht=1,seen-as=IP
    #[arg(long, value_name = "CONDITIONS", help_heading = "Output")]
    pub(crate) fail_under: Option<Conditions>,

    /// With --nagios: a warning unless at least this many answer
    #[arg(long, value_name = "CONDITIONS", requires = "nagios", hide_short_help = true, help_heading = "Output")]
    pub(crate) warn_under: Option<Conditions>,

    /// Print one line and exit as monitoring plugins do; --warn-under warns, --fail-under is critical
    #[arg(long, conflicts_with = "json", hide_short_help = true, help_heading = "Output")]
    pub(crate) nagios: bool,

    #[command(flatten)]
    pub(crate) output_args: OutputArgs,
}

/// What a torrent says.
#[derive(Args, Debug)]
pub(crate) struct Show {
    #[arg(required = true, value_name = "TORRENT", help = TORRENT)]
    pub(crate) torrents: Vec<OsString>,

    /// List the files
    #[arg(long)]
    pub(crate) files: bool,

    /// Print one JSON object a line instead of text
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) output_args: OutputArgs,
}

impl Cli {
    /// The arguments of this process, or the exit code for a usage error, for help and for the version.
    pub(crate) fn read() -> Result<Self, u8> {
        Self::try_parse().map_err(|mut error| {
            tell_replacement(&mut error);
            if !error.use_stderr() {
                return u8::from(error.print().is_err()) * 2;
            }
            let text = without_secrets(error.to_string(), std::env::args_os());
            if std::env::args_os().any(|arg| arg == "--nagios") {
                // The first paragraph, on one line.
                let words = text.split("\n\n").next().unwrap_or_default().split_whitespace();
                return crate::nagios::usage(&words.collect::<Vec<_>>().join(" "));
            }
            let _ = std::io::Write::write_all(&mut anstream::stderr(), text.as_bytes());
            u8::try_from(error.exit_code()).unwrap_or(2)
        })
    }

    /// How results are told, whatever the command.
    pub(crate) fn output_args(&self) -> OutputArgs {
        match &self.command {
            None => self.main.output_args,
            Some(Command::Show(show)) => show.output_args,
            Some(Command::Announce(ask) | Command::Scrape(ask)) => ask.output_args,
            Some(Command::WebSeeds(web_seeds)) => web_seeds.output_args,
            Some(Command::Dht(dht)) => dht.output_args,
            Some(Command::Metadata(metadata)) => metadata.output_args,
            Some(Command::Peer(peer)) => peer.output_args,
            Some(Command::Report(_) | Command::History(_)) => OutputArgs::default(),
            Some(Command::Explain { .. } | Command::Completions { .. } | Command::Man { .. } | Command::Schema) => {
                OutputArgs::default()
            }
        }
    }

    /// Whether every byte that is said is to be shown.
    pub(crate) fn traces(&self) -> bool {
        matches!(&self.command, Some(Command::Peer(OnePeer { trace: true, .. })))
    }
}

impl MainJob {
    /// When it is done again; `None` if it is done once.
    pub(crate) fn schedule(&self) -> Result<Option<Schedule>, String> {
        self.rounds.schedule(self.ourselves.deadline)
    }

    /// The configuration of the engine, or one line about what is wrong.
    pub(crate) fn config(&self) -> Result<Config, String> {
        let mut config = Config::default().with_show_secrets(self.output_args.show_secrets);
        self.ourselves.apply(&mut config)?;
        self.conversation.apply(&mut config);
        self.trackers.apply(&mut config)?;
        self.web_seeds.apply(&mut config)?;
        self.nodes.apply(&mut config)?;
        self.certificates.apply(&mut config)?;
        self.sources.apply(&mut config)?;
        if let Some(schedule) = self.schedule()? {
            if config.scrape && config.peers.is_empty() && schedule.until.is_some_and(|until| until.needs_peers()) {
                return Err("leave out --scrape: counts alone never tell what --until waits for".to_owned());
            }
            if schedule.deadline.is_some() {
                // It is that of the whole.
                config.deadline = Config::default().deadline;
            }
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_bad_tracker_is_named_without_its_secret() {
        let args = Cli::parse_from(["bt-handshake", "--tracker", "http://t.example:0/announce?passkey=s3cret", "x"]);
        let message = args.main.config().unwrap_err();
        assert_eq!(message, "give --tracker an announce URL: http://t.example:0/announce?passkey=***: bad port");
    }

    /// The DHT is asked in the main job, by `dht` and by `metadata`, and nowhere else.
    #[test]
    fn each_command_has_its_sources() {
        let none = client::Sources::NONE;
        let config = |args: &[&str]| {
            let cli = Cli::parse_from(std::iter::once(&"bt-handshake").chain(args));
            match &cli.command {
                None => cli.main.config(),
                Some(Command::Announce(args)) => args.config(false),
                Some(Command::Scrape(args)) => args.config(true),
                Some(Command::WebSeeds(args)) => args.config(),
                Some(Command::Dht(args)) => args.config(),
                Some(Command::Metadata(args)) => args.config(),
                Some(Command::Peer(args)) => args.config(),
                Some(other) => panic!("{other:?}"),
            }
            .unwrap()
        };
        for (args, sources) in [
            (&["x"][..], client::Sources::ALL),
            (&["--sources", "none", "x"], none),
            (&["--scrape", "x"], none.with_trackers(true)),
            (&["announce", "x"], none.with_trackers(true)),
            (&["scrape", "x"], none.with_trackers(true)),
            (&["web-seeds", "x"], none.with_web_seeds(true)),
            (&["dht", "x"], none.with_dht(true)),
            (&["metadata", "x"], client::Sources::ALL.with_web_seeds(false)),
            (&["metadata", "--sources", "-dht", "x"], none.with_trackers(true).with_pex(true)),
            (&["peer", "127.0.0.1:1", "x"], none),
        ] {
            assert_eq!(config(args).sources, sources, "{args:?}");
        }
    }

    #[test]
    fn one_family_is_any_address_of_it() {
        for (flag, v4) in [("-4", true), ("-6", false)] {
            let bind = Cli::parse_from(["bt-handshake", flag, "x"]).main.config().unwrap().bind;
            assert_eq!((bind.v4.is_some(), bind.v6.is_some()), (v4, !v4));
        }
    }
}
