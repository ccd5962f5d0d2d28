//! A listener that accepts no connection.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use xtask::shell::Result;

/// A listener whose queue is full, so that the kernel drops whatever asks for another connection.
pub(super) struct Full {
    /// Where it listens.
    pub(super) address: SocketAddr,
    _listener: TcpListener,
    _queued: Vec<TcpStream>,
}

impl Full {
    /// On the current runtime.
    pub(super) fn start() -> Result<Self> {
        const AT_MOST: usize = 16;
        let failed = |error: std::io::Error| format!("no full listener: {error}");
        let socket = TcpSocket::new_v4().map_err(failed)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).map_err(failed)?;
        let listener = socket.listen(1).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let mut queued = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            queued.push(stream);
            if queued.len() > AT_MOST {
                return Err("no full listener: it accepts every connection".to_owned());
            }
        }
        Ok(Self { address, _listener: listener, _queued: queued })
    }
}
