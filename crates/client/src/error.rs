//! Why a run could not begin, or found nobody to ask.

use crate::torrent_file::ReadError;
use report::Standing;
use report::TrackerReport;
use std::fmt;
use std::io;
use std::net::IpAddr;

/// What keeps a run from doing its job. What becomes of single trackers and peers is in their reports.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The torrent file cannot be read.
    #[error("cannot read the torrent")]
    Read(#[from] ReadError),
    /// The file is not a torrent, a truncated one, or a larger one than is read.
    #[error("{}", match .0 {
        error if error.is_limit() => "too large a torrent",
        metainfo::Error::CutShort(_) => "not a whole torrent",
        _ => "not a torrent",
    })]
    Torrent(#[from] metainfo::Error),
    /// The torrent is private (BEP 27).
    #[error("private torrent: a client its tracker does not know can get you banned; allow it explicitly to go on")]
    Private,
    /// There is no tracker to ask and no peer was named.
    #[error("the torrent names no tracker")]
    NoSource,
    /// A private torrent's peers may come from its own trackers only (BEP 27).
    #[error("private torrent: only its own trackers may be asked")]
    ForeignTracker,
    /// Not one tracker gave what it was asked for; the report of each.
    #[error("{}: {}", if is_silence(.0) { "no tracker answered" } else { "no tracker named a peer" }, failures(.0))]
    NoTrackerAnswered(Vec<TrackerReport>),
    /// A source address was given twice for one family.
    #[error("more than one source address for a family")]
    BindTwice,
    /// A source address that is not one host's.
    #[error("{0} address cannot be a source")]
    BindNotAHost(guard::Scope),
    /// The source address is not ours, or the port is taken.
    #[error("cannot bind {ip} port {port}")]
    Bind {
        /// Source address, unspecified when none was chosen.
        ip: IpAddr,
        /// The port to be announced, 0 for any.
        port: u16,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The certificates that are to vouch for trackers are no good.
    #[error("certificates to trust")]
    TlsRoots(#[source] http_exchange::CaError),
    /// The operating system gives no random bytes.
    #[error("no entropy from the operating system")]
    Entropy(#[source] io::Error),
}

/// What a `main` that returns this error prints: the error and its causes on one line, without a secret.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", guard::ErrorChain(self))
    }
}

/// Whether not one has answered in any way: a refusal is an answer.
fn is_silence(reports: &[TrackerReport]) -> bool {
    reports.iter().all(|report| matches!(report.standing, Standing::Silent | Standing::NotAsked | Standing::LocalFault))
}

/// Each tracker with its reason.
fn failures(reports: &[TrackerReport]) -> String {
    let one = |report: &TrackerReport| format!("{}: {}", report.url, report.message.as_deref().unwrap_or_default());
    reports.iter().map(one).collect::<Vec<_>>().join("; ")
}
