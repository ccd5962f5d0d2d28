//! `metadata HOST:PORT INFO-HASH`: asks one peer for the info dictionary and for the peers it knows.

use peer_session::*;
use sha1::{Digest, Sha1};
use std::{error::Error, pin::pin, time::Duration};
use tokio::{net::TcpStream, time::Instant, time::sleep_until};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut stream = TcpStream::connect(arguments.next().ok_or("which peer?")?).await?;
    stream.set_nodelay(true)?; // A request waits for nothing.
    let info_hash: ids::InfoHash = arguments.next().ok_or("which torrent?")?.parse()?;
    let (memory, handshake_timeout) = (ByteBudget::new(16 << 20), Duration::from_secs(5));
    let (pieces, budget) = (PieceCount::default(), memory.clone());
    let rules = Rules {
        listening: Listening { time: handshake_timeout, bytes: 1 << 20, message_bytes: 1 << 16, pieces, budget },
        handshake_timeout,
        entropy: |bytes| getrandom::fill(bytes).map_err(std::io::Error::other),
        is_ours: Box::new(|_| false),
        client: "example/1.0".to_owned(),
        secrets: guard::Secrets::default(),
    };
    let reserved = peer_wire::Reserved::FAST | peer_wire::Reserved::EXTENSION_PROTOCOL;
    let mut random = [0; 12];
    getrandom::fill(&mut random)?;
    let ours = peer_wire::Handshake { reserved, info_hash, peer_id: ids::PeerId::new(random) };
    let is_right = move |info: &[u8]| Sha1::digest(info)[..] == info_hash.0;
    let (assembly, record) = (Assembly::new(MetadataLimits::default(), &memory, is_right), PexRecord::default());
    let pex = || Box::new(UtPex::new(record.clone()));
    let all = || Extensions::default().with(Box::new(assembly.with("it"))).with(pex());
    let mut extensions = |_: Met<'_>| all().within(Duration::from_secs(60));
    let (greeting, mut progress) = (Greeting::new(ours), Progress::default());
    let hello = Hello { greeting: &greeting, peer_id: ours.peer_id };
    let session = Session { hello, rules: &rules, extensions: Some(&mut extensions) };
    let alarm = pin!(sleep_until(Instant::now()));
    if let Ended::Heard(Some(mut rest)) = session.run(&mut stream, alarm, &mut progress).await? {
        rest.listen(&mut stream, &rules).await;
    }
    let (metadata, named) = (assembly.release().unwrap_or_default().len(), record.heard().peers.len());
    println!("{metadata} bytes of metadata, {named} peers named");
    Ok(())
}
