//! Why a run could not begin, or had no source of peers that worked.

use crate::net::interface::InterfaceError;
use report::Standing;
use report::TrackerReport;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

/// Why a run cannot do its job. Failures of single trackers and peers are in their reports.
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
    /// A torrent that was [handed in](crate::Swarm::learn) has another info-hash.
    #[error("the torrent has another info-hash")]
    AnotherTorrent,
    /// There is no tracker to ask, no peer was named, the DHT did not answer or was not asked, and no web seed has everything.
    #[error("the torrent names no tracker and no web seed that has everything, and no node of the DHT answered")]
    NoSource,
    /// A private torrent's peers may come from its own trackers only (BEP 27).
    #[error("private torrent: only its own trackers may be asked")]
    ForeignTracker,
    /// No tracker gave what it was asked for; the report of each.
    #[error("{}: {}", if is_silence(.0) { "no tracker answered" } else { "no tracker named a peer" }, failures(.0))]
    NoTrackerAnswered(Vec<TrackerReport>),
    /// A source address was given twice for one family.
    #[error("more than one source address for a family")]
    BindTwice,
    /// A source address that is not the address of one host.
    #[error("{0} address cannot be a source")]
    BindNotAHost(guard::Scope),
    /// The interface that every socket is to be bound to cannot be used.
    #[error(transparent)]
    Interface(#[from] InterfaceError),
    /// The source address is not this machine's, or the port is taken.
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
    /// The certificates to trust cannot be read.
    #[error("certificates to trust")]
    TlsRoots(#[source] http_exchange::CaError),
    /// The operating system gives no random bytes.
    #[error("no entropy from the operating system")]
    Entropy(#[source] io::Error),
}

/// Why a torrent file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The operating system refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// This machine started no thread to read it in: not the file's fault.
    #[error("this machine starts no more threads: {0}")]
    NoThread(io::Error),
    /// A directory holds torrents but is none.
    #[error("is a directory")]
    Directory,
    /// No bytes at all.
    #[error("file is empty")]
    Empty,
    /// A pipe without a writer, or a disk that does not answer.
    #[error("not read within {} s", .0.as_secs_f32())]
    TooSlow(Duration),
    /// More bytes than are read.
    #[error("larger than {} MiB, the most that is read", .limit >> 20)]
    TooLarge {
        /// Most bytes that are read.
        limit: usize,
    },
}

/// What a `main` that returns this error prints: the error and its causes on one line, without a secret.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", guard::ErrorChain(self))
    }
}

/// Whether no tracker answered: a refusal is an answer.
fn is_silence(reports: &[TrackerReport]) -> bool {
    reports.iter().all(|report| matches!(report.standing, Standing::Silent | Standing::NotAsked | Standing::LocalFault))
}

/// Each tracker with its reason.
fn failures(reports: &[TrackerReport]) -> String {
    let one = |report: &TrackerReport| format!("{}: {}", report.url, report.message.as_deref().unwrap_or_default());
    reports.iter().map(one).collect::<Vec<_>>().join("; ")
}
