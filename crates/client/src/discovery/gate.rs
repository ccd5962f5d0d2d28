//! Whether the DHT, and peers (PEX), may be asked for a torrent's peers.

use crate::config::{Config, Trackers};
use crate::torrent_ref::{TorrentRef, has_secret};
use guard::Scope;
use tracker::{Host, TrackerUrl};

/// Whether other sources of peers than trackers are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// They are.
    Open,
    /// BEP 27: the peers of a private torrent come from its trackers alone.
    Private,
    /// A tracker of the link has a secret, as those of private torrents have: not before metadata shows that it is public.
    MayBePrivate,
}

impl Gate {
    /// Of a run; `None` where the DHT is no source of it: counts only are wanted, or all trackers are in a local network, which the
    /// torrent then is for.
    pub(crate) fn of_dht(torrent_ref: &TorrentRef, config: &Config) -> Option<Self> {
        if !config.sources.dht || config.scrape {
            return None;
        }
        if torrent_ref.private == Some(true) {
            return Some(Self::Private);
        }
        let by_user = by_user(config);
        let is_local = match config.trackers {
            Trackers::Only(_) => all_local(by_user.iter()),
            Trackers::FromTorrent => {
                let urls: Vec<TrackerUrl> = torrent_ref.trackers.iter().filter_map(|url| url.parse().ok()).collect();
                all_local(urls.iter())
            }
        };
        // In a run of the DHT alone the user has asked for it.
        if is_local && config.dht_nodes.is_empty() && config.sources.trackers {
            return None;
        }
        Some(Self::by_secrets(torrent_ref, config))
    }

    /// The same of peer exchange, which asks nothing outside of the swarm: so also where all trackers are in a local network.
    pub(crate) fn of_pex(torrent_ref: &TorrentRef, config: &Config) -> Option<Self> {
        if !config.sources.pex || config.scrape {
            return None;
        }
        let is_private = torrent_ref.private == Some(true);
        Some(if is_private { Self::Private } else { Self::by_secrets(torrent_ref, config) })
    }

    /// Of a torrent that is not known to be private.
    fn by_secrets(torrent_ref: &TorrentRef, config: &Config) -> Self {
        let by_user = by_user(config);
        // Those of the torrent also if others are asked: they tell what it is.
        let has_secret = torrent_ref.private.is_none() && by_user.iter().map(TrackerUrl::expose).any(has_secret);
        if has_secret || torrent_ref.may_be_private() { Self::MayBePrivate } else { Self::Open }
    }
}

/// The trackers that the user named in place of the torrent's.
fn by_user(config: &Config) -> &[TrackerUrl] {
    if let Trackers::Only(urls) = &config.trackers { urls } else { &[] }
}

/// Whether all trackers, of which there are some, are named at addresses of this machine or a local network.
fn all_local<'u>(mut urls: impl ExactSizeIterator<Item = &'u TrackerUrl>) -> bool {
    let is_local = |url: &TrackerUrl| match url.host() {
        Host::Ip(ip) => Scope::of(*ip) != Scope::Global,
        Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
    };
    urls.len() > 0 && urls.all(is_local)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;
    use ids::InfoHash;

    fn of(private: Option<bool>, trackers: &[&str], change: impl FnOnce(Config) -> Config) -> Option<Gate> {
        let trackers = trackers.iter().map(|url| (*url).to_owned()).collect();
        let torrent_ref = TorrentRef::from(InfoHash([1; 20])).with_private(private).with_trackers(trackers);
        Gate::of_dht(&torrent_ref, &change(Config::default().with_dht_bootstrap(Vec::new())))
    }

    #[test]
    fn the_dht_is_for_what_is_public_and_not_local() {
        let (open, private, may_be) = (Some(Gate::Open), Some(Gate::Private), Some(Gate::MayBePrivate));
        for (is_private, trackers, expected) in [
            (None, &[][..], open),
            (Some(false), &[], open),
            (Some(true), &[], private),
            (Some(true), &["http://127.0.0.1/announce"], private),
            (None, &["http://t.example/announce", "udp://t.example:6969", "wss://t.example/"], open),
            (None, &["nonsense"], open),
            (None, &["http://t.example/ann?magnet"], open),
            (None, &["http://t.example/announce", "http://t.example/0123456789abcdef/announce"], may_be),
            (None, &["http://t.example/announce?passkey=0123456789abcdef"], may_be),
            (None, &["http://user@t.example/announce"], may_be),
            (Some(false), &["http://t.example/0123456789abcdef/announce"], open),
            (None, &["http://127.0.0.1/announce", "udp://192.168.0.1:1", "http://[fd00::1]/announce"], None),
            (None, &["http://localhost:6969/announce"], None),
            (None, &["http://127.0.0.1/announce", "http://t.example/announce"], open),
        ] {
            assert_eq!(of(is_private, trackers, |config| config), expected, "{is_private:?} {trackers:?}");
        }
        let local = &["http://127.0.0.1/announce"][..];
        assert_eq!(of(None, local, |config| config.with_dht_nodes(vec!["127.0.0.1:1".parse().unwrap()])), open);
        assert_eq!(of(None, local, |config| config.with_sources(Sources::NONE.with_dht(true))), open);
        assert_eq!(of(None, &[], |config| config.with_scrape(true)), None);
        assert_eq!(of(None, &[], |config| config.with_sources(Sources::NONE)), None);
        let only = |url: &str| Trackers::Only(vec![url.parse().unwrap()]);
        assert_eq!(of(None, &["http://t.example/announce"], |config| config.with_trackers(only(local[0]))), None);
        assert_eq!(of(None, local, |config| config.with_trackers(only("http://t.example/k3yk3yk3y/announce"))), may_be);
    }

    #[test]
    fn peers_are_asked_in_a_local_network_too() {
        let of = |private, trackers: &[&str], config: Config| {
            let trackers = trackers.iter().map(|url| (*url).to_owned()).collect();
            let torrent_ref = TorrentRef::from(InfoHash([1; 20])).with_private(private).with_trackers(trackers);
            Gate::of_pex(&torrent_ref, &config)
        };
        for (private, trackers, expected) in [
            (None, &["http://127.0.0.1/announce"][..], Gate::Open),
            (None, &["http://t.example/0123456789abcdef/announce"], Gate::MayBePrivate),
            (Some(false), &["http://t.example/0123456789abcdef/announce"], Gate::Open),
            (Some(true), &["http://t.example/announce"], Gate::Private),
        ] {
            assert_eq!(of(private, trackers, Config::default()), Some(expected), "{private:?} {trackers:?}");
        }
        assert_eq!(of(None, &[], Config::default().with_scrape(true)), None);
        assert_eq!(of(None, &[], Config::default().with_sources(Sources::ALL.with_pex(false))), None);
    }
}
