//! What all runs share of UDP: a socket for each family of addresses, which carries the queries of the DHT and uTP.

pub(crate) mod conversations;
pub(crate) mod datagrams;
pub(crate) mod queries;
pub(crate) mod socket;
pub(crate) mod utp_stream;

use crate::net::route::Route;
use crate::shared::udp::socket::UdpSocket;
use peer_session::ByteBudget;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The sockets, each open as long as it is used.
#[derive(Debug)]
pub(crate) struct UdpSockets {
    /// The announced port, which a socket has if it is free.
    port: u16,
    /// For what uTP connections have received and not read.
    memory: ByteBudget,
    open: Mutex<HashMap<(Route, bool), Weak<UdpSocket>>>,
}

impl UdpSockets {
    pub(crate) fn new(port: u16, memory: ByteBudget) -> Self {
        Self { port, memory, open: Mutex::default() }
    }

    /// The socket of a family, bound at its first use.
    ///
    /// # Errors
    /// As of [`connect::udp`](crate::net::connect::udp).
    pub(crate) fn socket(&self, route: Route, is_v6: bool) -> io::Result<Arc<UdpSocket>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let place = open.entry((route, is_v6)).or_default();
        if let Some(socket) = place.upgrade() {
            return Ok(socket);
        }
        let socket = Arc::new(UdpSocket::bind(self.port, is_v6, route, self.memory.clone())?);
        *place = Arc::downgrade(&socket);
        Ok(socket)
    }
}
