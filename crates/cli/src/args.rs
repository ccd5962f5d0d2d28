//! The command line.

use clap::{Parser, ValueEnum};
use client::{Bind, Config, Encryption, Trackers};
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;
use tracker::{PeerAddress, TrackerUrl};

/// The ping of BitTorrent: who is in a torrent's swarm, who answers a handshake, and why the others do not.
#[derive(Debug, Parser)]
#[command(name = "bt-handshake", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Args {
    /// Torrent files
    #[arg(required = true, value_name = "TORRENT")]
    pub(crate) torrents: Vec<PathBuf>,

    /// Print one JSON object a line instead of text
    #[arg(long)]
    pub(crate) json: bool,

    /// Try this peer too (repeatable)
    #[arg(long = "peer", value_name = "ADDR")]
    peers: Vec<PeerAddress>,

    /// Ask this tracker instead of the torrent's (repeatable)
    #[arg(long = "tracker", value_name = "URL", conflicts_with = "no_trackers")]
    trackers: Vec<String>,

    /// Ask no tracker
    #[arg(long)]
    no_trackers: bool,

    /// Ask trackers for their counts only; they learn nothing of us and name no peers
    #[arg(long, conflicts_with = "no_trackers")]
    scrape: bool,

    /// Trust the certificates in this PEM file too, for HTTPS trackers
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,

    /// Source address of every socket, at most one a family
    #[arg(long, value_name = "IP")]
    bind: Vec<IpAddr>,

    /// Port to announce; nobody listens there [default: a free one]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,

    /// Deadline for each connection
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    connect_timeout: Duration,

    /// Deadline for each handshake
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    handshake_timeout: Duration,

    /// How long to listen after each handshake for what the peer is and has; 0 leaves at once
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = duration)]
    linger: Duration,

    /// What to make of encrypted connections
    #[arg(long, value_name = "POLICY", default_value = "prefer-plain")]
    encryption: EncryptionPolicy,

    /// Deadline for the whole run of each torrent
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    deadline: Duration,

    /// Most connections at once, of all torrents together [default: what descriptors and memory allow]
    #[arg(long, value_name = "N", value_parser = positive)]
    concurrency: Option<usize>,

    /// Most new connections a second, 0 for no bound; loopback is never paced
    #[arg(long, value_name = "N", default_value_t = Config::default().rate)]
    rate: u32,

    /// Most peers taken from each answer of a tracker, 0 for all
    #[arg(long, value_name = "N", default_value_t = Config::default().max_peers.unwrap_or_default())]
    max_peers: usize,

    /// Go on with a private torrent, though its trackers may ban unknown clients
    #[arg(long)]
    allow_private: bool,

    /// Show passkeys and passwords in announce URLs
    #[arg(long)]
    pub(crate) show_secrets: bool,

    /// Colour the text
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,

    /// Log each step to stderr, twice for everything; RUST_LOG chooses finer
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Print the summary only
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

const EXIT_CODES: &str = "\
Exit codes: 0 somebody shook hands, 1 nobody did, 2 usage or local error, 3 no source of peers worked, 130 interrupted";

/// When to colour.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to make of encrypted connections.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum EncryptionPolicy {
    /// In the clear; encrypted when that ends as it does with peers that require it
    PreferPlain,
    /// Encrypted; in the clear when that fails
    Prefer,
    /// Encrypted only
    Require,
    /// In the clear only
    Off,
}

impl From<EncryptionPolicy> for Encryption {
    fn from(policy: EncryptionPolicy) -> Self {
        match policy {
            EncryptionPolicy::PreferPlain => Self::PreferPlain,
            EncryptionPolicy::Prefer => Self::Prefer,
            EncryptionPolicy::Require => Self::Require,
            EncryptionPolicy::Off => Self::Off,
        }
    }
}

impl Color {
    /// Sets the choice for all output of this process.
    pub(crate) fn apply(self) {
        let choice = match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
    }
}

impl Args {
    /// The arguments of this process, or the exit code for a usage error, for help and for the version.
    pub(crate) fn read() -> Result<Self, u8> {
        Self::try_parse().map_err(|error| {
            if error.use_stderr() {
                let text = without_secrets(error.to_string(), std::env::args_os());
                let _ = std::io::Write::write_all(&mut anstream::stderr(), text.as_bytes());
            } else {
                let _ = error.print();
            }
            u8::try_from(error.exit_code()).unwrap_or(2)
        })
    }

    /// What the engine is to do, or one line about what is wrong.
    pub(crate) fn config(&self) -> Result<Config, String> {
        let mut bind = Bind::default();
        for &ip in &self.bind {
            bind.add(ip).map_err(|error| format!("--bind {ip}: {error}"))?;
        }
        Ok(Config {
            connect_timeout: self.connect_timeout,
            handshake_timeout: self.handshake_timeout,
            linger: self.linger,
            encryption: self.encryption.into(),
            deadline: self.deadline,
            concurrency: self.concurrency,
            rate: self.rate,
            max_peers: Some(self.max_peers).filter(|&most| most > 0),
            bind,
            port: self.port,
            peers: self.peers.clone(),
            trackers: self.trackers()?,
            scrape: self.scrape,
            tls_roots: self.tls_roots()?,
            show_secrets: self.show_secrets,
            allow_private: self.allow_private,
        })
    }

    fn tls_roots(&self) -> Result<Vec<u8>, String> {
        let Some(path) = &self.tls_ca else { return Ok(Vec::new()) };
        let shown = || guard::escape(&path.to_string_lossy()).to_string();
        std::fs::read(path).map_err(|error| format!("--tls-ca {}: {error}", shown()))
    }

    /// URLs are parsed here and not by clap, whose errors would repeat a passkey.
    fn trackers(&self) -> Result<Trackers, String> {
        if self.no_trackers {
            return Ok(Trackers::None);
        }
        if self.trackers.is_empty() {
            return Ok(Trackers::FromTorrent);
        }
        let parse = |text: &String| {
            let shown = if self.show_secrets { text.clone() } else { guard::redact_url(text) };
            let shown = || guard::escape(&shown).to_string();
            text.parse::<TrackerUrl>().map_err(|error| format!("--tracker {}: {error}", shown()))
        };
        self.trackers.iter().map(parse).collect::<Result<_, _>>().map(Trackers::Only)
    }
}

/// An error repeats what was wrong, and that may be a URL with a passkey, given to whatever option by mistake.
fn without_secrets(text: String, args: impl Iterator<Item = OsString>) -> String {
    args.fold(text, |text, arg| {
        let arg = arg.to_string_lossy();
        let value = arg.split_once('=').filter(|_| arg.starts_with('-')).map_or(&*arg, |(_, value)| value);
        match value {
            url if url.contains("://") => text.replace(url, &guard::redact_url(url)),
            path if path.contains('/') => text.replace(path, "***"),
            _ => text,
        }
    })
}

/// `500ms`, `5s`, `2m`, or seconds without a unit; up to a day.
fn duration(text: &str) -> Result<Duration, String> {
    const LONGEST: f64 = 86_400.0;
    let number = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit = match text.get(number.len()..) {
        Some("ms") => 0.001,
        Some("s" | "") => 1.0,
        Some("m") => 60.0,
        _ => return Err("expected a time such as 5s, 500ms or 2m".to_owned()),
    };
    let seconds = number.parse::<f64>().map_err(|_| "expected a time such as 5s, 500ms or 2m".to_owned())? * unit;
    if (0.0..=LONGEST).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("expected at most a day".to_owned())
    }
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&number| number > 0).ok_or_else(|| "expected a number of 1 or more".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn durations_as_people_write_them() {
        for (text, milliseconds) in [("5s", 5000), ("500ms", 500), ("1.5", 1500), ("2m", 120_000), ("0s", 0)] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)));
        }
        for wrong in ["", "s", "5 s", "-1s", "5h", "inf", "NaN", "1e99"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn usage_errors_repeat_no_secret() {
        for value in ["HTTP://h/S3CRET/announce", "wss://h/S3CRET", "h:80/S3CRET/announce", "https://h/?S3CRET=1"] {
            for args in [vec![format!("--port={value}")], vec!["--peer".to_owned(), value.to_owned()]] {
                let args = ["bt-handshake".to_owned()].into_iter().chain(args);
                let error = Args::try_parse_from(args.clone()).unwrap_err().to_string();
                assert!(error.contains("S3CRET"), "{error}");
                let shown = without_secrets(error, args.map(OsString::from));
                assert!(!shown.contains("S3CRET"), "{shown}");
            }
        }
    }

    #[test]
    fn a_bad_tracker_is_named_without_its_secret() {
        let args = Args::parse_from(["bt-handshake", "--tracker", "http://t.example:0/announce?passkey=s3cret", "x"]);
        let message = args.config().unwrap_err();
        assert_eq!(message, "--tracker http://t.example:0/announce?passkey=***: bad port");
    }
}
