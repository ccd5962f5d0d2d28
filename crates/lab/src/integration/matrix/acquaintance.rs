//! Another client at our address, to which the clients are connected already.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::Duration;

use fake_swarm::{HANDSHAKE_LENGTH, RESERVED, handshake};
use tokio::net::TcpSocket;
use xtask::shell::Result;

use crate::integration::torrents::hash_bytes;

/// How long a client may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connects from an address, shakes hands in the clear, and stays for as long as this is kept.
pub(super) fn stay(from: IpAddr, at: SocketAddr, info_hash: &str) -> Result<TcpStream> {
    let shaken = || -> std::io::Result<TcpStream> {
        let mut stream = connect(from, at)?;
        stream.write_all(&handshake(RESERVED, &hash_bytes(info_hash), b"-qB4520-acquaintance"))?;
        stream.read_exact(&mut [0; HANDSHAKE_LENGTH])?;
        Ok(stream)
    };
    shaken().map_err(|error| format!("no acquaintance with {at}: {error}"))
}

fn connect(from: IpAddr, at: SocketAddr) -> std::io::Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stream = runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(from, 0))?;
        socket.connect(at).await?.into_std()
    })?;
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}
