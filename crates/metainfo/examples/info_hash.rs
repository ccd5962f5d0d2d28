//! Prints the name, size and info-hash of each torrent, both hashes of a hybrid:
//! `cargo run -p metainfo --example info_hash -- FILE.torrent...`

use metainfo::Torrent;
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    for path in std::env::args().skip(1) {
        let torrent = Torrent::parse(&std::fs::read(path)?)?;
        let bytes = torrent.content_size();
        // A name is untrusted text: `{:?}` escapes control characters.
        println!("{:?}, {bytes} bytes", torrent.name_lossy());
        if let Some(v1) = torrent.hashes.v1() {
            println!("  v1 {v1}");
        }
        if let Some(v2) = torrent.hashes.v2() {
            println!("  v2 {v2}");
        }
    }
    Ok(())
}
