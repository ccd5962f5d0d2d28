//! Real clients of every kind: with each policy of encryption, v1, v2 and hybrid, complete and not, hiding, paused, over
//! IPv6. Each must be reported as what it is, whatever our own policy.

mod acquaintance;
mod clients;
mod policies;
mod rows;
mod saved;
mod swarms;
mod torrents;
pub(super) mod utp;

use xtask::optional;
use xtask::shell::Result;

use super::section::{Lab, Part};
use swarms::Swarms;
use torrents::Kind;

/// The clients, of which those that are here take part.
pub(super) const CLIENTS: Part = (
    "clients of the matrix",
    &[
        &optional::TRANSMISSION,
        &optional::ARIA2,
        &optional::RTORRENT,
        &optional::QBITTORRENT,
        &optional::CTORRENT,
        &optional::LIBTORRENT,
    ],
);

/// Starts the clients once, and runs all rows as often as asked for.
pub(super) fn run(lab: &Lab) -> Result {
    let mut swarms = Swarms::start(lab)?;
    let mut faults = Vec::new();
    for number in 1..=lab.runs {
        // The slowest first: Transmission takes up to 3 s for a piece of metadata.
        let kinds = [Kind::Long, Kind::V1, Kind::Longest, Kind::Hybrid, Kind::V2, Kind::Partial];
        let by_link = kinds.into_iter().map(|kind| rows::by_link(&swarms, kind));
        let others = [rows::private_by_link(&swarms), rows::without_metadata(&swarms)];
        let rows = by_link.chain(others).collect::<Result<Vec<_>>>()?.concat();
        faults.extend(lab.prober.judge(&format!("run {number} of {}, by links", lab.runs), &rows).err());
        match saved::all(&swarms, &lab.prober) {
            Ok(number) => println!("{number} torrents of version 2 saved with their piece layers"),
            Err(reason) => faults.push(reason),
        }
        // After those by links, which wait longer: aria2 takes three connections a second, and the clients that have just started
        // dial each other. In turn, because each row takes some of them.
        let rows = rows::policies(&swarms)?;
        faults.extend(lab.prober.judge_in_turn(&format!("run {number} of {}, each policy", lab.runs), &rows).err());
        let (rows, _acquaintances) = rows::swarms(&swarms, &lab.prober)?;
        faults.extend(lab.prober.judge(&format!("run {number} of {}, each swarm", lab.runs), &rows).err());
    }
    // A wrong verdict about a client that has died is the client's fault: say so first.
    swarms.all_alive()?;
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}
