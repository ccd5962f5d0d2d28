//! Names the software behind peer ids, given as 40 hexadecimal digits:
//! `cargo run -p ids --example which_client -- 2d7142343532302d6162636465666768696a6b6c`

use ids::PeerId;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    for digits in std::env::args().skip(1) {
        let peer_id = PeerId::from_hex(&digits)?;
        match peer_id.client() {
            Some(client) => println!("{peer_id}  {client}"),
            None => println!("{peer_id}  names no client"),
        }
    }
    Ok(())
}
