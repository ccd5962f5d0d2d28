//! `metadata HOST:PORT INFO-HASH`: asks one peer for the info dictionary and for the peers it knows.

use ids::{InfoHash, PeerId};
use peer_session::{
    Assembly, ByteBudget, Extensions, Greeting, Hello, Listening, MetadataLimits, PexRecord, Progress, Rules, Session,
    UtPex,
};
use peer_wire::{Handshake, Reserved};
use sha1::{Digest, Sha1};
use std::error::Error;
use std::pin::pin;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [peer, info_hash] = arguments.as_slice() else { return Err("usage: metadata HOST:PORT INFO-HASH".into()) };
    let info_hash: InfoHash = info_hash.parse()?;
    let rules = Rules {
        handshake_timeout: Duration::from_secs(5),
        listening: Listening {
            time: Duration::from_secs(2),
            bytes: 1 << 20,
            message_bytes: 1 << 16,
            pieces: None.into(),
            budget: ByteBudget::new(16 << 20),
        },
        entropy: |bytes| getrandom::fill(bytes).map_err(std::io::Error::other),
        is_ours: Box::new(|_| false),
        client: "example/1.0".to_owned(),
        secrets: guard::Secrets::default(),
    };
    let mut random = [0; 12];
    (rules.entropy)(&mut random)?;
    let reserved = Reserved::FAST | Reserved::EXTENSION_PROTOCOL;
    let ours = Handshake { reserved, info_hash, peer_id: PeerId::new(random) };

    let is_right = move |info: &[u8]| Sha1::digest(info)[..] == info_hash.0;
    let assembly = Assembly::new(MetadataLimits::default(), &ByteBudget::new(16 << 20), is_right);
    let record = PexRecord::default();
    let mut extensions = Extensions::default()
        .with(Box::new(assembly.with(peer.clone())))
        .with(Box::new(UtPex::new(record.clone())))
        .within(Duration::from_secs(60));

    let mut stream = TcpStream::connect(peer).await?;
    // A request waits for nothing.
    stream.set_nodelay(true)?;
    let (greeting, mut progress) = (Greeting::new(ours), Progress::default());
    let hello = Hello { greeting: &greeting, peer_id: ours.peer_id };
    let session = Session { hello, rules: &rules, extensions: Some(&mut extensions) };
    session.run(&mut stream, pin!(sleep_until(Instant::now())), &mut progress).await?;

    let client = progress.advertised.extension.as_ref().and_then(|extension| extension.client.as_deref());
    println!("{}", client.unwrap_or("no name").escape_debug());
    println!("{:#?}", assembly.report());
    println!("info dictionary: {:?} bytes", assembly.finished().map(|info| info.len()));
    println!("{:#?}", record.heard());
    Ok(())
}
