//! What peers told of other peers (BEP 11): in a few words, and a line for each that was asked.

use crate::human::style::{ADDRESS_WIDTH, PLAIN};
use crate::text::{Line, plural};
use client::{PeerReport, Summary};

/// What came of peer exchange.
#[derive(Debug, Default)]
pub(crate) struct Pex {
    /// Peers that speak it.
    pub(super) speak: usize,
    /// Those that named any.
    gave: usize,
    /// A line for each, where they are listed.
    lines: Option<Vec<Line>>,
}

impl Pex {
    pub(super) fn new(lists: bool) -> Self {
        Self { lines: lists.then(Vec::new), ..Self::default() }
    }

    pub(super) fn peer(&mut self, report: &PeerReport) {
        let Some(named) = report.pex_named else { return };
        self.speak += 1;
        self.gave += usize::from(named > 0);
        if let Some(lines) = &mut self.lines {
            let said = if named > 0 { format!("named {}", plural(named, "peer")) } else { "named none".to_owned() };
            let line = Line::new().add("  ").cell(PLAIN, report.address.to_string(), ADDRESS_WIDTH);
            lines.push(line.add(format!("  {said}  {}", report.client().unwrap_or_default())));
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
        let Some(lines) = self.lines.as_ref().filter(|lines| !lines.is_empty()) else { return Vec::new() };
        let (more, ok) = (summary.only_pex, summary.only_pex_ok);
        let verb = if more == 1 { "is" } else { "are" };
        let by = format!(
            "  {} of {} named any; {} {verb} known",
            self.gave,
            plural(self.speak, "peer"),
            plural(more, "peer")
        );
        let added = Line::new().add(format!("{by} by that alone, {ok} of them answered"));
        std::iter::once(added).chain(lines.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::{Outcome, Stage};

    #[test]
    fn a_row_says_what_it_added() {
        let of = |named: &[Option<usize>], only_pex, ok| {
            let mut pex = Pex::new(true);
            for named in named {
                let mut report = PeerReport::new("9.9.9.9:1".parse().unwrap(), Outcome::Ok, Stage::Done);
                report.pex_named = *named;
                pex.peer(&report);
            }
            let mut summary = Summary::default();
            (summary.only_pex, summary.only_pex_ok) = (only_pex, ok);
            (pex.row(&summary), pex.lines(&summary).len())
        };
        assert_eq!(of(&[None], 0, 0), (None, 0));
        assert_eq!(of(&[Some(9), Some(0)], 7, 3), (Some("PEX +7 peers, 3 answered".to_owned()), 3));
        assert_eq!(of(&[Some(9), Some(0)], 0, 0), (Some("PEX: nothing new from 1 peer".to_owned()), 3));
        assert_eq!(of(&[Some(0)], 0, 0), (Some("PEX: 1 peer named none".to_owned()), 2));
    }
}
