//! The check of one web seed: its planned files one after the other, over one connection as long as the server keeps it.

use crate::discovery::web_seeds::choose::WebSeed;
use crate::discovery::web_seeds::context::CheckContext;
use crate::discovery::web_seeds::fault::{Fault, SkipReason};
use crate::discovery::web_seeds::hop::{Hops, Sink, Wanted};
use crate::discovery::web_seeds::open::PATIENCE;
use crate::discovery::web_seeds::plan::Plan;
use crate::discovery::web_seeds::planned_file::PlannedFile;
use crate::discovery::web_seeds::proof::{Part, PlannedProof, update_with_zeros};
use crate::net::stop::Stopped;
use metainfo::PieceHasher;
use report::{WebSeedFile, WebSeedKind, WebSeedQuirk, WebSeedReport, WebSeedStatus};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use web_seed::{ByteRange, Quirk, WebSeedUrl};

/// A MiB, for which a proof has another second.
const MIB: u64 = 1 << 20;

/// Most entries of files that were not asked: as many as a sample has. A torrent of 300 KB can name 512 web seeds and 10,000
/// files.
const MOST_NOT_ASKED: usize = 8;

/// Asks one web seed about everything planned; what it had answered when the run ended is kept.
pub(crate) async fn check(
    seed: WebSeed,
    plan: Arc<Plan>,
    context: Arc<CheckContext>,
    stopped: Stopped,
) -> WebSeedReport {
    let begun = Instant::now();
    let mut report = WebSeedReport::new(Arc::clone(&seed.shown), seed.kind, WebSeedStatus::NotAsked);
    report.quirks = quirks(&seed, &plan);
    let ended = {
        let hops = Hops::new(&context, &seed);
        let mut check = Check { plan: &plan, context: &context, seed: &seed, hops, report: &mut report };
        stopped.or(pin!(check.run())).await
    };
    conclude(&mut report, &plan, ended.unwrap_or(Err(SkipReason::RunEnded)));
    // A torrent may repeat in a name what is secret in a URL.
    report.files.iter_mut().for_each(|row| row.path = context.secrets.conceal(&row.path));
    report.elapsed = begun.elapsed();
    report
}

/// A check that goes on. All that it has learned is in the report.
struct Check<'c> {
    plan: &'c Plan,
    context: &'c CheckContext,
    seed: &'c WebSeed,
    hops: Hops<'c>,
    report: &'c mut WebSeedReport,
}

impl Check<'_> {
    /// Asks until all is asked, or until there is no use in going on.
    ///
    /// # Errors
    /// Why the rest is not asked.
    async fn run(&mut self) -> Result<(), SkipReason> {
        let plan = self.plan;
        let ended = match self.seed.kind {
            WebSeedKind::HttpSeeds => self.pieces().await,
            _ => self.files(&plan.files).await,
        };
        ended.map_err(SkipReason::EndedBefore)?;
        if let Some(proof) = &plan.proof { self.prove(proof).await } else { Ok(()) }
    }

    /// A small range of each file.
    async fn files(&mut self, files: &[PlannedFile]) -> Result<(), WebSeedStatus> {
        for file in files {
            let row = WebSeedFile::new(file.shown(), file.range.length(), WebSeedStatus::NotAsked);
            let url = self.seed.url.of_file(self.plan.content(), &file.path()).map_err(Fault::from);
            self.ask(row, url, Wanted::Range(file.range), Duration::ZERO, &mut |_| {}).await?;
        }
        Ok(())
    }

    /// A small range of some pieces (BEP 17).
    async fn pieces(&mut self) -> Result<(), WebSeedStatus> {
        for &(piece, range) in &self.plan.pieces {
            let row = piece_row(self.plan, piece);
            let url = self.seed.url.of_piece(self.context.info_hash, piece, range).map_err(Fault::from);
            self.ask(row, url, Wanted::Piece(range.count()), Duration::ZERO, &mut |_| {}).await?;
        }
        Ok(())
    }

    /// A whole piece, part by part.
    async fn prove(&mut self, proof: &PlannedProof) -> Result<(), SkipReason> {
        let mut hasher = proof.hash.hasher();
        let parts = proof.parts.as_ref().map_err(|&why| why)?;
        let begins = self.report.files.len();
        let more = Duration::from_secs(proof.bytes / MIB);
        if self.seed.kind == WebSeedKind::HttpSeeds {
            let range = ByteRange::new(0, proof.bytes, proof.bytes).ok_or(SkipReason::NoFiles)?;
            let url = self.seed.url.of_piece(self.context.info_hash, proof.piece, range).map_err(Fault::from);
            let row = piece_row(self.plan, proof.piece);
            self.prove_part(row, url, Wanted::Piece(range.count()), more, &mut hasher).await?;
        } else {
            for part in parts {
                match part {
                    Part::Zeros(count) => update_with_zeros(&mut hasher, *count),
                    Part::File(file) => {
                        let mut row = WebSeedFile::new(file.shown(), file.range.length(), WebSeedStatus::NotAsked);
                        row.piece = Some(proof.piece);
                        let url = self.seed.url.of_file(self.plan.content(), &file.path()).map_err(Fault::from);
                        self.prove_part(row, url, Wanted::Range(file.range), more, &mut hasher).await?;
                    }
                }
            }
        }
        let is_right = hasher.matches();
        self.report.proved = Some(is_right);
        if !is_right {
            let fault = Fault::WrongHash { piece: proof.piece };
            for row in self.report.files.iter_mut().skip(begins) {
                (row.status, row.message) = (fault.status(), Some(self.context.message(&fault)));
            }
        }
        Ok(())
    }

    /// A part of the piece; after a fault the others are of no use.
    async fn prove_part(
        &mut self,
        row: WebSeedFile,
        url: Result<WebSeedUrl, Fault>,
        wanted: Wanted,
        more: Duration,
        hasher: &mut PieceHasher,
    ) -> Result<(), SkipReason> {
        let asked = self.ask(row, url, wanted, more, &mut |bytes| hasher.update(bytes)).await;
        match asked.map_err(SkipReason::EndedBefore)? {
            WebSeedStatus::Ok => Ok(()),
            status => Err(SkipReason::EndedBefore(status)),
        }
    }

    /// Asks once, and once more after a short pause that the server asks for. `row` is written into the report before, so that
    /// it is there when the run ends in the middle. `more` is time beside the usual limit.
    ///
    /// # Errors
    /// The status, if the next request would end in the same way.
    async fn ask(
        &mut self,
        row: WebSeedFile,
        url: Result<WebSeedUrl, Fault>,
        wanted: Wanted,
        more: Duration,
        sink: Sink<'_>,
    ) -> Result<WebSeedStatus, WebSeedStatus> {
        let Self { context, hops, report, .. } = self;
        let row = report.files.push_mut(row);
        row.message = Some(SkipReason::RunEnded.to_string());
        let limit = context.limits.web_seed_time + more;
        let asked = match url {
            Ok(url) => {
                let first = hops.ask(url.clone(), wanted, limit, row, &mut *sink).await;
                match first.as_ref().err().and_then(Fault::retry_in) {
                    // The turn of the second request waits for the pause.
                    Some(pause) if pause <= PATIENCE => {
                        report.retry_in = Some(pause);
                        hops.close();
                        hops.ask(url, wanted, limit, row, sink).await
                    }
                    _ => first,
                }
            }
            Err(fault) => Err(fault),
        };
        let fault = match asked {
            Ok(fetched) => {
                (row.status, row.message, row.http_status) = (WebSeedStatus::Ok, None, Some(fetched.status));
                // Of a part of a piece (BEP 17), the server says no size.
                row.size_bytes = matches!(wanted, Wanted::Range(_)).then_some(row.length_bytes);
                return Ok(WebSeedStatus::Ok);
            }
            Err(fault) => fault,
        };
        (row.status, row.message) = (fault.status(), Some(context.message(&fault)));
        row.size_bytes = match &fault {
            Fault::Reply(error) => error.size(),
            _ => None,
        };
        report.retry_in = fault.retry_in().or(report.retry_in);
        if fault.is_of_server() && hops.gives_up() { Err(fault.status()) } else { Ok(fault.status()) }
    }
}

/// An entry about a piece as a whole.
fn piece_row(plan: &Plan, piece: u32) -> WebSeedFile {
    let mut row = WebSeedFile::new(plan.shown_name(), plan.total_size, WebSeedStatus::NotAsked);
    row.piece = Some(piece);
    row
}

/// Adds entries for what was planned and has none, [`MOST_NOT_ASKED`] of them, and says how the check as a whole ended.
fn conclude(report: &mut WebSeedReport, plan: &Plan, ended: Result<(), SkipReason>) {
    let (asked, mut rows): (usize, Vec<WebSeedFile>) = (report.files.len(), Vec::new());
    let planned = match report.kind {
        WebSeedKind::HttpSeeds => {
            rows.extend(plan.pieces.iter().skip(asked).map(|&(piece, _)| piece_row(plan, piece)));
            plan.pieces.len()
        }
        _ => {
            let row = |file: &PlannedFile| WebSeedFile::new(file.shown(), file.range.length(), WebSeedStatus::NotAsked);
            rows.extend(plan.files.iter().skip(asked).take(MOST_NOT_ASKED).map(row));
            plan.files.len()
        }
    };
    let listed = asked.min(planned) + rows.len();
    report.files_not_listed = planned.saturating_sub(listed);
    let proof = plan.proof.as_ref().filter(|_| asked <= planned && report.proved.is_none());
    rows.extend(proof.map(|proof| piece_row(plan, proof.piece)));
    let why = ended.err().unwrap_or(SkipReason::NoFiles).to_string();
    rows.iter_mut().for_each(|row| row.message = Some(why.clone()));
    report.files.append(&mut rows);
    let (looked_at, of_proof) = report.files.split_at_checked(listed).unwrap_or_default();
    let has_all = planned > 0 && looked_at.iter().all(|row| row.status.is_right());
    report.complete = has_all && report.proved != Some(false);
    report.status = overall(looked_at, of_proof);
    report.message = (report.status == WebSeedStatus::NotAsked).then_some(why);
}

/// The first fault; one that clients differ about comes after all others, and what was not asked is no fault of the server.
fn overall(looked_at: &[WebSeedFile], of_proof: &[WebSeedFile]) -> WebSeedStatus {
    let asked = |rows: &[WebSeedFile]| rows.iter().any(|row| row.status != WebSeedStatus::NotAsked);
    let statuses = || looked_at.iter().chain(of_proof).map(|row| row.status);
    if let Some(fault) = statuses().find(|&status| !status.is_right() && status != WebSeedStatus::NotAsked) {
        return fault;
    }
    match () {
        () if !asked(looked_at) => WebSeedStatus::NotAsked,
        () if looked_at.iter().any(|row| row.status == WebSeedStatus::NotAsked) => WebSeedStatus::Interrupted,
        () if statuses().any(|status| status == WebSeedStatus::RangeIgnored) => WebSeedStatus::RangeIgnored,
        () => WebSeedStatus::Ok,
    }
}

/// What some clients cannot use; BEP 17 has no names in its URLs.
fn quirks(seed: &WebSeed, plan: &Plan) -> Vec<WebSeedQuirk> {
    if seed.kind == WebSeedKind::HttpSeeds {
        return Vec::new();
    }
    let paths: Vec<Vec<&[u8]>> = plan.files.iter().map(PlannedFile::path).collect();
    let quirks = Quirk::of(&seed.url, plan.content(), paths.iter().map(Vec::as_slice));
    let reported = |quirk| match quirk {
        Quirk::NoFinalSlash => Some(WebSeedQuirk::NoFinalSlash),
        Quirk::NumberSign => Some(WebSeedQuirk::NumberSign),
        Quirk::PercentSign => Some(WebSeedQuirk::PercentSign),
        Quirk::ChangedName => Some(WebSeedQuirk::ChangedName),
        _ => None,
    };
    quirks.into_iter().filter_map(reported).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::net::stop::Stop;
    use crate::shared::Shared;
    use crate::torrent_ref::{Proof, TorrentRef};
    use fake_swarm::torrent::SingleFile;
    use fake_swarm::{FakeWebSeed, WebFile, WebSeedScript, WebSite};
    use guard::{AddressPolicy, Secrets};
    use ids::InfoHash;
    use metainfo::{PieceHash, Torrent};

    /// SHA-1 of 16,384 zeros.
    const HASH: &str = "897256b6709e1a4da9daba92b6bde39ccfccd8c1";

    /// The report of a web seed of BEP 17 with three pieces of a file of this size, as if the user had named it.
    async fn told_by(size: u64, script: WebSeedScript) -> WebSeedReport {
        let server = FakeWebSeed::start(WebSite::new(script).file("/seed", WebFile::Zeros(size))).unwrap();
        let file = SingleFile { piece_length: 16_384, ..SingleFile::new("made", 40_000) };
        let hash: InfoHash = HASH.parse().unwrap();
        let proof = Proof { piece: 1, hash: PieceHash::V1(hash.0) };
        let torrent = Torrent::parse(&file.to_bytes()).unwrap();
        let torrent_ref = TorrentRef::from(&torrent).with_proof(Some(proof));
        let config = Config::default().with_web_seed_proof(true);
        let shared = Shared::new(&config).unwrap();
        let context = CheckContext::new(&torrent_ref, &config, &shared, &Secrets::default()).unwrap();
        let plan = Plan::new(torrent_ref.content.as_ref().unwrap(), torrent_ref.proof, &context).unwrap();
        let url: WebSeedUrl = server.url("/seed").parse().unwrap();
        let (kind, policy, shown) = (WebSeedKind::HttpSeeds, AddressPolicy::User, context.show(&url));
        let stop = Stop::default();
        check(WebSeed { url, kind, policy, shown, only_hosts: None }, plan.into(), context.into(), stop.listen()).await
    }

    #[tokio::test]
    async fn a_web_seed_of_bep_17_is_asked_for_parts_of_pieces_and_proved_by_one() {
        let report = told_by(40_000, WebSeedScript::Pieces { piece_length: 16_384 }).await;
        assert_eq!(
            (report.status, report.complete, report.proved),
            (WebSeedStatus::Ok, true, Some(true)),
            "{report:?}"
        );
        let pieces: Vec<_> = report.files.iter().map(|row| (row.path.as_str(), row.piece, row.length_bytes)).collect();
        assert_eq!(pieces, [0, 1, 2, 1].map(|piece| ("made", Some(piece), 40_000)));
        assert!(report.files.iter().all(|row| row.size_bytes.is_none()), "no answer has the size of the file");
        // The last piece is not there.
        let report = told_by(32_768, WebSeedScript::Pieces { piece_length: 16_384 }).await;
        assert_eq!((report.complete, report.proved), (false, Some(true)), "{report:?}");
    }

    #[test]
    fn what_was_not_asked_is_no_fault_of_the_server() {
        use WebSeedStatus::{Interrupted, Missing, NotAsked, Ok, RangeIgnored, WrongSize};
        let rows = |statuses: &[WebSeedStatus]| -> Vec<WebSeedFile> {
            statuses.iter().map(|&status| WebSeedFile::new(String::new(), 1, status)).collect()
        };
        for (looked_at, of_proof, status) in [
            (&[Ok, Ok][..], &[][..], Ok),
            (&[Ok, Ok], &[NotAsked], Ok),
            (&[RangeIgnored, Ok], &[RangeIgnored], RangeIgnored),
            (&[RangeIgnored, WrongSize, Missing], &[], WrongSize),
            (&[Ok, NotAsked], &[NotAsked], Interrupted),
            (&[NotAsked, NotAsked], &[], NotAsked),
            (&[], &[], NotAsked),
            (&[Ok], &[Missing], Missing),
        ] {
            assert_eq!(overall(&rows(looked_at), &rows(of_proof)), status, "{looked_at:?} {of_proof:?}");
        }
    }
}
