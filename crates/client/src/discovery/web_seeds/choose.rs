//! Which web seeds a run asks, each once, and whether the user or the torrent named them.

use crate::discovery::web_seeds::context::CheckContext;
use crate::discovery::web_seeds::fault::{Fault, SkipReason};
use crate::torrent_ref::TorrentRef;
use guard::AddressPolicy;
use report::{WebSeedKind, WebSeedReport, WebSeedStatus};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use tracker::{Host, TrackerUrl};
use web_seed::WebSeedUrl;

/// A web seed to be asked.
#[derive(Clone, Debug)]
pub(crate) struct WebSeed {
    pub(crate) url: WebSeedUrl,
    pub(crate) kind: WebSeedKind,
    /// Which of its addresses may be dialled.
    pub(crate) policy: AddressPolicy,
    /// Its URL as it is shown.
    pub(crate) shown: Arc<str>,
    /// The hosts that it may redirect to, if the torrent is private.
    pub(crate) only_hosts: Option<Arc<HashSet<Host>>>,
}

/// The web seeds to ask, and reports of those that are not.
#[derive(Debug, Default)]
pub(crate) struct Choice {
    /// The user's first, then in the torrent's order.
    pub(crate) seeds: VecDeque<WebSeed>,
    pub(crate) unusable: VecDeque<WebSeedReport>,
    /// The hosts of the torrent's trackers.
    pub(crate) own_hosts: Arc<HashSet<Host>>,
}

impl WebSeed {
    /// A report of one that is not asked.
    pub(crate) fn skipped(&self, why: SkipReason) -> WebSeedReport {
        let mut report = WebSeedReport::new(Arc::clone(&self.shown), self.kind, WebSeedStatus::NotAsked);
        report.message = Some(why.to_string());
        report
    }
}

/// Chooses the web seeds. One that is named twice is asked once.
pub(crate) fn choose(torrent_ref: &TorrentRef, by_user: Vec<WebSeedUrl>, context: &CheckContext) -> Choice {
    let (mut choice, mut seen, mut unusable) = (Choice::default(), HashSet::new(), HashSet::new());
    let own = torrent_ref.trackers.iter().filter_map(|url| url.parse::<TrackerUrl>().ok());
    choice.own_hosts = Arc::new(own.map(|url| url.host().clone()).collect());
    let seed =
        |url: WebSeedUrl, kind, policy| WebSeed { shown: context.show(&url), url, kind, policy, only_hosts: None };
    for url in by_user {
        if seen.insert((WebSeedKind::UrlList, url.clone())) {
            choice.seeds.push_back(seed(url, WebSeedKind::UrlList, AddressPolicy::User));
        }
    }
    let of = |kind| move |text| (kind, text);
    let url_list = torrent_ref.web_seeds.iter().map(of(WebSeedKind::UrlList));
    for (kind, text) in url_list.chain(torrent_ref.http_seeds.iter().map(of(WebSeedKind::HttpSeeds))) {
        match usable(text) {
            Ok(url) if seen.insert((kind, url.clone())) => {
                choice.seeds.push_back(seed(url, kind, AddressPolicy::for_web_seed_in_torrent()));
            }
            Err(fault) if unusable.insert((kind, text)) => {
                choice.unusable.push_back(report(text, kind, &fault, context))
            }
            _ => {}
        }
    }
    let limit = context.limits.web_seeds;
    for excess in choice.seeds.split_off(choice.seeds.len().min(limit)) {
        choice.unusable.push_back(excess.skipped(SkipReason::TooMany { limit }));
    }
    choice
}

/// The URL, as a torrent may name it.
fn usable(text: &str) -> Result<WebSeedUrl, Fault> {
    let url: WebSeedUrl = text.parse()?;
    if url.has_user_info() { Err(Fault::UserInfo) } else { Ok(url) }
}

/// A report of a URL that cannot be used.
fn report(text: &str, kind: WebSeedKind, fault: &Fault, context: &CheckContext) -> WebSeedReport {
    let shown = if context.show_secrets { text.to_owned() } else { guard::redact_web_seed(text) };
    let shown = context.secrets.conceal(&guard::escape(&shown).to_string());
    let mut report = WebSeedReport::new(shown.into(), kind, fault.status());
    report.message = Some(context.message(fault));
    report
}
