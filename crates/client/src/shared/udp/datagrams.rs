//! A UDP socket to many addresses: datagrams in and out, and which addresses refuse them.

use crate::net::connect;
use crate::net::route::Route;
use socket2::SockRef;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// How often a datagram is sent again whose sending failed, perhaps for an earlier one.
const AGAIN: usize = 8;

/// A UDP socket that is connected to no address.
#[derive(Debug)]
pub(crate) struct Datagrams(UdpSocket);

impl Datagrams {
    /// Binds the port if it is free, or else any.
    pub(crate) fn bind(port: u16, is_v6: bool, route: Route) -> io::Result<Self> {
        connect::udp(port, is_v6, route).or_else(|_| connect::udp(0, is_v6, route)).map(Self)
    }

    pub(crate) fn send(&self, to: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        let mut tries = 0..AGAIN;
        loop {
            // Past the runtime, which takes a new socket for one that cannot be written.
            match SockRef::from(&self.0).send_to(datagram, &to.into()) {
                // Where refusals are kept, that of an earlier datagram, to another address, is reported in place of sending this one.
                Err(error) if error.kind() != io::ErrorKind::WouldBlock && tries.next().is_some() => {}
                // This address has said nothing yet: others were refused meanwhile, and the datagram counts as lost.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(()),
                sent => return sent.map(drop),
            }
        }
    }

    /// The next datagram that has arrived: its length and sender.
    pub(crate) fn receive(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.try_recv_from(buffer)
    }

    /// Ready when there may be something to read.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.0.readable().await
    }
}

impl AsRawFd for Datagrams {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

/// Only Linux tells of a socket to many addresses which of them refuses datagrams (ICMP). On other systems a refusal is silence.
#[cfg(target_os = "linux")]
impl Datagrams {
    /// Lets the system keep refusals, which then have to be [taken](Self::refusal): they take room from datagrams.
    pub(crate) fn keep_refusals(&self, is_v6: bool) -> io::Result<()> {
        use nix::sys::socket::{setsockopt, sockopt};
        let kept = match is_v6 {
            false => setsockopt(&self.0, sockopt::Ipv4RecvErr, &true),
            true => setsockopt(&self.0, sockopt::Ipv6RecvErr, &true),
        };
        Ok(kept?)
    }

    /// Ready when there may be something to read or a refusal to be taken.
    pub(crate) async fn ready(&self) -> io::Result<()> {
        self.0.ready(Interest::READABLE | Interest::ERROR).await.map(drop)
    }

    /// The next refusal: of which address, and what it means; [`WouldBlock`](io::ErrorKind::WouldBlock) if there is none.
    pub(crate) fn refusal(&self) -> io::Result<(SocketAddr, io::Error)> {
        use nix::sys::socket::{ControlMessageOwned as Control, MsgFlags, SockaddrStorage, recvmsg};
        use std::os::fd::AsRawFd;
        self.0.try_io(Interest::ERROR, || {
            // Of the datagram itself nothing is needed.
            let mut control = nix::cmsg_space!([u8; 128]);
            let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
            let message = recvmsg::<SockaddrStorage>(self.0.as_raw_fd(), &mut [], Some(&mut control), flags)?;
            let address = message.address.and_then(|address| {
                let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
                v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
            });
            let cause = message.cmsgs()?.find_map(|control| match control {
                Control::Ipv4RecvErr(error, _) | Control::Ipv6RecvErr(error, _) => i32::try_from(error.ee_errno).ok(),
                _ => None,
            });
            let (Some(address), Some(cause)) = (address, cause) else { return Err(io::ErrorKind::InvalidData.into()) };
            Ok((address, io::Error::from_raw_os_error(cause)))
        })
    }
}

#[cfg(not(target_os = "linux"))]
impl Datagrams {
    pub(crate) fn keep_refusals(&self, _is_v6: bool) -> io::Result<()> {
        Ok(())
    }

    pub(crate) async fn ready(&self) -> io::Result<()> {
        self.readable().await
    }

    pub(crate) fn refusal(&self) -> io::Result<(SocketAddr, io::Error)> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}
