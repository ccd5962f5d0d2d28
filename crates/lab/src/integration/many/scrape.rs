//! Scrapes of many torrents: many info-hashes go in one request.

use std::collections::BTreeSet;
use std::time::Duration;

use fake_swarm::UdpCounts;
use xtask::shell::Result;

use super::Scenario;
use super::fixture::{Fixture, hex};
use super::tracker::{Asked, Manner, Tracker, counts};

/// All of them.
pub(super) const SCENARIOS: &[Scenario] = &[
    ("a scrape of 200 torrents, HTTP", |fixture| scraped(fixture, Manner::Closes)),
    ("a scrape of 200 torrents, UDP", |fixture| scraped(fixture, Manner::Udp)),
];

const TORRENTS: usize = 200;

/// More requests than 200 info-hashes need.
const REQUESTS: usize = 20;

/// Most info-hashes in one datagram (BEP 15).
const IN_A_DATAGRAM: usize = 74;

fn scraped(fixture: &Fixture, manner: Manner) -> Result<String> {
    let tracker = Tracker::start(fixture.world(), manner, &[])?;
    let magnets = fixture.magnets(TORRENTS, |_| vec![&tracker.url]);
    let mut ran = fixture.run("scrape", &magnets, Duration::from_secs(5))?;
    let scrapes: Vec<Asked> = tracker.asked().into_iter().filter(|asked| asked.event == "scrape").collect();
    let most = scrapes.iter().map(|asked| asked.hashes.len()).max().unwrap_or(0);
    ran.must(scrapes.len() <= REQUESTS, || format!("{} requests, at most {REQUESTS} are needed", scrapes.len()));
    ran.must(manner != Manner::Udp || most <= IN_A_DATAGRAM, || format!("{most} info-hashes in one datagram"));
    ran.must_answer(&tracker.url, TORRENTS);
    let wrong: Vec<String> = magnets
        .iter()
        .filter_map(|magnet| {
            let hash = hex(&magnet.hash);
            let UdpCounts { seeders, completed, leechers } = counts(&magnet.hash);
            // Over UDP one is named twice, so that the answer shows its order.
            let distinct = |asked: &Asked| asked.hashes.iter().collect::<BTreeSet<_>>().len();
            let together = scrapes.iter().find(|asked| asked.hashes.contains(&magnet.hash)).map(distinct);
            let right = ran.report.lines_of("tracker").any(|line| {
                line["info_hash"] == hash.as_str()
                    && line["seeders"] == seeders
                    && line["downloaded"] == completed
                    && line["leechers"] == leechers
                    && line["asked_together"].as_u64().map(usize::try_from) == together.map(Ok)
            });
            (!right).then_some(hash)
        })
        .collect();
    ran.must(wrong.is_empty(), || {
        format!("{} torrents have wrong counts, or not how many were asked together: {:?}", wrong.len(), wrong.first())
    });
    ran.verdict(format!("{} requests, at most {most} info-hashes in one", scrapes.len()))
}
