//! Replies to our requests over UDP that come from another address than was asked: trackers with several addresses send them,
//! and trackers behind some NATs. They are reported, because the operator needs to know, and not trusted: the socket that asks
//! receives from the tracker's address alone, and this one only notes where a reply came from.

use crate::discovery::trackers::context::AnnounceContext;
use crate::net::connect::beside;
use crate::shared::hosts::pace::Purpose;
use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep_until};
use tracker::udp::{Action, Reply};

/// Silence after which they are looked for. Just less than the time after which a request is sent again, so that a second
/// reply is received.
const AFTER: Duration = Duration::from_millis(1400);

/// Most datagrams read in case of a flood.
const MOST: usize = 64;

/// Most requests of one exchange, which are numbered one after the other: connects and what follows them, some again.
const MOST_REQUESTS: u32 = 16;

/// The numbers by which replies to an exchange are recognized.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    /// Our address and port.
    pub(crate) local: SocketAddr,
    /// The transaction id of the first request.
    pub(crate) transaction: u32,
}

/// Notes in `from` the first other address that answers what was asked; never ends. Needs a descriptor
/// of those for trackers, and does nothing where none is free.
pub(crate) async fn watch(asked: Sent, context: &AnnounceContext, from: &mut Option<SocketAddr>) -> Infallible {
    sleep_until(Instant::now() + AFTER).await;
    if let Some(_descriptor) = context.shared.try_descriptor(Purpose::Question)
        && let Ok(socket) = beside(asked.local, context.route)
    {
        *from = first(&socket, asked.transaction).await;
    }
    pending().await
}

async fn first(socket: &UdpSocket, transaction: u32) -> Option<SocketAddr> {
    // Action and transaction id.
    let mut head = [0; 8];
    for _ in 0..MOST {
        let (length, from) = socket.recv_from(&mut head).await.ok()?;
        let reply = head.get(..length).and_then(Reply::parse);
        if reply.is_some_and(|reply| answers(reply, transaction)) {
            return Some(from);
        }
    }
    None
}

/// Whether a reply answers a request of an exchange that begins with `transaction`.
fn answers(reply: Reply<'_>, transaction: u32) -> bool {
    reply.action <= Action::Error.number() && reply.transaction.wrapping_sub(transaction) < MOST_REQUESTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_known_by_its_transaction() {
        for (action, transaction, begun, expected) in [
            (0_u32, 7_u32, 7_u32, true),
            (1, 8, 7, true),
            (3, 8, 7, true),
            (2, 0, u32::MAX, true),
            (0, 6, 7, false),
            (0, 23, 7, false),
            (4, 7, 7, false),
        ] {
            let datagram = [action.to_be_bytes(), transaction.to_be_bytes()].concat();
            let reply = Reply::parse(&datagram).unwrap();
            assert_eq!(answers(reply, begun), expected, "{action} {transaction} {begun}");
        }
    }
}
