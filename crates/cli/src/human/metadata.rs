//! What came of asking peers for the metadata of a link: in a row, as a table of the peers, and why it is not there.

use crate::human::style::{ADDRESS_WIDTH, BAD, DIM, GOOD, OPEN, PLAIN};
use crate::text::{Line, Page, listed, plural, short, size, time};
use client::{CodeKind, Explanation, MetadataPeer, MetadataReport, MetadataStanding, MetadataStatus, Outcome};
use client::{PeerReport, Summary};
use peer_wire::MetadataMessage;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use tracker::PeerAddress;

/// Columns of a time, and of a client's name.
const TIME_WIDTH: usize = 8;
const CLIENT_WIDTH: usize = 18;
/// Peers that are named in a sentence.
const NAMED_PEERS: usize = 3;

/// The metadata of a run and who gave it; nothing where it is known before.
#[derive(Debug, Default)]
pub(crate) struct Metadata {
    report: Option<MetadataReport>,
    /// The software of the peers that answered, where they are listed.
    clients: BTreeMap<SocketAddr, String>,
}

/// Why it is not there, and what can be done.
pub(super) struct Reason {
    pub(super) why: String,
    pub(super) to_do: String,
}

impl Metadata {
    pub(super) fn add(&mut self, report: &MetadataReport) {
        self.report = Some(report.clone());
    }

    /// Notes what a peer runs, for the table.
    pub(super) fn peer(&mut self, report: &PeerReport) {
        if let (Outcome::Ok, PeerAddress::Socket(address), Some(client)) =
            (report.outcome, &report.address, report.client())
        {
            self.clients.insert(*address, client);
        }
    }

    pub(super) fn report(&self) -> Option<&MetadataReport> {
        self.report.as_ref()
    }

    /// `41 kB in 3 pieces from 2 peers after 420 ms`, or why it is not there; `None` where no peer was there to ask.
    pub(super) fn row(&self, summary: &Summary) -> Option<String> {
        let report = self.report.as_ref()?;
        match report.status {
            MetadataStatus::Ok | MetadataStatus::Private => Some(came(report)),
            _ if summary.ok == 0 => None,
            _ => Some(format!("not there: {}", reason(report, summary)?.why)),
        }
    }

    /// A head, and a row for each peer that speaks the extension; those that gave first, and at most so many lines.
    pub(super) fn table(&self, most: usize, page: Page) -> Vec<Line> {
        let Some(report) = self.report.as_ref().filter(|report| !report.peers.is_empty()) else { return Vec::new() };
        let mut peers: Vec<&MetadataPeer> = report.peers.iter().collect();
        peers.sort_by_key(|peer| (rank(peer), Reverse(peer.pieces), peer.asked));
        // One line that says how many more there are takes the place of one of them.
        let shown = if peers.len() < most { peers.len() } else { most.saturating_sub(2) };
        let names = format!("{:>TIME_WIDTH$}  {:ADDRESS_WIDTH$}  {:CLIENT_WIDTH$}  gave", "asked", "peer", "client");
        let head = Line::new().add("    ").styled(DIM, names);
        let rows = peers.iter().take(shown).map(|peer| self.of_peer(peer, report.status, page));
        let more = peers.len() - shown;
        let more = (more > 0).then(|| {
            let more = format!("    {}{} more (-a lists them)", " ".repeat(TIME_WIDTH + 2), plural(more, "peer"));
            Line::new().styled(DIM, more)
        });
        std::iter::once(head).chain(rows).chain(more).collect()
    }

    /// `✓  52.1 ms  198.51.100.4:51413  qBittorrent 5.1  3 pieces in 61.0 ms`.
    fn of_peer(&self, peer: &MetadataPeer, status: MetadataStatus, page: Page) -> Line {
        let (mark, style) = match rank(peer) {
            Rank::Gave => (page.marks.good, GOOD),
            Rank::Failed => (page.marks.bad, BAD),
            Rank::Rest => (page.marks.open, OPEN),
        };
        let client = self.clients.get(&peer.address).map_or("", String::as_str);
        let client = short(client, CLIENT_WIDTH, page.marks);
        let asked = peer.asked.map(time).unwrap_or_default();
        let line = Line::new().add("  ").styled(style, mark).add(format!(" {asked:>TIME_WIDTH$}  "));
        let line = line.cell(PLAIN, peer.address.to_string(), ADDRESS_WIDTH).add("  ");
        line.cell(PLAIN, client, CLIENT_WIDTH).add("  ").styled(style, gave(peer, status))
    }
}

/// What a peer did, the best first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Gave,
    Failed,
    Rest,
}

fn rank(peer: &MetadataPeer) -> Rank {
    match peer.standing {
        MetadataStanding::Asked if peer.pieces > 0 => Rank::Gave,
        MetadataStanding::Asked | MetadataStanding::NoSize => Rank::Rest,
        _ => Rank::Failed,
    }
}

fn gave(peer: &MetadataPeer, status: MetadataStatus) -> String {
    let pieces = plural(peer.pieces as usize, "piece");
    match (peer.standing, peer.pieces) {
        (MetadataStanding::Asked, 1..) => {
            let took = peer.elapsed.map(|took| format!(" in {}", time(took)));
            format!("{pieces}{}", took.unwrap_or_default())
        }
        (MetadataStanding::Asked, 0) if peer.asked.is_some() => "no answer yet".to_owned(),
        (MetadataStanding::Asked, 0) if status.is_known() => "not needed".to_owned(),
        (MetadataStanding::Asked, 0) => "not asked".to_owned(),
        (MetadataStanding::NoSize, _) if peer.asked_us => "only the link, asked us".to_owned(),
        (MetadataStanding::NoSize, _) => "only the link".to_owned(),
        (standing, 0) => words(standing).to_owned(),
        (standing, _) => format!("{} ({pieces})", words(standing)),
    }
}

/// A standing in two or three words.
fn words(standing: MetadataStanding) -> &'static str {
    Explanation::of(CodeKind::MetadataStanding, standing.code()).map_or(standing.code(), |entry| entry.words)
}

/// A status in two or three words.
pub(super) fn status_words(status: MetadataStatus) -> &'static str {
    Explanation::of(CodeKind::MetadataStatus, status.code()).map_or(status.code(), |entry| entry.words)
}

/// `41 kB in 3 pieces from 2 peers after 420 ms`.
pub(super) fn came(report: &MetadataReport) -> String {
    let bytes = report.size_bytes.map(|bytes| format!("{} in ", size(bytes.into()))).unwrap_or_default();
    let from = report.peers.iter().filter(|peer| rank(peer) == Rank::Gave).count();
    let (pieces, from) = (plural(report.pieces as usize, "piece"), plural(from, "peer"));
    format!("{bytes}{pieces} from {from} after {}", time(report.elapsed))
}

/// Why it is not there, as far as the peers that answered tell; `None` where it is.
pub(super) fn reason(report: &MetadataReport, summary: &Summary) -> Option<Reason> {
    let entry = Explanation::of(CodeKind::MetadataStatus, report.status.code())?;
    let reason = |why: String, to_do: &str| Some(Reason { why, to_do: to_do.to_owned() });
    let speak = report.peers.len();
    match report.status {
        MetadataStatus::Ok | MetadataStatus::Private => None,
        MetadataStatus::NoPeerOffers if speak == 0 => {
            let none = match summary.ok {
                1 => "the one peer that answered offers no metadata".to_owned(),
                ok => format!("none of the {ok} peers that answered offers metadata"),
            };
            reason(
                format!("{none}: most clients offer none of a private torrent, and old ones never do"),
                "get the .torrent file where the link came from; a private torrent has no other way",
            )
        }
        MetadataStatus::NoPeerOffers => reason(
            lack(speak, summary.ok),
            "wait until a seed is there, name one with --peer, or get the .torrent file",
        ),
        MetadataStatus::TimedOut => {
            let (why, to_do) = not_in_time(report, summary);
            reason(why, to_do)
        }
        MetadataStatus::WrongHash => {
            let wrong = |peer: &&MetadataPeer| peer.standing == MetadataStanding::WrongBytes;
            let wrong: Vec<String> = report.peers.iter().filter(wrong).map(|peer| peer.address.to_string()).collect();
            let named = match wrong.get(..NAMED_PEERS + 1) {
                _ if wrong.is_empty() => "one or more of those that gave".to_owned(),
                None => listed(&wrong),
                Some(_) => format!("{} peers", wrong.len()),
            };
            reason(
                format!("all of it came, and its hash is wrong: {named} gave wrong bytes"),
                "run it again with more peers: --peer, --tracker",
            )
        }
        MetadataStatus::NotATorrent => {
            let message = report.message.clone().unwrap_or_default();
            reason(format!("its hash is right, and it is no torrent: {message}"), entry.to_do)
        }
        _ => reason(entry.seen.to_owned(), entry.to_do),
    }
}

/// Of so many peers that answered, so many speak the extension, and none has metadata.
fn lack(speak: usize, ok: usize) -> String {
    let they_wait = "they were given a link too, and wait as you do";
    let it_waits = "it was given a link too, and waits as you do";
    match (speak, ok) {
        (1, 1) => format!("the one peer that answered has no metadata: {it_waits}"),
        (1, ok) => format!("1 of {ok} peers that answered speaks of metadata, and has none: {it_waits}"),
        (speak, ok) if speak == ok => {
            format!("none of the {ok} peers that answered has metadata: {they_wait}")
        }
        (speak, ok) => format!("{speak} of {ok} peers that answered speak of metadata, and none has it: {they_wait}"),
    }
}

/// Of what was offered and did not come: how far it came, and what the peers did instead.
fn not_in_time(report: &MetadataReport, summary: &Summary) -> (String, &'static str) {
    use MetadataStanding::{Asked, NoSize, Rejected, TimedOut};
    let offered: Vec<&MetadataPeer> = report.peers.iter().filter(|peer| peer.standing != NoSize).collect();
    let of = |standing| offered.iter().filter(|peer| peer.standing == standing).count();
    let broken = offered.len() - of(Asked) - of(Rejected) - of(TimedOut);
    let is_cut_short = summary.cut_short.is_some();
    let left =
        if is_cut_short { "had not given all when the run ended, or had left" } else { "left before giving all" };
    let did = [
        (of(Rejected), "rejected"),
        (of(TimedOut), "did not send a piece within 5 s"),
        (of(Asked), left),
        (broken, "sent what is wrong"),
    ];
    let did: Vec<_> = did.into_iter().filter(|(count, _)| *count > 0).collect();
    let all = report.size_bytes.map_or(0, MetadataMessage::pieces);
    let came = if report.pieces > 0 { format!("; {} of {all} pieces came", report.pieces) } else { String::new() };
    let why = match (offered.len(), did.as_slice()) {
        (1, [(_, what)]) => format!("the one peer that says it has it {what}{came}"),
        (2, [(_, what)]) => format!("both peers that say they have it {what}{came}"),
        (count, [(_, what)]) => format!("all {count} peers that say they have it {what}{came}"),
        (count, several) => {
            let several: Vec<String> = several.iter().map(|(count, what)| format!("{count} {what}")).collect();
            format!("of {count} peers that say they have it {}{came}", listed(&several))
        }
    };
    let to_do = if report.asked.is_none() {
        "run fewer torrents at the same time: there was no memory for it"
    } else if of(Asked) > 0 && is_cut_short {
        "give a longer --deadline"
    } else {
        "run it again in some minutes, or name another peer with --peer: these give no more for now"
    };
    (why, to_do)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Marks;
    use client::CutShort;
    use std::time::Duration;

    fn report(status: MetadataStatus, peers: &[(MetadataStanding, u32)]) -> MetadataReport {
        let mut report = MetadataReport::new(status, Duration::from_millis(420));
        (report.size_bytes, report.pieces, report.asked) = (Some(41_029), 3, Some(Duration::ZERO));
        report.peers = (1..)
            .zip(peers)
            .map(|(n, &(standing, pieces))| {
                let mut peer = MetadataPeer::new(SocketAddr::from(([9, 9, 9, n], 1)), standing);
                (peer.pieces, peer.asked) = (pieces, (pieces > 0).then_some(Duration::from_millis(n.into())));
                peer
            })
            .collect();
        report
    }

    #[test]
    fn a_sentence_for_each_cause() {
        use MetadataStanding::{Asked, NoSize, Rejected, TimedOut, WrongBytes, WrongTotal};
        let mut summary = Summary::default();
        summary.ok = 4;
        for (status, peers, says) in [
            (MetadataStatus::NoPeerOffers, &[][..], "none of the 4 peers that answered offers metadata: most clients"),
            (
                MetadataStatus::NoPeerOffers,
                &[(NoSize, 0)],
                "1 of 4 peers that answered speaks of metadata, and has none",
            ),
            (
                MetadataStatus::TimedOut,
                &[(Rejected, 0), (TimedOut, 1), (TimedOut, 0), (WrongTotal, 0), (NoSize, 0)],
                "of 4 peers that say they have it 1 rejected, 2 did not send a piece within 5 s and 1 sent what is wrong; \
                 3 of 3 pieces came",
            ),
            (MetadataStatus::TimedOut, &[(Rejected, 0)], "the one peer that says it has it rejected; 3 of 3 pieces"),
            (MetadataStatus::TimedOut, &[(Rejected, 0); 2], "both peers that say they have it rejected; "),
            (MetadataStatus::TimedOut, &[(Asked, 1)], "the one peer that says it has it left before giving all; "),
            (
                MetadataStatus::WrongHash,
                &[(WrongBytes, 3), (Asked, 0)],
                "its hash is wrong: 9.9.9.1:1 gave wrong bytes",
            ),
            (MetadataStatus::WrongHash, &[(WrongBytes, 3); 4], "its hash is wrong: 4 peers gave wrong bytes"),
            (MetadataStatus::TooLarge, &[], "every peer that offered the metadata names a size beyond 16 MiB"),
        ] {
            let mut metadata = Metadata::default();
            metadata.add(&report(status, peers));
            let row = metadata.row(&summary).unwrap();
            assert!(row.starts_with("not there: ") && row.contains(says), "{row}");
        }
        // More time is of no use where the peers left.
        for (cut_short, to_do) in [(None, "run it again in some minutes"), (Some(CutShort::Deadline), "give a longer")]
        {
            summary.cut_short = cut_short;
            let reason = reason(&report(MetadataStatus::TimedOut, &[(Asked, 1)]), &summary).unwrap();
            assert!(reason.to_do.starts_with(to_do), "{}", reason.to_do);
        }
        let mut metadata = Metadata::default();
        metadata.add(&report(MetadataStatus::Ok, &[(Asked, 2), (Asked, 1), (Asked, 0)]));
        assert_eq!(metadata.row(&summary).as_deref(), Some("41 kB in 3 pieces from 2 peers after 420 ms"));
    }

    #[test]
    fn a_table_has_those_that_gave_first_and_counts_the_rest() {
        use MetadataStanding::{Asked, NoSize, Rejected};
        let page = Page { columns: 80, cuts: false, marks: Marks::ASCII };
        let mut metadata = Metadata::default();
        metadata.add(&report(MetadataStatus::Ok, &[(NoSize, 0), (Asked, 0), (Rejected, 1), (Asked, 3), (NoSize, 0)]));
        metadata.clients.insert(SocketAddr::from(([9, 9, 9, 4], 1)), "qBittorrent 5.1.0".to_owned());
        let shown = |most| -> Vec<String> {
            let lines = metadata.table(most, page);
            lines.iter().map(|line| anstream::adapter::strip_str(&line.on(page)).to_string()).collect()
        };
        let all = shown(usize::MAX);
        assert_eq!(all.len(), 6);
        assert_eq!(all[1], "  +   4.0 ms  9.9.9.4:1              qBittorrent 5.1.0   3 pieces");
        assert!(all[2].starts_with("  -   3.0 ms  9.9.9.3:1") && all[2].ends_with(" rejected (1 piece)"), "{all:?}");
        let few = shown(4);
        assert!(few.len() == 4 && few[3].trim() == "3 peers more (-a lists them)", "{few:?}");
    }
}
