//! Options of what is asked: trackers, web seeds, the DHT, and peers that the user names.

use crate::args::values;
use clap::{Args, ValueEnum};
use client::web_seed::WebSeedUrl;
use client::{Config, Sources as Kinds, Trackers, WebSeedChecks};
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tracker::{PeerAddress, TrackerUrl};

const SOURCES: &str = "Sources";

/// Where peers come from.
#[derive(Args, Clone, Debug)]
pub(crate) struct AskedPeers {
    /// Try this peer too: IP:PORT or HOST:PORT (repeatable)
    #[arg(long = "peer", value_name = "ADDR", help_heading = SOURCES)]
    peers: Vec<PeerAddress>,

    /// Which sources to use, of trackers, web-seeds, dht and pex: LIST alone, all but -LIST, or none but what --peer names [default: all]
    #[arg(long = "sources", value_name = "LIST", value_parser = kinds, allow_hyphen_values = true, help_heading = SOURCES)]
    kinds: Option<Kinds>,

    /// The earlier spelling of `--sources none`, which scripts have
    #[arg(long, conflicts_with_all = ["trackers", "kinds", "dht_nodes"], hide = true)]
    no_trackers: bool,
}

/// Which sources a run uses.
#[derive(Args, Clone, Debug)]
pub(crate) struct Sources {
    #[command(flatten)]
    peers: AskedPeers,

    /// Ask trackers for their counts only; they learn nothing of us
    #[arg(long, conflicts_with_all = ["web_seeds", "web_seed_checks", "dht_nodes"], help_heading = SOURCES)]
    scrape: bool,

    /// What to check of each web seed
    #[arg(long = "web-seeds", id = "web_seed_checks", value_name = "WHAT", default_value = "sample",
          hide_short_help = true, help_heading = SOURCES)]
    web_seed_checks: Checks,

    /// Most peers taken from each answer of a tracker and of a node of the DHT, 0 for all
    #[arg(long, value_name = "N", default_value_t = Config::default().max_peers.unwrap_or_default(),
          hide_short_help = true, hide_long_help = true, help_heading = SOURCES)]
    max_peers: usize,

    /// Most ports of one IP address that are dialled because trackers, the DHT or peers name them, or asked because a torrent does, 0 for all
    #[arg(long, value_name = "N", default_value_t = Config::default().max_per_address.unwrap_or_default(),
          hide_short_help = true, hide_long_help = true, help_heading = SOURCES)]
    max_per_address: usize,
}

/// Which trackers are asked, for commands that ask trackers.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct AskedTrackers {
    /// Ask this tracker instead of the torrent's (repeatable)
    #[arg(long = "tracker", value_name = "URL", help_heading = SOURCES)]
    trackers: Vec<String>,
}

/// Which web seeds are asked beside those of the torrent.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct AskedWebSeeds {
    /// Check this web seed too (repeatable)
    #[arg(long = "web-seed", value_name = "URL", help_heading = SOURCES)]
    web_seeds: Vec<String>,
}

/// Where lookups in the DHT start, beside what the torrent says.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct AskedNodes {
    /// Start looking in the DHT at this node too: IP:PORT or HOST:PORT (repeatable)
    #[arg(long = "dht-node", value_name = "ADDR", value_parser = values::node, hide_short_help = true, help_heading = SOURCES)]
    dht_nodes: Vec<PeerAddress>,
}

/// Which certificates are trusted.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Certificates {
    /// Trust the certificates in this PEM file too, for HTTPS trackers and web seeds
    #[arg(long, value_name = "FILE", hide_short_help = true, help_heading = SOURCES)]
    tls_ca: Option<PathBuf>,
}

/// What to check of each web seed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Checks {
    /// A small range of the first file, of the last and of six others
    Sample,
    /// A small range of every file
    All,
    /// As the sample, and the hash of a random piece, which is fetched in full
    Proof,
}

/// `trackers,dht`: these alone; `-web-seeds`: all but these; `none`.
fn kinds(text: &str) -> Result<Kinds, String> {
    let error = || {
        "expected a list of trackers, web-seeds, dht and pex, or of -trackers, -web-seeds, -dht and -pex for all but those, or none"
            .to_owned()
    };
    if text == "none" {
        return Ok(Kinds::NONE);
    }
    let is_without = text.starts_with('-');
    let mut kinds = if is_without { Kinds::ALL } else { Kinds::NONE };
    for name in text.split(',') {
        let name = name.trim();
        let (name, without) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
        if without != is_without {
            return Err(error());
        }
        match name {
            "trackers" => kinds.trackers = !without,
            "web-seeds" => kinds.web_seeds = !without,
            "dht" => kinds.dht = !without,
            "pex" => kinds.pex = !without,
            _ => return Err(error()),
        }
    }
    Ok(kinds)
}

impl AskedPeers {
    /// Notes the choices in `config`, which has the trackers, web seeds and nodes that the user named, or says in one line what is
    /// wrong.
    pub(crate) fn apply(&self, config: &mut Config) -> Result<(), String> {
        config.peers.clone_from(&self.peers);
        config.sources = self.kinds.unwrap_or(if self.no_trackers { Kinds::NONE } else { Kinds::ALL });
        let unused = |option| Err(format!("leave out {option}, or let --sources have what it is for"));
        if !config.sources.trackers && config.trackers != Trackers::FromTorrent {
            return unused("--tracker");
        }
        if !config.sources.web_seeds && !config.web_seeds.is_empty() {
            return unused("--web-seed");
        }
        if !config.sources.dht && !config.dht_nodes.is_empty() {
            return unused("--dht-node");
        }
        Ok(())
    }
}

impl Sources {
    /// Notes the choices in `config`, which has the trackers, web seeds and nodes that the user named, or says in one line what is
    /// wrong.
    pub(crate) fn apply(&self, config: &mut Config) -> Result<(), String> {
        self.peers.apply(config)?;
        config.scrape = self.scrape;
        config.max_peers = Some(self.max_peers).filter(|&most| most > 0);
        config.max_per_address = Some(self.max_per_address).filter(|&most| most > 0);
        config.web_seed_checks = match self.web_seed_checks {
            Checks::Sample | Checks::Proof => WebSeedChecks::Sample,
            Checks::All => WebSeedChecks::All,
        };
        config.web_seed_proof = matches!(self.web_seed_checks, Checks::Proof);
        // Counts are the trackers' alone.
        if self.scrape && !config.sources.trackers {
            return Err("leave out --scrape, or let --sources have what it is for".to_owned());
        }
        if self.scrape {
            config.sources = Kinds::NONE.with_trackers(true);
        }
        Ok(())
    }
}

impl AskedTrackers {
    /// Notes the choices in `config`, or says in one line what is wrong.
    pub(crate) fn apply(&self, config: &mut Config) -> Result<(), String> {
        if !self.trackers.is_empty() {
            let what = "give --tracker an announce URL";
            let urls = self.trackers.iter().map(|url| parsed::<TrackerUrl>(url, what, guard::redact_url, config));
            config.trackers = Trackers::Only(urls.collect::<Result<_, _>>()?);
        }
        Ok(())
    }
}

impl AskedWebSeeds {
    /// Notes the choices in `config`, or says in one line what is wrong.
    pub(crate) fn apply(&self, config: &mut Config) -> Result<(), String> {
        let what = "give --web-seed a URL of http or https";
        let urls = self.web_seeds.iter().map(|url| parsed::<WebSeedUrl>(url, what, guard::redact_web_seed, config));
        config.web_seeds = urls.collect::<Result<_, _>>()?;
        Ok(())
    }
}

impl AskedNodes {
    /// The variable that replaces the built-in list of well-known nodes.
    const BOOTSTRAP: &str = "BT_HANDSHAKE_DHT_BOOTSTRAP";

    /// Notes the choices in `config`, those of the environment included, or says in one line what is wrong.
    pub(crate) fn apply(&self, config: &mut Config) -> Result<(), String> {
        config.dht_nodes.clone_from(&self.dht_nodes);
        if let Some(list) = std::env::var_os(Self::BOOTSTRAP) {
            config.dht_bootstrap = bootstrap(&list.to_string_lossy())?;
        }
        Ok(())
    }
}

/// `HOST:PORT` of each node, with blanks between; none in an empty list.
fn bootstrap(list: &str) -> Result<Vec<PeerAddress>, String> {
    let node = |node: &str| {
        let what = AskedNodes::BOOTSTRAP;
        values::node(node)
            .map_err(|error| format!("set {what} to HOST:PORT of each node: {}: {error}", guard::escape(node)))
    };
    list.split_whitespace().map(node).collect()
}

impl Certificates {
    /// Notes the choice in `config`, or says in one line what is wrong.
    pub(crate) fn apply(&self, config: &mut Config) -> Result<(), String> {
        let Some(path) = &self.tls_ca else { return Ok(()) };
        config.tls_roots = certificates(path).map_err(|error| {
            let shown = crate::shown::shown_word(path.as_os_str());
            format!("give --tls-ca a file of certificates in PEM: {shown}: {error}")
        })?;
        Ok(())
    }
}

/// A URL of the user's. It is parsed here and not by clap, because its errors would repeat a passkey.
fn parsed<T: FromStr<Err: Display>>(
    url: &str,
    what: &str,
    redacted: impl Fn(&str) -> String,
    config: &Config,
) -> Result<T, String> {
    url.parse().map_err(|error| {
        let shown = if config.show_secrets { url.to_owned() } else { redacted(url) };
        format!("{what}: {}: {error}", guard::escape(&shown))
    })
}

/// Largest file of certificates that is read, in bytes: twenty times what a system has.
const MAX_CERTIFICATES: u64 = 4 << 20;

/// The bytes of a file of certificates.
fn certificates(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than may come shows that there is more.
    File::open(path)?.take(MAX_CERTIFICATES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_CERTIFICATES {
        return Err(io::Error::other(format!("it has more than {MAX_CERTIFICATES} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_listed_or_left_out() {
        let of = |trackers, web_seeds, dht, pex| {
            let none = Kinds::NONE.with_trackers(trackers).with_web_seeds(web_seeds);
            Ok(none.with_dht(dht).with_pex(pex))
        };
        for (list, kinds_of) in [
            ("trackers", of(true, false, false, false)),
            ("web-seeds", of(false, true, false, false)),
            ("dht", of(false, false, true, false)),
            ("pex", of(false, false, false, true)),
            ("web-seeds, trackers", of(true, true, false, false)),
            ("-web-seeds", of(true, false, true, true)),
            ("-dht", of(true, true, false, true)),
            ("-trackers,-web-seeds,-dht,-pex", of(false, false, false, false)),
            ("none", of(false, false, false, false)),
        ] {
            assert_eq!(kinds(list), kinds_of, "{list}");
        }
        for wrong in [
            "",
            "utp",
            "trackers,-web-seeds",
            "-trackers,dht",
            "trackers,",
            "--trackers",
            "web seeds",
            "DHT",
            "none,dht",
            "-none",
        ] {
            assert!(kinds(wrong).is_err_and(|error| error.contains("trackers, web-seeds, dht and pex")), "{wrong}");
        }
    }

    #[test]
    fn well_known_nodes_are_a_list_with_blanks() {
        let shown = |list| bootstrap(list).map(|nodes| nodes.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(shown(" "), Ok(Vec::new()));
        assert_eq!(shown("[::1]:6881 a.example:1\n"), Ok(vec!["[::1]:6881".to_owned(), "a.example:1".to_owned()]));
        for wrong in ["a.example", "a.example:0 \u{1b}", "a:1,b:2"] {
            assert!(bootstrap(wrong).is_err_and(|error| error.starts_with("set BT_HANDSHAKE_DHT_")), "{wrong}");
        }
    }
}
