//! What a side took for its lookups, by what the nodes saw.

use crate::journal::{Entry, What};
use crate::side::End;
use crate::targets::Targets;
use dht::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Instant;

/// One lookup; times in seconds from the side's first datagram of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    /// When the first peers were sent to it.
    first: f64,
    /// When 90 % of all stored peers were.
    most: f64,
    /// When the last one that was new was.
    last: f64,
    /// When the last answer with peers was, new or not.
    answer: f64,
    /// When the side said that it was at its end.
    end: f64,
    asked: usize,
    scrapes: usize,
    /// Other queries: pings, find_node, get_peers of other hashes.
    others: usize,
    /// The share of the stored peers.
    share: f64,
}

impl Course {
    /// The course of a lookup from the entries of one side. The first query of a side that keeps its table (`is_warm`) is the first one
    /// about the target; others may be upkeep. `None` if it sent nothing.
    pub(crate) fn of(
        entries: &[Entry],
        target: NodeId,
        stored: &BTreeSet<SocketAddr>,
        is_warm: bool,
        end: Option<End>,
    ) -> Option<Self> {
        let of_target = |entry: &&Entry| entry.target == Some(target);
        let start = if is_warm { entries.iter().find(of_target) } else { entries.first() }?.at;
        let seconds = |at: Instant| at.saturating_duration_since(start).as_secs_f64();
        let (mut asked, mut scrapes, mut others) = (0, 0, 0);
        let (mut named, mut answer) = (BTreeMap::new(), f64::INFINITY);
        let end = end.map(|end| match end {
            End::At(end) => end,
            End::After(time) => start + time,
        });
        for entry in entries.iter().filter(|entry| entry.at >= start) {
            match &entry.what {
                What::Asked { method, scrape, .. } if method == "get_peers" && of_target(&entry) => {
                    (asked, scrapes) = (asked + usize::from(!scrape), scrapes + usize::from(*scrape));
                }
                What::Asked { .. } => others += 1,
                // What is sent to it after its end is of no use to it.
                What::Answered(peers)
                    if of_target(&entry) && !peers.is_empty() && end.is_none_or(|end| entry.at <= end) =>
                {
                    answer = seconds(entry.at);
                    peers.iter().for_each(|peer| {
                        named.entry(*peer).or_insert(answer);
                    });
                }
                What::Answered(_) => {}
            }
        }
        let mut times: Vec<f64> =
            named.iter().filter(|(peer, _)| stored.contains(peer)).map(|(_, time)| *time).collect();
        times.sort_by(f64::total_cmp);
        let at = |place: Option<usize>| place.and_then(|place| times.get(place)).copied().unwrap_or(f64::INFINITY);
        Some(Self {
            first: at(Some(0)),
            most: at((stored.len() * 9).div_ceil(10).checked_sub(1)),
            last: at(times.len().checked_sub(1)),
            answer,
            end: end.map_or(f64::INFINITY, seconds),
            asked,
            scrapes,
            others,
            share: times.len() as f64 / stored.len() as f64,
        })
    }
}

/// Medians over the lookups of a side, and its mean share of the stored peers.
pub(crate) struct Figures {
    pub(crate) side: &'static str,
    first: f64,
    most: f64,
    last: f64,
    answer: f64,
    end: f64,
    asked: f64,
    scrapes: f64,
    others: f64,
    share: f64,
}

impl Figures {
    pub(crate) fn new(side: &'static str, courses: &[Course]) -> Self {
        let of = |number: fn(&Course) -> f64| {
            let mut all: Vec<f64> = courses.iter().map(number).collect();
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied().unwrap_or(f64::INFINITY)
        };
        Self {
            side,
            first: of(|course| course.first),
            most: of(|course| course.most),
            last: of(|course| course.last),
            answer: of(|course| course.answer),
            end: of(|course| course.end),
            asked: of(|course| course.asked as f64),
            scrapes: of(|course| course.scrapes as f64),
            others: of(|course| course.others as f64),
            share: courses.iter().map(|course| course.share).sum::<f64>() / courses.len() as f64,
        }
    }

    fn row(&self) -> String {
        let Self { side, first, most, last, answer, end, asked, scrapes, others, share } = self;
        let time = |time: &f64| if time.is_finite() { format!("{time:.2}") } else { "-".to_owned() };
        let times = [first, most, last, answer, end].map(time).join(" | ");
        format!("| {side} | {times} | {asked} | {scrapes} | {others} | {share:.3} |")
    }
}

/// The table of a variant; the first side is ours.
pub(crate) fn print(name: &str, all: &[Figures]) {
    println!(
        "\n| {name} | first, s | 90 %, s | last new, s | last, s | end, s | get_peers | filters | other queries | found |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    all.iter().for_each(|figures| println!("{}", figures.row()));
}

/// The sides that are ours.
pub(crate) const OURS: [&str; 2] = ["ours", "client"];

/// Judges ours by the best of the others, and by limits of their own. With more than half of the nodes dead they may ask half as many
/// more.
pub(crate) fn judge(name: &str, all: &[Figures], is_mostly_dead: bool, targets: &mut Targets) {
    let (ours, others): (Vec<_>, Vec<_>) = all.iter().partition(|one| OURS.contains(&one.side));
    let best = |number: fn(&Figures) -> f64| others.iter().map(|one| number(one)).fold(f64::INFINITY, f64::min);
    for one in ours {
        let mut at_most = |what: &str, found, most, unit| {
            targets.at_most(&format!("{name}, {}: {what}", one.side), found, most, unit)
        };
        if !others.is_empty() {
            at_most("first peers, of the best's time", one.first / best(|one| one.first), 1.25, " ×");
            at_most("90 % of the peers, of the best's time", one.most / best(|one| one.most), 0.7, " ×");
            at_most("last peers, of the best's time", one.answer / best(|one| one.answer), 0.5, " ×");
            at_most("share of the peers that the best found beyond", -best(|one| -one.share) - one.share, 0.0, "");
        }
        at_most("end known", one.end, 2.5, " s");
        at_most("get_peers", one.asked, if is_mostly_dead { 127.0 } else { 85.0 }, "");
        at_most("queries for filters", one.scrapes, 8.0, "");
    }
}
