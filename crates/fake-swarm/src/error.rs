//! Why a fake could not be started.

use std::io;
use std::net::SocketAddr;

/// Why a fake could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller is not inside a tokio runtime, so there is nothing to run the scripts on.
    #[error("not inside a tokio runtime")]
    NoRuntime,
    /// The address asked for can be reached from outside this machine.
    #[error("{0} is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The socket could not be made, bound or put to listening.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address asked for; port 0 leaves the choice to the kernel.
        addr: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}
