//! Real clients of every kind: with each policy of encryption, v1, v2 and hybrid, complete and not, hiding, paused, over
//! IPv6. Each must be reported as what it is, whatever our own policy.

mod acquaintance;
mod clients;
mod policies;
mod rows;
mod swarms;
mod torrents;

use super::programs::libtorrent;
use super::{Lab, parts};
use crate::shell::Result;
use swarms::Swarms;

/// Starts the clients once, and runs all rows as often as asked for.
pub(super) fn run(lab: &Lab) -> Result {
    if !libtorrent::is_installed() {
        return parts::skip("matrix", "libtorrent, which makes its torrents, is not installed");
    }
    let mut swarms = Swarms::start(&lab.swarm.scratch)?;
    let mut faults = Vec::new();
    for number in 1..=lab.runs {
        // One after the other: aria2 takes three connections a second, and is to have answered within five.
        let rows = rows::policies(&swarms)?;
        faults.extend(lab.prober.judge(&format!("run {number} of {}, each policy", lab.runs), &rows).err());
        let (rows, _acquaintances) = rows::swarms(&swarms, &lab.prober)?;
        faults.extend(lab.prober.judge(&format!("run {number} of {}, each swarm", lab.runs), &rows).err());
    }
    // A wrong verdict about a client that has died is the client's fault: say so first.
    swarms.all_alive()?;
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n\n")) }
}
