//! Torrents of version 2 that are fetched by their links: what is written is what libtorrent made, with the piece layers, which are in
//! no metadata and came by hash requests.

use std::process::Command;

use xtask::binary;
use xtask::optional::PYTHON;
use xtask::scratch::write;
use xtask::shell::{self, Result};

use super::clients::Met;
use super::swarms::Swarms;
use super::torrents::Kind;
use crate::integration::parallel;
use crate::integration::prober::Prober;

/// Compares torrents.
const SCRIPT: &str = include_str!("../same_torrent.py");

/// At the same time.
const AT_ONCE: usize = 8;

/// Each client that knows version 2, by a link with all hashes and by each hash of 20 bytes; with the number of what was saved.
pub(super) fn all(swarms: &Swarms, prober: &Prober) -> Result<usize> {
    let mut wanted = Vec::new();
    for kind in [Kind::V2, Kind::Hybrid] {
        let torrent = swarms.torrents.of(kind)?;
        let script = torrent.file.with_file_name("same_torrent.py");
        write(&script, SCRIPT)?;
        let mut compare = Command::new(PYTHON);
        compare.arg(&script).arg(&torrent.file);
        let link = shell::output(&mut compare)?;
        for player in swarms.players(kind, Met::Listed).filter(|player| player.client.knows_v2()) {
            for link in std::iter::once(link.trim()).chain(torrent.hashes()) {
                let file = torrent.file.with_file_name(format!("saved-{}.torrent", wanted.len()));
                wanted.push((player, torrent, link.to_owned(), script.clone(), file));
            }
        }
    }
    let faults = parallel::faults(AT_ONCE, &wanted, |(player, torrent, link, script, file)| {
        let mut fetch = binary::command(prober.binary());
        fetch.args(["metadata", link, "--sources", "none", "--peer", &player.address.to_string(), "-o"]).arg(file);
        shell::run_quiet(fetch.arg("--bind").arg(prober.fresh_source().to_string()))?;
        shell::run_quiet(Command::new(PYTHON).arg(script).arg(&torrent.file).arg(file))
            .map_err(|reason| format!("{} from {}: {reason}", torrent.name, player.client.seed.name))?;
        std::fs::remove_file(file).map_err(|error| format!("{}: {error}", file.display()))
    });
    if faults.is_empty() { Ok(wanted.len()) } else { Err(faults.join("\n\n")) }
}
