//! What a side is told: a port to use, a target, and nodes to start from. As long as the port is the same, it keeps its routing table.

use crate::Result;
use crate::side::Side;
use dht::NodeId;
use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// One lookup to make.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) port: u16,
    pub(crate) target: NodeId,
    /// Nodes to start from, with their ids if they are known.
    pub(crate) nodes: Vec<(SocketAddr, Option<NodeId>)>,
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.port, self.target)?;
        self.nodes.iter().try_for_each(|(address, id)| match id {
            Some(id) => write!(f, " {address}/{id}"),
            None => write!(f, " {address}"),
        })
    }
}

impl FromStr for Turn {
    type Err = Box<dyn std::error::Error>;

    fn from_str(line: &str) -> Result<Self> {
        let mut words = line.split_whitespace();
        let (port, target) = (words.next().ok_or("no port")?.parse()?, words.next().ok_or("no target")?.parse()?);
        let node = |word: &str| match word.split_once('/') {
            Some((address, id)) => Ok((address.parse()?, Some(id.parse()?))),
            None => Ok((word.parse()?, None)),
        };
        Ok(Self { port, target, nodes: words.map(node).collect::<Result<_>>()? })
    }
}

/// The end of a lookup as its side says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    At(Instant),
    /// So long after its first datagram.
    After(Duration),
}

/// Whether a side says when it is at its end. librqbit's stream of peers has none, and libtorrent waits for 15 s without saying for
/// what.
pub(crate) fn tells_its_end(side: &Side) -> bool {
    !matches!(side.name, "librqbit-dht" | "libtorrent")
}

/// When the side says that the lookup is at its end; `None` if it says nothing for this time.
pub(crate) fn end(side: &Side, time: Duration) -> Option<End> {
    let (line, at) = side.line(time)?;
    let after = line.split_once(' ').and_then(|(_, seconds)| seconds.parse().ok());
    Some(after.map_or(End::At(at), |seconds| End::After(Duration::from_secs_f64(seconds))))
}
