//! `metadata HOST:PORT INFO-HASH`: asks one peer for the info dictionary and for the peers it knows.

use peer_session::*;
use peer_wire::{Handshake, Reserved};
use sha1::{Digest, Sha1};
use std::{error::Error, pin::pin, time::Duration};
use tokio::{net::TcpStream, time::Instant, time::sleep_until};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut stream = TcpStream::connect(arguments.next().ok_or("which peer?")?).await?;
    stream.set_nodelay(true)?; // A request waits for nothing.
    let info_hash: ids::InfoHash = arguments.next().ok_or("which torrent?")?.parse()?;
    let (memory, pieces, time) = (ByteBudget::new(16 << 20), PieceCount::default(), Duration::from_secs(5));
    let rules = Rules {
        listening: Listening { time, bytes: 1 << 20, message_bytes: 1 << 16, pieces, budget: memory.clone() },
        handshake_timeout: time,
        entropy: |bytes| getrandom::fill(bytes).map_err(std::io::Error::other),
        is_ours: Box::new(|_| false),
        client: "example/1.0".to_owned(),
        secrets: guard::Secrets::default(),
    };
    let (reserved, peer_id) = (Reserved::FAST | Reserved::EXTENSION_PROTOCOL, ids::PeerId::new(*b"one-of-many-"));
    let greeting = Greeting::new(Handshake { reserved, info_hash, peer_id });
    let is_right = move |info: &[u8]| Sha1::digest(info)[..] == info_hash.0;
    let (assembly, record) = (Assembly::new(MetadataLimits::default(), &memory, is_right), PexRecord::default());
    let (member, pex) = (|| Box::new(assembly.with("it")), || Box::new(UtPex::new(record.clone())));
    let mut extensions = |_: Met<'_>| Extensions::default().with(member()).with(pex()).within(Duration::from_secs(60));
    let session =
        Session { hello: Hello { greeting: &greeting, peer_id }, rules: &rules, extensions: Some(&mut extensions) };
    let alarm = pin!(sleep_until(Instant::now()));
    if let Ended::Heard(Some(mut rest)) = session.run(&mut stream, alarm, &mut Progress::default()).await? {
        rest.listen(&mut stream, &rules).await;
    }
    let (metadata, named) = (assembly.release().unwrap_or_default().len(), record.heard().peers.len());
    println!("{metadata} bytes of metadata, {named} peers named");
    Ok(())
}
