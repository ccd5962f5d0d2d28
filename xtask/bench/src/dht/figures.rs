//! What a side took for its lookups, by what the nodes saw.

use crate::journal::{Entry, What};
use crate::targets::Targets;
use crate::turn::End;
use dht::NodeId;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

/// The figures of a lookup, or their medians. Times are in seconds from the side's first datagram of it: when the first peers were sent
/// to it, when 90 % of all stored peers were, when 99 % were, when the last answer with peers was, and when the side said
/// that it was at its end. `OTHERS` are pings, find_node and get_peers of other hashes; `SHARE` is that of the stored peers.
pub(crate) type Figures = [f64; COLUMNS.len()];

const COLUMNS: [&str; 9] =
    ["first, s", "90 %, s", "99 %, s", "last, s", "end, s", "get_peers", "filters", "other queries", "found"];
const FIRST: usize = 0;
const MOST: usize = 1;
const ALMOST_ALL: usize = 2;
const LAST: usize = 3;
const END: usize = 4;
const ASKED: usize = 5;
const FILTERS: usize = 6;
const OTHERS: usize = 7;
const SHARE: usize = 8;

/// The figures of a lookup from the entries of one side. The first query of a side that keeps its table (`is_warm`) is the first one
/// about the target; others may be upkeep. `None` if it sent nothing.
pub(crate) fn of_lookup(
    entries: &[Entry],
    target: NodeId,
    stored: &BTreeSet<SocketAddr>,
    is_warm: bool,
    end: Option<End>,
) -> Option<Figures> {
    let of_target = |entry: &&Entry| entry.target == Some(target);
    let start = if is_warm { entries.iter().find(of_target) } else { entries.first() }?.at;
    let end = match end {
        Some(End::At(end)) => end.saturating_duration_since(start).as_secs_f64(),
        Some(End::After(time)) => time.as_secs_f64(),
        None => f64::INFINITY,
    };
    let mut figures = [0.0; COLUMNS.len()];
    (figures[END], figures[LAST]) = (end, f64::INFINITY);
    let mut named: BTreeMap<SocketAddr, f64> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.at >= start) {
        let at = entry.at.saturating_duration_since(start).as_secs_f64();
        match &entry.what {
            What::Asked { method, scrape } => {
                let is_lookup = method == "get_peers" && of_target(&entry);
                figures[if !is_lookup {
                    OTHERS
                } else if *scrape {
                    FILTERS
                } else {
                    ASKED
                }] += 1.0;
            }
            // What is sent to it after its end is of no use to it.
            What::Answered(peers) if of_target(&entry) && !peers.is_empty() && at <= end => {
                figures[LAST] = at;
                peers.iter().filter(|peer| stored.contains(peer)).for_each(|peer| {
                    named.entry(*peer).or_insert(at);
                });
            }
            What::Answered(_) => {}
        }
    }
    let mut times: Vec<f64> = named.into_values().collect();
    times.sort_by(f64::total_cmp);
    let at = |count: usize| count.checked_sub(1).and_then(|place| times.get(place)).copied().unwrap_or(f64::INFINITY);
    let percent = |share: usize| at((stored.len() * share).div_ceil(100));
    (figures[FIRST], figures[MOST], figures[ALMOST_ALL]) = (at(1), percent(90), percent(99));
    figures[SHARE] = times.len() as f64 / stored.len() as f64;
    Some(figures)
}

/// The medians of lookups; of the shares, the mean.
pub(crate) fn medians(lookups: &[Figures]) -> Figures {
    std::array::from_fn(|column| {
        let mut all: Vec<f64> = lookups.iter().map(|figures| figures[column]).collect();
        all.sort_by(f64::total_cmp);
        if column == SHARE { all.iter().sum::<f64>() / all.len() as f64 } else { all[all.len() / 2] }
    })
}

/// The table of a variant.
pub(crate) fn print(name: &str, sides: &[(&str, Figures)]) {
    println!("\n| {name} | {} |\n|---{}|", COLUMNS.join(" | "), "|---:".repeat(COLUMNS.len()));
    for (side, figures) in sides {
        let shown = figures.iter().enumerate().map(|(column, figure)| match column {
            _ if figure.is_infinite() => "-".to_owned(),
            SHARE => format!("{figure:.3}"),
            ASKED..=OTHERS => format!("{figure}"),
            _ => format!("{figure:.2}"),
        });
        println!("| {side} | {} |", shown.collect::<Vec<_>>().join(" | "));
    }
}

/// The sides that are ours.
pub(crate) const OURS: [&str; 2] = ["ours", "client"];

/// Judges ours by the best of the others, and by limits of their own. With more than half of the nodes dead they may ask half as many
/// more.
pub(crate) fn judge(name: &str, sides: &[(&str, Figures)], is_mostly_dead: bool, targets: &mut Targets) {
    let (ours, others): (Vec<_>, Vec<_>) = sides.iter().partition(|(side, _)| OURS.contains(side));
    let least = |column: usize| others.iter().map(|(_, figures)| figures[column]).fold(f64::INFINITY, f64::min);
    for (side, figures) in ours {
        let mut at_most =
            |what: &str, found, most, unit| targets.at_most(&format!("{name}, {side}: {what}"), found, most, unit);
        if !others.is_empty() {
            for (what, column, most) in
                [("first peers", FIRST, 1.25), ("90 % of the peers", MOST, 0.7), ("last peers", LAST, 0.5)]
            {
                at_most(&format!("{what}, of the best's time"), figures[column] / least(column), most, " ×");
            }
            let best = others.iter().map(|(_, figures)| figures[SHARE]).fold(0.0, f64::max);
            at_most("stored peers missed, of those that the best found", 1.0 - figures[SHARE] / best, 0.0, "");
        }
        at_most("end known", figures[END], 2.5, " s");
        at_most("get_peers", figures[ASKED], if is_mostly_dead { 127.0 } else { 85.0 }, "");
        at_most("queries for filters", figures[FILTERS], 8.0, "");
    }
}
