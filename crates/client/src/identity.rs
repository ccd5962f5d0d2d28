//! Who we are for one run: peer id, tracker key, and a port that is ours.

use crate::{Bind, Error, connect, entropy};
use ids::PeerId;
use socket2::Socket;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Our name and number, the same towards everybody and new for each run.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) peer_id: PeerId,
    pub(crate) key: u32,
    pub(crate) port: u16,
    /// Bound and not listening for as long as we announce the port. A tracker that keys peers by address and port would
    /// otherwise replace, and at our goodbye remove, a real client on this machine.
    _port_held: Socket,
}

impl Identity {
    pub(crate) fn new(bind: Bind, port: Option<u16>) -> Result<Self, Error> {
        let socket = hold(bind, port.unwrap_or(0))?;
        let local = socket.local_addr().ok().and_then(|address| address.as_socket());
        Ok(Self {
            peer_id: PeerId::new(entropy::bytes()?),
            key: u32::from_be_bytes(entropy::bytes()?),
            port: local.map_or(0, |address| address.port()),
            _port_held: socket,
        })
    }
}

/// Binds the port; 0 lets the kernel choose a free high one. All chosen source addresses must be ours.
fn hold(bind: Bind, port: u16) -> Result<Socket, Error> {
    let bound =
        |ip: IpAddr, port| connect::bound(SocketAddr::new(ip, port)).map_err(|source| Error::Bind { ip, port, source });
    match (bind.v4, bind.v6) {
        (Some(v4), v6) => {
            if let Some(v6) = v6 {
                bound(v6.into(), 0)?;
            }
            bound(v4.into(), port)
        }
        (None, Some(v6)) => bound(v6.into(), port),
        // `::` holds the port for both families where there is IPv6.
        (None, None) => {
            bound(Ipv6Addr::UNSPECIFIED.into(), port).or_else(|_| bound(Ipv4Addr::UNSPECIFIED.into(), port))
        }
    }
}
