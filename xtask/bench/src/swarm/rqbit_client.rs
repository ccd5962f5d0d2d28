//! librqbit-utp as a client: a task a peer, at most so many at once. Its limit of 128 connections is a default and is raised, and its
//! window is set to ours.

use crate::reading::Reading;
use crate::{Result, addresses, engine_client, wire};
use librqbit_utp::{SocketOpts, UtpSocketUdp, UtpSocketUdpOpts};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

/// The argument with which this program starts itself as this client.
pub(crate) const TASK: &str = "rqbit-client";

/// Dials the first `peers` peers at `port`, `at_once` of them at a time, for `patience` milliseconds each.
pub(crate) fn run(args: &[&str]) -> Result {
    let [info_hash, peers, port, at_once, patience] = *args else { return Err("wrong arguments".into()) };
    let (port, peers, at_once) = (port.parse()?, peers.parse()?, at_once.parse()?);
    let patience = Duration::from_millis(patience.parse()?);
    let info_hash: [u8; 20] = info_hash.as_bytes().try_into()?;
    let reading = engine_client::runtime()?.block_on(shake(info_hash, peers, port, at_once, patience))?;
    println!("{}", { reading }.summary().to_line());
    Ok(())
}

async fn shake(info_hash: [u8; 20], peers: u32, port: u16, at_once: usize, patience: Duration) -> Result<Reading> {
    let options = SocketOpts {
        vsock_rx_bufsize_bytes: NonZeroUsize::new(64 << 10),
        max_live_vsocks: NonZeroUsize::new(peers as usize),
        ..SocketOpts::default()
    };
    let ours = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0).into();
    let socket = UtpSocketUdp::new_udp_with_opts(ours, options, UtpSocketUdpOpts::default()).await?;
    let (begun, mut reading) = (Instant::now(), Reading::with_capacity(peers as usize));
    let (mut dials, mut next) = (JoinSet::new(), 0);
    while next < peers || !dials.is_empty() {
        while next < peers && dials.len() < at_once {
            let to = SocketAddrV4::new(addresses::of_peer(next), port).into();
            dials.spawn(tokio::time::timeout(patience, dial(Arc::clone(&socket), to, info_hash)));
            next += 1;
        }
        match dials.join_next().await.transpose()? {
            Some(Ok(Some(took))) => reading.ok(took, begun.elapsed()),
            _ => reading.failed(),
        }
    }
    Ok(reading)
}

async fn dial(socket: Arc<UtpSocketUdp>, to: SocketAddr, info_hash: [u8; 20]) -> Option<Duration> {
    let begun = Instant::now();
    let mut stream = socket.connect(to).await.ok()?;
    stream.write_all(&wire::handshake([0; 8], &info_hash, b"-BN0100-rqbitrqbitrq")).await.ok()?;
    let mut answer = [0; wire::LENGTH];
    stream.read_exact(&mut answer).await.ok()?;
    wire::is_part_of_an_answer(&answer, 0, &info_hash).then(|| begun.elapsed())
}
