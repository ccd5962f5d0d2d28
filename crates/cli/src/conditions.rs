//! What a user asks of a swarm: `seeds=1,ok=10%,copies=1.0,seen-as=203.0.113.7`.

use client::Summary;
use guard::Scope;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// What has to be there for a run to be a success; all of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Conditions {
    counts: Vec<Condition>,
    /// Our addresses that others may see.
    seen_as: Vec<IpAddr>,
}

/// The condition on addresses.
const SEEN_AS: &str = "seen-as";

/// A least number or share of one thing.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Condition {
    what: What,
    least: Least,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Peers that shook hands and have everything; likely seeds are not counted.
    Seeds,
    /// Peers that shook hands.
    Ok,
    /// Copies among the peers we reached, as far as they told.
    Copies,
    /// Peers that were named.
    Peers,
    /// Answers of trackers.
    Trackers,
    /// Web seeds that have everything, as far as they were looked at.
    WebSeeds,
    /// Peers that the DHT names, doubtful ones not counted.
    Dht,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Least {
    Number(f64),
    /// Of the peers that were named and not declined, of the answers that trackers were asked for, or of the web seeds that were
    /// checked.
    Percent(f64),
}

impl What {
    /// In the order in which they are told.
    pub(crate) const ALL: [Self; 7] =
        [Self::Seeds, Self::Ok, Self::Copies, Self::Peers, Self::Trackers, Self::WebSeeds, Self::Dht];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Seeds => "seeds",
            Self::Ok => "ok",
            Self::Copies => "copies",
            Self::Peers => "peers",
            Self::Trackers => "trackers",
            Self::WebSeeds => "web-seeds",
            Self::Dht => "dht",
        }
    }

    /// How much of it there is; `None` if that is unknown.
    #[expect(clippy::cast_precision_loss, reason = "there are no 2^53 peers")]
    pub(crate) fn of(self, summary: &Summary) -> Option<f64> {
        match self {
            // Counts were all that was asked for: no peer was named or dialled, which is not a count of zero.
            Self::Seeds | Self::Ok | Self::Peers if summary.scraped && summary.peers == 0 => None,
            Self::Seeds => Some(summary.swarm.verified_seeds as f64),
            Self::Ok => Some(summary.ok as f64),
            Self::Copies => summary.swarm.copies.map(|copies| copies.min),
            Self::Peers => Some(summary.peers as f64),
            Self::Trackers => Some(summary.trackers_ok as f64),
            Self::WebSeeds if summary.web_seeds.checked == 0 => None,
            Self::WebSeeds => Some(summary.web_seeds.complete as f64),
            Self::Dht if summary.dht.answered == 0 => None,
            Self::Dht => Some(summary.dht.named.saturating_sub(summary.dht.doubtful) as f64),
        }
    }

    /// What all of it would be; `None` for what has no bound.
    #[expect(clippy::cast_precision_loss, reason = "there are no 2^53 peers")]
    pub(crate) fn whole(self, summary: &Summary) -> Option<f64> {
        match self {
            Self::Seeds | Self::Ok => Some(summary.peers.saturating_sub(summary.declined) as f64),
            Self::Trackers => Some(summary.trackers as f64),
            Self::WebSeeds => Some(summary.web_seeds.checked as f64),
            Self::Copies | Self::Peers | Self::Dht => None,
        }
    }
}

impl Conditions {
    /// What is not met, each in a few words: `seeds 0, wanted 1`.
    pub(crate) fn unmet<'a>(&'a self, summary: &'a Summary) -> impl Iterator<Item = String> + 'a {
        let counts = self.counts.iter().filter(|condition| !condition.is_met(summary));
        counts.map(|condition| condition.tell(summary)).chain(self.unmet_addresses(summary))
    }

    /// Each address that is asked for must be seen by a tracker or by two peers or nodes, and no other: what a run through a VPN
    /// must not show. One peer or node alone may say anything. Addresses that are not public, as trackers and peers of one's own
    /// network see them, show nothing.
    fn unmet_addresses(&self, summary: &Summary) -> Option<String> {
        if self.seen_as.is_empty() {
            return None;
        }
        let seen = summary.seen_as.by_frequency();
        let wanted = |ip: &IpAddr| self.seen_as.contains(ip);
        let other = seen.iter().find(|(ip, by)| !wanted(ip) && by.is_credible() && Scope::of(*ip) == Scope::Global);
        let unseen = self.seen_as.iter().any(|ip| !summary.seen_as.by(*ip).is_credible());
        let found = match other {
            Some((ip, _)) => ip.to_string(),
            None if unseen => "unknown".to_owned(),
            None => return None,
        };
        let wanted: Vec<String> = self.seen_as.iter().map(ToString::to_string).collect();
        Some(format!("{SEEN_AS} {found}, wanted {}", wanted.join(" and ")))
    }

    /// Whether some of it cannot hold where counts are all that is asked for.
    pub(crate) fn needs_peers(&self) -> bool {
        self.counts
            .iter()
            .any(|condition| matches!(condition.what, What::Seeds | What::Ok | What::Copies | What::Peers))
    }

    /// The least number of `what` that is asked for; `None` when nothing is.
    pub(crate) fn least(&self, what: What, summary: &Summary) -> Option<f64> {
        self.counts
            .iter()
            .filter(|condition| condition.what == what)
            .filter_map(|condition| condition.number(summary))
            .reduce(f64::max)
    }
}

impl Condition {
    /// The threshold as a number; `None` for a percentage of what has no bound.
    fn number(&self, summary: &Summary) -> Option<f64> {
        match self.least {
            Least::Number(number) => Some(number),
            Least::Percent(percent) => self.what.whole(summary).map(|whole| whole * percent / 100.0),
        }
    }

    /// Unknown values, and percentages of zero, count as not met.
    fn is_met(&self, summary: &Summary) -> bool {
        let nothing = matches!(self.least, Least::Percent(_)) && self.what.whole(summary) == Some(0.0);
        let found = self.what.of(summary).zip(self.number(summary));
        !nothing && found.is_some_and(|(found, least)| found >= least)
    }

    fn tell(&self, summary: &Summary) -> String {
        let name = self.what.name();
        let wanted = match self.least {
            Least::Number(number) => number.to_string(),
            Least::Percent(percent) => format!("{percent} %"),
        };
        match (self.what.of(summary), self.least, self.what.whole(summary)) {
            (None, ..) => format!("{name} unknown, wanted {wanted}"),
            (Some(found), Least::Percent(_), Some(whole)) => format!("{name} {found} of {whole}, wanted {wanted}"),
            (Some(found), ..) => format!("{name} {}, wanted {wanted}", Rounded(found)),
        }
    }
}

/// Two digits, where there are any.
pub(crate) struct Rounded(pub(crate) f64);

impl fmt::Display for Rounded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Down: what is nearly enough is not shown as enough. But binary takes 2.3 for a little less.
        write!(f, "{}", (self.0 * 100.0 + 1e-6).floor() / 100.0)
    }
}

/// Why a text is no condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotACondition(String);

impl fmt::Display for NotACondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotACondition {}

impl FromStr for Conditions {
    type Err = NotACondition;

    fn from_str(text: &str) -> Result<Self, NotACondition> {
        let mut conditions = Self::default();
        for condition in text.split(',') {
            match condition.split_once('=').filter(|(name, _)| name.trim() == SEEN_AS) {
                Some((_, ip)) => {
                    let ip: IpAddr = ip.trim().parse().map_err(|_| NotACondition(format!("expected {SEEN_AS}=IP")))?;
                    conditions.seen_as.push(ip.to_canonical());
                }
                None => conditions.counts.push(condition.parse()?),
            }
        }
        Ok(conditions)
    }
}

impl FromStr for Condition {
    type Err = NotACondition;

    fn from_str(text: &str) -> Result<Self, NotACondition> {
        let names = || format!("{}, {SEEN_AS}", What::ALL.map(What::name).join(", "));
        let form = || NotACondition("expected conditions such as seeds=1,ok=10%,copies=1.0".to_owned());
        let (name, least) = text.trim().split_once('=').ok_or_else(form)?;
        let what = What::ALL
            .into_iter()
            .find(|what| what.name() == name.trim())
            .ok_or_else(|| NotACondition(format!("expected one of {} before the =", names())))?;
        let percent = least.trim().strip_suffix('%');
        let number: f64 = percent.unwrap_or(least).trim().parse().map_err(|_| form())?;
        if !(number.is_finite() && number >= 0.0) {
            return Err(form());
        }
        match percent {
            None => Ok(Self { what, least: Least::Number(number) }),
            Some(_) if number > 100.0 => Err(NotACondition("expected at most 100 %".to_owned())),
            Some(_) if matches!(what, What::Copies | What::Peers | What::Dht) => {
                Err(NotACondition(format!("{} has no percentage", what.name())))
            }
            Some(_) => Ok(Self { what, least: Least::Percent(number) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::Copies;

    fn summary(peers: usize, ok: usize, seeds: usize, copies: Option<f64>) -> Summary {
        let copies = copies.map(|min| Copies { min, max: min + 1.0 });
        let mut summary = Summary::default();
        (summary.peers, summary.ok) = (peers, ok);
        (summary.swarm.copies, summary.swarm.verified_seeds) = (copies, seeds);
        summary
    }

    #[test]
    fn conditions_as_people_write_them() {
        let conditions: Conditions = "seeds=1, ok=10%,copies=1.0".parse().unwrap();
        let unmet = |summary: Summary| conditions.unmet(&summary).collect::<Vec<_>>();
        assert!(unmet(summary(10, 1, 1, Some(1.0))).is_empty());
        assert_eq!(
            unmet(summary(11, 1, 0, Some(0.999))),
            ["seeds 0, wanted 1", "ok 1 of 11, wanted 10 %", "copies 0.99, wanted 1"]
        );
        assert_eq!(unmet(summary(0, 0, 1, None)), ["ok 0 of 0, wanted 10 %", "copies unknown, wanted 1"]);
        assert_eq!(conditions.least(What::Ok, &summary(50, 0, 0, None)), Some(5.0));
        assert_eq!(conditions.least(What::Peers, &summary(50, 0, 0, None)), None);
    }

    #[test]
    fn web_seeds_count_where_they_are_complete() {
        let unmet = |text: &str, checked, complete| {
            let mut summary = Summary::default();
            (summary.web_seeds.checked, summary.web_seeds.complete) = (checked, complete);
            text.parse::<Conditions>().unwrap().unmet(&summary).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(unmet("web-seeds=1,web-seeds=50%", 2, 1), "");
        assert_eq!(unmet("web-seeds=1", 2, 0), "web-seeds 0, wanted 1");
        assert_eq!(unmet("web-seeds=100%", 2, 1), "web-seeds 1 of 2, wanted 100 %");
        assert_eq!(unmet("web-seeds=1", 0, 0), "web-seeds unknown, wanted 1");
    }

    #[test]
    fn peers_of_the_dht_count_where_a_node_answered() {
        let unmet = |answered, named, doubtful| {
            let mut summary = Summary::default();
            (summary.dht.answered, summary.dht.named, summary.dht.doubtful) = (answered, named, doubtful);
            "dht=5".parse::<Conditions>().unwrap().unmet(&summary).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(unmet(9, 6, 1), "");
        assert_eq!(unmet(9, 6, 2), "dht 4, wanted 5");
        assert_eq!(unmet(0, 0, 0), "dht unknown, wanted 5");
    }

    #[test]
    fn addresses_that_others_see() {
        let seen = |ips: &[(&str, usize)]| {
            let mut summary = Summary::default();
            for (ip, peers) in ips {
                (0..*peers).for_each(|_| summary.seen_as.add_peer(ip.parse().unwrap()));
            }
            summary
        };
        let unmet = |text: &str, ips: &[(&str, usize)]| {
            text.parse::<Conditions>().unwrap().unmet(&seen(ips)).collect::<Vec<_>>().join("; ")
        };
        let vpn = "seen-as=9.9.9.9";
        assert_eq!(unmet(vpn, &[("9.9.9.9", 2), ("192.168.1.2", 5)]), "");
        // One peer alone may say anything; two are believed.
        assert_eq!(unmet(vpn, &[("9.9.9.9", 1)]), "seen-as unknown, wanted 9.9.9.9");
        assert_eq!(unmet(vpn, &[("9.9.9.9", 1), ("8.8.8.8", 1)]), "seen-as unknown, wanted 9.9.9.9");
        assert_eq!(
            unmet("seen-as=9.9.9.9,seen-as=1.1.1.1", &[("9.9.9.9", 2), ("1.1.1.1", 1)]),
            "seen-as unknown, wanted 9.9.9.9 and 1.1.1.1"
        );
        assert_eq!(unmet(vpn, &[("9.9.9.9", 3), ("8.8.8.8", 1)]), "");
        assert_eq!(unmet(vpn, &[("9.9.9.9", 3), ("8.8.8.8", 2)]), "seen-as 8.8.8.8, wanted 9.9.9.9");
        // The other family is a leak as well.
        assert_eq!(unmet(vpn, &[("9.9.9.9", 3), ("2606:4700::1", 2)]), "seen-as 2606:4700::1, wanted 9.9.9.9");
        assert_eq!(unmet("seen-as=9.9.9.9,seen-as=2606:4700::1", &[("9.9.9.9", 3), ("2606:4700::1", 2)]), "");
        assert_eq!(unmet(vpn, &[]), "seen-as unknown, wanted 9.9.9.9");
    }

    #[test]
    fn peers_that_were_not_dialled_by_choice_are_no_losses() {
        let conditions: Conditions = "ok=100%".parse().unwrap();
        let declined = |declined| {
            let mut summary = summary(10, 8, 0, None);
            summary.declined = declined;
            summary
        };
        assert!(conditions.unmet(&declined(2)).next().is_none());
        assert_eq!(conditions.unmet(&declined(1)).collect::<Vec<_>>(), ["ok 8 of 9, wanted 100 %"]);
    }

    #[test]
    fn what_is_no_condition() {
        for (text, reason) in [
            ("", "expected conditions such as seeds=1,ok=10%,copies=1.0"),
            ("seeds", "expected conditions such as seeds=1,ok=10%,copies=1.0"),
            ("seeds=-1", "expected conditions such as seeds=1,ok=10%,copies=1.0"),
            ("ok=NaN", "expected conditions such as seeds=1,ok=10%,copies=1.0"),
            ("ok=101%", "expected at most 100 %"),
            ("seen-as=here", "expected seen-as=IP"),
            ("copies=50%", "copies has no percentage"),
            ("dht=50%", "dht has no percentage"),
            ("seed=1", "expected one of seeds, ok, copies, peers, trackers, web-seeds, dht, seen-as before the ="),
        ] {
            assert_eq!(text.parse::<Conditions>(), Err(NotACondition(reason.to_owned())), "{text}");
        }
    }
}
