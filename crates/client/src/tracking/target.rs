//! Which trackers a run asks, each once, and on whose word.

use super::report::{TrackerReport, TrackerStatus, Unasked};
use crate::{Config, Error, Topic, Trackers};
use guard::{AddressPolicy, Secrets};
use ids::InfoHash;
use std::collections::{HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::time::Instant;
use tracker::{Family, Scheme, TrackerUrl};

/// A tracker to be asked, and on whose word it may be dialled.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Where to ask: the tracker's own URL, or where a redirect led.
    pub(crate) url: TrackerUrl,
    /// The tracker's own URL as it is shown, shared by all that mention it.
    pub(crate) shown: Arc<str>,
    /// Where a redirect led, as it is shown.
    pub(crate) redirected_to: Option<Arc<str>>,
    pub(crate) policy: AddressPolicy,
    pub(crate) show_secrets: bool,
    /// What its text may not repeat.
    pub(crate) secrets: Secrets,
    /// The URLs that led here, the tracker's own first.
    pub(crate) trail: Vec<TrackerUrl>,
    /// After a redirect: the one conversation that goes on here.
    pub(crate) only: Option<Only>,
    /// When the first look-up began.
    pub(crate) begun: Option<Instant>,
}

/// Whose conversation a redirect continues.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Only {
    /// `None` where the tracker was to be asked over one family, whichever.
    pub(crate) family: Option<Family>,
    pub(crate) info_hash: InfoHash,
    /// When the conversation must have ended, all redirects included.
    pub(crate) deadline: Instant,
}

impl Target {
    pub(crate) fn new(url: TrackerUrl, policy: AddressPolicy, show_secrets: bool) -> Self {
        Self {
            shown: show(&url, show_secrets),
            redirected_to: None,
            policy,
            show_secrets,
            secrets: if show_secrets { Secrets::default() } else { Secrets::of(url.expose()) },
            trail: Vec::new(),
            only: None,
            begun: None,
            url,
        }
    }

    /// Where `location` leads from here, for a tracker reached at `from`.
    ///
    /// A redirect is a stranger's word: it leads to local addresses only from a local one, and there only where a torrent
    /// may point too.
    pub(crate) fn redirected(&self, location: &str, from: SocketAddr, only: Only) -> Result<Self, tracker::UrlError> {
        let url = self.url.redirect(location)?;
        let mut trail = self.trail.clone();
        trail.push(self.url.clone());
        Ok(Self {
            policy: AddressPolicy::for_redirect(from.ip(), url.target()),
            shown: Arc::clone(&self.shown),
            redirected_to: Some(show(&url, self.show_secrets)),
            show_secrets: self.show_secrets,
            secrets: if self.show_secrets { Secrets::default() } else { self.secrets.clone().and_of(url.expose()) },
            trail,
            only: Some(only),
            begun: self.begun,
            url,
        })
    }

    /// Whether it can be scraped: over UDP any tracker can.
    pub(crate) fn has_scrape(&self) -> bool {
        self.url.scheme() == Scheme::Udp || self.url.scrape().is_some()
    }

    /// A report of it in which nothing has happened yet.
    pub(crate) fn report(&self, status: TrackerStatus) -> TrackerReport {
        let mut report = TrackerReport::new(Arc::clone(&self.shown), status);
        report.redirected_to = self.redirected_to.clone();
        report.secrets = self.secrets.clone();
        report.elapsed = self.begun.map(|begun| begun.elapsed()).unwrap_or_default();
        report
    }
}

/// A URL as it may be shown.
fn show(url: &TrackerUrl, show_secrets: bool) -> Arc<str> {
    if show_secrets { guard::escape(url.expose()).to_string().into() } else { url.to_string().into() }
}

/// Whom to ask, and why not the others.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    /// In the torrent's order.
    pub(crate) targets: VecDeque<Target>,
    /// Reports of URLs that cannot be used.
    pub(crate) unusable: Vec<TrackerReport>,
}

/// Chooses the trackers. One that is named twice, however written, is asked once.
pub(crate) fn choose(topic: &Topic, trackers: Trackers, most: usize, show_secrets: bool) -> Choice {
    let mut seen = HashSet::new();
    let mut choice = Choice::default();
    match trackers {
        Trackers::None => {}
        Trackers::Only(urls) => {
            let urls = urls.into_iter().filter(|url| seen.insert(url.clone()));
            choice.targets.extend(urls.map(|url| Target::new(url, AddressPolicy::User, show_secrets)));
        }
        Trackers::FromTorrent => {
            for text in &topic.trackers {
                match text.parse::<TrackerUrl>() {
                    Ok(url) if seen.insert(url.clone()) => {
                        let policy = AddressPolicy::for_tracker_in_torrent(url.target());
                        choice.targets.push_back(Target::new(url, policy, show_secrets));
                    }
                    Ok(_) => {}
                    Err(error) => {
                        let shown = if show_secrets { text.clone() } else { guard::redact_url(text) };
                        let shown = guard::escape(&shown).to_string();
                        choice.unusable.push(TrackerReport::new(shown.into(), error.into()));
                    }
                }
            }
        }
    }
    let excess = choice.targets.split_off(choice.targets.len().min(most));
    let too_many = |target: Target| target.report(Unasked::TooMany { limit: most }.into());
    choice.unusable.extend(excess.into_iter().map(too_many));
    choice
}

/// BEP 27: only with permission, and only the torrent's own trackers. A run that asks no tracker needs no permission.
pub(crate) fn check_private(topic: &Topic, config: &Config) -> Result<(), Error> {
    if config.trackers == Trackers::None {
        return Ok(());
    }
    if !config.allow_private {
        return Err(Error::Private);
    }
    let Trackers::Only(urls) = &config.trackers else { return Ok(()) };
    let own: Vec<TrackerUrl> = topic.trackers.iter().filter_map(|url| url.parse().ok()).collect();
    if urls.iter().all(|url| own.contains(url)) { Ok(()) } else { Err(Error::ForeignTracker) }
}
