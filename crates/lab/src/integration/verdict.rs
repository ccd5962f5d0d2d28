//! What the binary must have said about a swarm we know.

use serde_json::Value;

use crate::report::Report;

/// A seed that must be found.
pub(super) struct Expected {
    /// Its address and port.
    pub(super) addr: String,
    /// How its client's name begins.
    pub(super) client: &'static str,
}

/// What is wrong with a report on a torrent that exactly these seed.
pub(super) fn seeded(report: &Report, seeds: &[&Expected]) -> Vec<String> {
    let mut faults: Vec<String> = seeds.iter().filter_map(|seed| seed_fault(report, seed)).collect();
    let known = |line: &&Value| seeds.iter().any(|seed| line["address"] == seed.addr.as_str());
    faults.extend(report.lines_of("peer").filter(|line| !known(line)).map(|line| format!("no client has {line}")));
    faults.extend(tracker_fault(report));
    faults
}

/// What is wrong with the line on one seed, which there must be one of.
fn seed_fault(report: &Report, seed: &Expected) -> Option<String> {
    let lines: Vec<&Value> = report.lines_of("peer").filter(|line| line["address"] == seed.addr.as_str()).collect();
    let [line] = lines.as_slice() else {
        return Some(format!("{} ({}) is reported {} times", seed.addr, seed.client, lines.len()));
    };
    let client = line["client"].as_str().unwrap_or_default().to_lowercase();
    let right = line["outcome"] == "ok" && client.starts_with(&seed.client.to_lowercase());
    (!right).then(|| format!("{} ({}) is wrong: {line}", seed.addr, seed.client))
}

/// What is wrong with the line on the tracker, which there must be one of.
fn tracker_fault(report: &Report) -> Option<String> {
    let lines: Vec<&Value> = report.lines_of("tracker").collect();
    let [line] = lines.as_slice() else {
        return Some(format!("{} lines on the tracker, expected one", lines.len()));
    };
    let status = line["status"].as_str().unwrap_or_default();
    (status != "ok").then(|| format!("the tracker's status is {status:?}, expected ok"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;

    fn expected() -> [Expected; 2] {
        [("127.0.10.1:1", "Transmission"), ("127.0.10.2:1", "aria2")]
            .map(|(addr, client)| Expected { addr: addr.to_owned(), client })
    }

    fn faults(peers: &[(&str, &str, Option<&str>)]) -> Vec<String> {
        seeded(&report(peers), &expected().iter().collect::<Vec<_>>())
    }

    const RIGHT: [(&str, &str, Option<&str>); 2] =
        [("127.0.10.1:1", "ok", Some("Transmission 3.00")), ("127.0.10.2:1", "ok", Some("Aria2 1.36.0"))];

    #[test]
    fn a_right_report_has_no_fault() {
        assert_eq!(faults(&RIGHT), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_found() {
        let [one, two] = RIGHT;
        let failed = (two.0, "handshake_timeout", None);
        let renamed = (two.0, "ok", Some("libtorrent 2.0.8"));
        let stranger = ("127.0.20.1:1", "ok", Some("bt-handshake 0.1.0"));
        for peers in [&[one][..], &[one, failed], &[one, renamed], &[one, two, stranger], &[one, two, two]] {
            assert_eq!(faults(peers).len(), 1, "{peers:?}");
        }
    }

    #[test]
    fn the_tracker_must_have_answered() {
        let mut refused = report(&[]);
        refused.lines[1]["status"] = "failure".into();
        assert_eq!((seeded(&refused, &[]).len(), seeded(&report(&[]), &[]).len()), (1, 0));
    }
}
