//! `dht --ping`: whether one node of the DHT can be reached. No other is asked.

use crate::advice::{advice, cannot_write};
use crate::exit::{Exit, eprint_error};
use crate::human::dht_ping::pinged;
use crate::input::{Input, InputError};
use crate::json;
use crate::origin::Origin;
use crate::text::Page;
use client::{Config, DhtReport, DhtStatus};
use std::io::{self, ErrorKind, Write};
use tokio::time::timeout;
use tracker::PeerAddress;

/// Asks the node, for the peers of the torrent if there is one, and says what it answered.
pub(crate) async fn ping(node: &PeerAddress, origin: Option<&Origin>, config: &Config, is_json: bool) -> Exit {
    let input = match prepare(origin, config).await {
        Ok(input) => input,
        Err(error) => {
            eprint_error(&format!("{}: {}", origin.map_or_else(|| node.to_string(), Origin::shown), advice(&error)));
            return Exit::LocalError;
        }
    };
    let info_hash = input.as_ref().map(Input::info_hash);
    let reports = timeout(config.deadline, client::ping_node(node, info_hash, config)).await;
    let reports = reports.unwrap_or_else(|_| vec![DhtReport::new(None, DhtStatus::Interrupted)]);
    let is_reached = reports.iter().any(|report| report.nodes.answered > 0);
    match write(node, input.as_ref(), &reports, is_json) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprint_error(&cannot_write(&error));
            Exit::LocalError
        }
        _ if is_reached => Exit::Answered,
        _ => Exit::NoPeerAnswered,
    }
}

/// The torrent that the node is asked about.
async fn prepare(origin: Option<&Origin>, config: &Config) -> Result<Option<Input>, InputError> {
    // Whether the source addresses are this machine's.
    client::Shared::new(config)?;
    let Some(origin) = origin else { return Ok(None) };
    let input = origin.read(config).await?;
    input.check_for_dht(config)?;
    if input.torrent_ref.may_be_private() {
        return Err(InputError::MayBePrivateInDht);
    }
    Ok(Some(input))
}

fn write(node: &PeerAddress, input: Option<&Input>, reports: &[DhtReport], is_json: bool) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    if is_json {
        for report in reports {
            writeln!(stdout, "{}", json::pinged(input, report)?)?;
        }
    } else {
        let page = Page::of_stdout();
        let lines = pinged(node, input.is_some(), reports, page);
        lines.iter().try_for_each(|line| writeln!(stdout, "{}", line.on(Page { cuts: false, ..page })))?;
    }
    stdout.flush()
}
