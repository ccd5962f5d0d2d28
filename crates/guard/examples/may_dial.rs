//! Prints which of a tracker's peers may be dialled, by the address at which the tracker was reached:
//! `cargo run -p guard --example may_dial -- TRACKER_IP PEER_IP:PORT...`

use guard::AddressPolicy;
use std::error::Error;
use std::net::SocketAddr;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let tracker = args.next().ok_or("usage: may_dial TRACKER_IP PEER_IP:PORT...")?;
    let policy = AddressPolicy::for_peers_of(tracker.parse()?);
    for peer in args {
        let peer: SocketAddr = peer.parse()?;
        match policy.check(peer) {
            Ok(()) => println!("{peer}  may be dialled"),
            Err(refusal) => println!("{peer}  no: {refusal}"),
        }
    }
    Ok(())
}
