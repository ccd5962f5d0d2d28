//! Torrents that real clients seed, and torrents without an answering peer, over HTTP and UDP.

use std::time::Instant;

use serde_json::json;
use xtask::shell::Result;

use super::counts;
use super::prober::Source;
use super::row::Row;
use super::section::Lab;
use super::torrents::Torrent;
use super::verdict::{self, Expected};
use crate::report::Report;

/// All runs: the seeded torrents as often as asked for, then those without an answering peer.
pub(super) fn run(lab: &Lab) -> Result {
    let expected: Vec<&Expected> = lab.swarm.seeds.iter().map(|(_, expected)| expected).collect();
    let (mut right, mut wrong) = (0_u32, Vec::new());
    for number in 1..=lab.runs {
        for (torrent, scheme) in
            lab.swarm.torrents.seeded.iter().flat_map(|torrent| [(torrent, "http"), (torrent, "udp")])
        {
            let begin = Instant::now();
            let judged = seeded(lab, torrent, scheme, &expected);
            let (took, verdict) = (begin.elapsed().as_millis(), if judged.is_ok() { "right" } else { "wrong" });
            let Torrent { name, .. } = torrent;
            println!(
                "run {number} of {}, {name} over {scheme}: {} seeds, {took} ms, {verdict}",
                lab.runs,
                expected.len()
            );
            match judged {
                Ok(()) => right += 1,
                Err(reason) => wrong.push(format!("run {number} of {name} over {scheme}:\n{reason}")),
            }
        }
    }
    println!("{right} runs right, {} wrong", wrong.len());
    wrong.extend(lab.prober.judge("no peer answers", &unanswered(lab)).err());
    wrong.extend(lab.prober.judge("scrape", &scraped(lab)).err());
    wrong.extend(counts::wait_until_gone(lab.swarm.opentracker.address, &lab.swarm.torrents.deserted.info_hash).err());
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n\n")) }
}

/// One run on a torrent that every seed has.
fn seeded(lab: &Lab, torrent: &Torrent, scheme: &str, expected: &[&Expected]) -> Result {
    let tracker = &lab.swarm.opentracker;
    let report =
        Report::of(lab.prober.command(Source::Fresh, torrent).arg("--json").arg("--tracker").arg(tracker.url(scheme)))?;
    let mut faults = report.faults(0, &torrent.info_hash);
    faults.extend(verdict::seeded(&report, expected));
    faults.extend(counts::wait_until_gone(tracker.address, &torrent.info_hash).err());
    if faults.is_empty() { Ok(()) } else { Err(report.told(&faults)) }
}

/// The torrents without an answering peer, as the torrents have it and over UDP.
fn unanswered(lab: &Lab) -> Vec<Row> {
    let (torrents, udp) = (&lab.swarm.torrents, lab.swarm.opentracker.url("udp"));
    let no_peers: [(&str, &str); 0] = [];
    vec![
        Row::new("no peer has it", &torrents.deserted, 1).says(json!({"status": "ok"})),
        Row::new("no peer has it, UDP", &torrents.deserted, 1).tracker(&udp).says(json!({"status": "ok"})),
        Row::new("not on the list", &torrents.unlisted, 3).says(json!({"status": "failure"})).finds(no_peers),
        // opentracker's answer to a hash it does not know is 8 bytes long.
        Row::new("not on the list, UDP", &torrents.unlisted, 3)
            .tracker(&udp)
            .says(json!({"status": "failure"}))
            .finds(no_peers),
    ]
}

/// What opentracker counts; no peer is dialled.
fn scraped(lab: &Lab) -> Vec<Row> {
    let no_peers: [(&str, &str); 0] = [];
    let says = json!({"status": "ok", "seeders": lab.swarm.seeds.len(), "leechers": 0, "peers": null});
    let rows = lab.swarm.torrents.seeded.iter().flat_map(|torrent| {
        ["http", "udp"].map(|scheme| {
            let row = Row::new(format!("{} over {scheme}", torrent.name), torrent, 0).args(["--scrape"]);
            row.tracker(lab.swarm.opentracker.url(scheme)).says(says.clone()).finds(no_peers)
        })
    });
    rows.collect()
}
