//! Who we are for one run, or for several at the same time: peer ids, tracker key, and a port that is ours.

use crate::config::Bind;
use crate::error::Error;
use crate::net::{connect, entropy};
use crate::shared::peer_ids::PeerIds;
use ids::PeerId;
use socket2::Socket;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What trackers know us by, the same for all of them and new each time; peers see an id of their own.
#[derive(Debug)]
pub(crate) struct Identity {
    /// The id that is announced.
    pub(crate) peer_id: PeerId,
    /// All ids of ours, the announced one too.
    pub(crate) peer_ids: PeerIds,
    pub(crate) key: u32,
    pub(crate) port: u16,
    /// Bound and not listening for as long as we announce the port, once for all runs: another run's port would look like a
    /// stranger's where a tracker lists it. A tracker that keys peers by address and port would
    /// otherwise replace, and at our goodbye remove, a real client on this machine.
    _port_held: Vec<Socket>,
}

impl Identity {
    pub(crate) fn new(bind: Bind, port: Option<u16>) -> Result<Self, Error> {
        let (port, sockets) = hold(bind, port.unwrap_or(0))?;
        let peer_ids = PeerIds::new().map_err(Error::Entropy)?;
        Ok(Self {
            peer_id: peer_ids.draw(),
            peer_ids,
            key: u32::from_be_bytes(entropy::bytes().map_err(Error::Entropy)?),
            port,
            _port_held: sockets,
        })
    }
}

/// Binds the port at every source address; 0 lets the kernel choose a free high one. The addresses must all be ours.
fn hold(bind: Bind, port: u16) -> Result<(u16, Vec<Socket>), Error> {
    let bound =
        |ip: IpAddr, port| connect::bound(SocketAddr::new(ip, port)).map_err(|source| Error::Bind { ip, port, source });
    let chosen = bind.v4.map(IpAddr::V4).into_iter().chain(bind.v6.map(IpAddr::V6));
    let (mut port, mut sockets) = (port, Vec::new());
    for ip in chosen {
        let socket = bound(ip, port)?;
        port = port_of(&socket);
        sockets.push(socket);
    }
    if sockets.is_empty() {
        // `::` holds the port for both families where there is IPv6. A port that is taken is taken.
        let any = match bound(Ipv6Addr::UNSPECIFIED.into(), port) {
            Err(Error::Bind { source, .. }) if source.kind() != io::ErrorKind::AddrInUse => {
                bound(Ipv4Addr::UNSPECIFIED.into(), port)?
            }
            any => any?,
        };
        port = port_of(&any);
        sockets.push(any);
    }
    Ok((port, sockets))
}

fn port_of(socket: &Socket) -> u16 {
    socket.local_addr().ok().and_then(|address| address.as_socket()).map_or(0, |address| address.port())
}
