//! Which trackers a run asks, each once, and whether the user or the torrent named them.

use crate::config::{Config, Sources, Trackers};
use crate::discovery::trackers::ending::{Ending, SkipReason};
use crate::error::Error;
use crate::torrent_ref::TorrentRef;
use guard::{AddressPolicy, Secrets};
use ids::InfoHash;
use report::TrackerReport;
use std::collections::{HashMap, HashSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::time::Instant;
use tracker::{Event, Family, Scheme, TrackerUrl};

/// What a tracker is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// For peers; the tracker counts us until the announce is taken back.
    Announce {
        event: Event,
        /// What an earlier answer wants in it (`tracker id`, BEP 3).
        tracker_id: Option<Arc<[u8]>>,
    },
    /// For counts; the tracker learns nothing of us (BEP 48).
    Scrape,
}

impl Action {
    /// A first announce.
    pub(crate) const STARTED: Self = Self::Announce { event: Event::Started, tracker_id: None };
}

/// A tracker to be asked, and which of its addresses may be dialled.
#[derive(Clone, Debug)]
pub(crate) struct TrackerJob {
    /// Where to ask: the tracker's own URL, or where a redirect led.
    pub(crate) url: TrackerUrl,
    /// The tracker's own URL as it is shown, shared by all that mention it.
    pub(crate) shown: Arc<str>,
    /// Where a redirect led, as it is shown.
    pub(crate) redirected_to: Option<Arc<str>>,
    pub(crate) policy: AddressPolicy,
    pub(crate) show_secrets: bool,
    /// What no report of it may show.
    pub(crate) secrets: Secrets,
    /// The URLs that led here, the tracker's own first.
    pub(crate) trail: Vec<TrackerUrl>,
    /// After a redirect: the one conversation that continues here.
    pub(crate) redirect: Option<RedirectContext>,
    pub(crate) action: Action,
    /// When the first look-up began.
    pub(crate) begun: Option<Instant>,
}

/// The conversation that a redirect continues.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RedirectContext {
    /// `None` where either family will do.
    pub(crate) family: Option<Family>,
    pub(crate) info_hash: InfoHash,
    /// When the conversation must have ended, all redirects included.
    pub(crate) deadline: Instant,
}

impl TrackerJob {
    /// `secrets` are those of the run.
    pub(crate) fn new(url: TrackerUrl, policy: AddressPolicy, show_secrets: bool, secrets: &Secrets) -> Self {
        Self {
            shown: show(&url, show_secrets),
            redirected_to: None,
            policy,
            show_secrets,
            secrets: if show_secrets { Secrets::default() } else { Secrets::of(url.expose()).and(secrets) },
            trail: Vec::new(),
            redirect: None,
            action: Action::STARTED,
            begun: None,
            url,
        }
    }

    /// The tracker's own URL.
    pub(crate) fn own_url(&self) -> &TrackerUrl {
        self.trail.first().unwrap_or(&self.url)
    }

    /// Where `location` leads from here, for a tracker reached at `from`.
    ///
    /// A redirect is untrusted: it leads to local addresses only from a local one, and there only to URLs that a torrent may
    /// name, too.
    pub(crate) fn redirected(
        &self,
        location: &str,
        from: SocketAddr,
        redirect: RedirectContext,
    ) -> Result<Self, tracker::UrlError> {
        let url = self.url.redirect(location)?;
        let mut trail = self.trail.clone();
        trail.push(self.url.clone());
        let secrets = if self.show_secrets { Secrets::default() } else { Secrets::of(url.expose()).and(&self.secrets) };
        Ok(Self {
            policy: AddressPolicy::for_redirect(from.ip(), url.target()),
            shown: Arc::clone(&self.shown),
            redirected_to: Some(secrets.conceal(&show(&url, self.show_secrets)).into()),
            show_secrets: self.show_secrets,
            secrets,
            trail,
            redirect: Some(redirect),
            action: self.action.clone(),
            begun: self.begun,
            url,
        })
    }

    /// Whether it can be scraped: over UDP any tracker can.
    pub(crate) fn has_scrape(&self) -> bool {
        self.url.scheme() == Scheme::Udp || self.url.scrape().is_some()
    }

    /// A report in which nothing has been asked yet.
    pub(crate) fn report(&self, ending: &Ending) -> TrackerReport {
        let mut report = ending.report(Arc::clone(&self.shown), &self.secrets);
        report.redirected_to = self.redirected_to.clone();
        report.elapsed = self.begun.map(|begun| begun.elapsed()).unwrap_or_default();
        report
    }
}

/// A URL as it may be shown.
fn show(url: &TrackerUrl, show_secrets: bool) -> Arc<str> {
    if show_secrets { guard::escape(url.expose()).to_string().into() } else { url.to_string().into() }
}

/// The trackers to ask, and reports of those that are not.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    /// In the torrent's order.
    pub(crate) jobs: VecDeque<TrackerJob>,
    /// Reports of URLs that cannot be used.
    pub(crate) unusable: Vec<TrackerReport>,
}

/// Chooses the trackers. One that is named twice, however written, is asked once.
pub(crate) fn choose(
    torrent_ref: &TorrentRef,
    trackers: Trackers,
    most: usize,
    show_secrets: bool,
    secrets: &Secrets,
) -> Choice {
    let mut seen = HashSet::new();
    let mut choice = Choice::default();
    match trackers {
        Trackers::Only(urls) => {
            let texts: Vec<&str> = urls.iter().map(TrackerUrl::expose).collect();
            for (url, shown) in urls.iter().zip(told_apart(&texts, show_secrets, secrets)) {
                if seen.insert(url.clone()) {
                    let job = TrackerJob::new(url.clone(), AddressPolicy::User, show_secrets, secrets);
                    choice.jobs.push_back(TrackerJob { shown, ..job });
                }
            }
        }
        Trackers::FromTorrent => {
            let texts: Vec<&str> = torrent_ref.trackers.iter().map(String::as_str).collect();
            let mut unusable = HashSet::new();
            for (text, shown) in texts.iter().zip(told_apart(&texts, show_secrets, secrets)) {
                match text.parse::<TrackerUrl>() {
                    Ok(url) if seen.insert(url.clone()) => {
                        let policy = AddressPolicy::for_tracker_in_torrent(url.target());
                        choice
                            .jobs
                            .push_back(TrackerJob { shown, ..TrackerJob::new(url, policy, show_secrets, secrets) });
                    }
                    Err(error) if unusable.insert(text) => {
                        choice.unusable.push(Ending::from(error).report(shown, secrets));
                    }
                    _ => {}
                }
            }
        }
    }
    let excess = choice.jobs.split_off(choice.jobs.len().min(most));
    let too_many = |job: TrackerJob| job.report(&SkipReason::TooMany { limit: most }.into());
    choice.unusable.extend(excess.into_iter().map(too_many));
    choice
}

/// URLs as they may be shown. Those that look alike without their secrets get their place in the list behind them.
fn told_apart(texts: &[&str], show_secrets: bool, secrets: &Secrets) -> Vec<Arc<str>> {
    let show = |text: &&str| if show_secrets { (*text).to_owned() } else { guard::redact_url(text) };
    let shown: Vec<String> =
        texts.iter().map(|text| secrets.conceal(&guard::escape(&show(text)).to_string())).collect();
    let mut behind: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (shown, text) in shown.iter().zip(texts) {
        behind.entry(shown).or_default().insert(text);
    }
    let is_alone = |shown: &str| behind.get(shown).is_none_or(|texts| texts.len() == 1);
    let name = |(shown, place): (&String, usize)| match is_alone(shown) {
        true => shown.as_str().into(),
        false => format!("{shown} (tracker {place})").into(),
    };
    shown.iter().zip(1..).map(name).collect()
}

/// BEP 27: only with permission, and only the torrent's own trackers. A run that asks no source needs no permission.
pub(crate) fn check_private(torrent_ref: &TorrentRef, config: &Config) -> Result<(), Error> {
    if config.sources == Sources::NONE {
        return Ok(());
    }
    if !config.allow_private {
        return Err(Error::Private);
    }
    let Trackers::Only(urls) = &config.trackers else { return Ok(()) };
    let own: Vec<TrackerUrl> = torrent_ref.trackers.iter().filter_map(|url| url.parse().ok()).collect();
    if urls.iter().all(|url| own.contains(url)) { Ok(()) } else { Err(Error::ForeignTracker) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_look_alike_are_told_apart_by_their_place() {
        let texts =
            ["http://t/k3yk3y/announce", "<html>", "http://u/announce", "http://t/s3cret/announce", "31", "<html>"];
        let none = Secrets::default();
        let names = told_apart(&texts, false, &none);
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let expected = [
            "http://t/***/announce (tracker 1)",
            "*** (tracker 2)",
            "http://u/announce",
            "http://t/***/announce (tracker 4)",
            "*** (tracker 5)",
            "*** (tracker 6)",
        ];
        assert_eq!(names, expected);
        assert_eq!(told_apart(&texts, true, &none).iter().map(|name| &**name).collect::<Vec<_>>(), texts);
        // A duplicate is not told apart.
        let twice = told_apart(&["http://t/k3yk3y/announce"; 2], false, &none);
        assert_eq!(&*twice[1], "http://t/***/announce");
        let control = told_apart(&["http://t/\u{1b}[31m"], true, &none);
        assert_eq!(&*control[0], "http://t/\\u{1b}[31m");
    }
}
