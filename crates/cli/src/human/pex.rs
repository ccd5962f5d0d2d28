//! What peers told of other peers (BEP 11): in a few words, and a line for each that was asked.

use crate::human::style::{ADDRESS_WIDTH, PLAIN};
use crate::text::{Line, plural};
use client::{PeerReport, PexReport, Summary};
use std::collections::HashMap;
use std::net::SocketAddr;
use tracker::PeerAddress;

/// What came of peer exchange.
#[derive(Debug, Default)]
pub(crate) struct Pex {
    /// Peers that speak it.
    pub(super) speak: usize,
    /// Those that named any.
    gave: usize,
    /// Where they are listed: each of them, and the software of peers.
    listed: Option<(Vec<PexReport>, HashMap<SocketAddr, String>)>,
}

impl Pex {
    pub(super) fn new(lists: bool) -> Self {
        Self { listed: lists.then(Default::default), ..Self::default() }
    }

    pub(super) fn add(&mut self, report: &PexReport) {
        self.speak += 1;
        self.gave += usize::from(report.named > 0);
        if let Some((reports, _)) = &mut self.listed {
            reports.push(*report);
        }
    }

    pub(super) fn peer(&mut self, report: &PeerReport) {
        if let (Some((_, clients)), PeerAddress::Socket(address)) = (&mut self.listed, &report.address) {
            clients.extend(report.client().map(|client| (*address, client)));
        }
    }

    /// `PEX +7 peers, 3 of them answered`; `None` where no peer speaks it.
    pub(super) fn row(&self, summary: &Summary) -> Option<String> {
        let (more, ok) = (summary.only_pex, summary.only_pex_ok);
        match (self.speak, self.gave) {
            (0, _) => None,
            _ if more > 0 => Some(format!("PEX +{}, {ok} answered", plural(more, "peer"))),
            (speak, 0) => Some(format!("PEX: {} named none", plural(speak, "peer"))),
            (_, gave) => Some(format!("PEX: nothing new from {}", plural(gave, "peer"))),
        }
    }

    /// What it added, and each peer that speaks it.
    pub(super) fn lines(&self, summary: &Summary) -> Vec<Line> {
        let Some((reports, clients)) = self.listed.as_ref().filter(|(reports, _)| !reports.is_empty()) else {
            return Vec::new();
        };
        let (more, ok) = (summary.only_pex, summary.only_pex_ok);
        let verb = if more == 1 { "is" } else { "are" };
        let by = format!(
            "  {} of {} named any; {} {verb} known",
            self.gave,
            plural(self.speak, "peer"),
            plural(more, "peer")
        );
        let added = Line::new().add(format!("{by} by that alone, {ok} of them answered"));
        let line = |&PexReport { address, named, .. }: &PexReport| {
            let said = if named > 0 { format!("named {}", plural(named, "peer")) } else { "named none".to_owned() };
            let client = clients.get(&address).map(String::as_str).unwrap_or_default();
            let line = Line::new().add("  ").cell(PLAIN, address.to_string(), ADDRESS_WIDTH);
            line.add(format!("  {said}  {client}"))
        };
        std::iter::once(added).chain(reports.iter().map(line)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_it_added() {
        let of = |named: &[usize], only_pex, ok| {
            let mut pex = Pex::new(true);
            let address = "9.9.9.9:1".parse().unwrap();
            named.iter().for_each(|&named| pex.add(&PexReport::new(address, named, 0)));
            let mut summary = Summary::default();
            (summary.only_pex, summary.only_pex_ok) = (only_pex, ok);
            (pex.row(&summary), pex.lines(&summary).len())
        };
        assert_eq!(of(&[], 0, 0), (None, 0));
        assert_eq!(of(&[9, 0], 7, 3), (Some("PEX +7 peers, 3 answered".to_owned()), 3));
        assert_eq!(of(&[9, 0], 0, 0), (Some("PEX: nothing new from 1 peer".to_owned()), 3));
        assert_eq!(of(&[0], 0, 0), (Some("PEX: 1 peer named none".to_owned()), 2));
    }
}
