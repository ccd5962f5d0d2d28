//! The control question: nodes that named peers of a torrent are asked for those of a random info-hash, which has none. A node that
//! names some invents them.

use crate::net::entropy;
use ids::InfoHash;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::Instant;

/// How long a random info-hash is used, and what became known with it.
const PERIOD: Duration = Duration::from_secs(10 * 60);

/// Control questions in that time, of all runs together.
const BUDGET: usize = 40;

/// What is known of the nodes that were asked.
#[derive(Debug, Default)]
pub(crate) struct Control {
    /// `None` before the first question.
    current: Option<(Instant, InfoHash)>,
    asked: usize,
    /// Those that answered: whether they named peers.
    liars: HashMap<SocketAddr, bool>,
}

/// What is known of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has answered: whether it named peers.
    Known(bool),
    /// It can be asked.
    Unknown,
}

impl Control {
    /// What is known of a node.
    pub(crate) fn verdict(&mut self, node: SocketAddr, now: Instant) -> Verdict {
        self.expire(now);
        self.liars.get(&node).map_or(Verdict::Unknown, |is_liar| Verdict::Known(*is_liar))
    }

    /// Takes one question, if any is left: the info-hash to ask for.
    pub(crate) fn question(&mut self, now: Instant) -> Option<InfoHash> {
        self.expire(now);
        if self.current.is_none() {
            self.current = Some((now, InfoHash(entropy::bytes().ok()?)));
        }
        let (_, info_hash) = self.current.filter(|_| self.asked < BUDGET)?;
        self.asked += 1;
        Some(info_hash)
    }

    /// Takes one back that was not asked.
    pub(crate) fn give_back(&mut self) {
        self.asked = self.asked.saturating_sub(1);
    }

    /// Notes an answer.
    pub(crate) fn judge(&mut self, node: SocketAddr, is_liar: bool) {
        // As many as there are questions.
        if self.liars.len() < BUDGET {
            self.liars.insert(node, is_liar);
        }
    }

    fn expire(&mut self, now: Instant) {
        if self.current.is_some_and(|(begun, _)| now - begun >= PERIOD) {
            *self = Self::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn forty_questions_in_ten_minutes_with_one_hash() {
        let (mut control, begin) = (Control::default(), Instant::now());
        let node = "192.0.2.1:6881".parse().unwrap();
        let first = control.question(begin).unwrap();
        control.judge(node, true);
        assert!((1..BUDGET).all(|_| control.question(begin) == Some(first)));
        let later = begin + PERIOD - Duration::from_millis(1);
        assert_eq!((control.question(later), control.verdict(node, later)), (None, Verdict::Known(true)));
        assert_eq!(control.verdict(node, begin + PERIOD), Verdict::Unknown);
        assert!(control.question(begin + PERIOD).is_some_and(|second| second != first));
    }
}
