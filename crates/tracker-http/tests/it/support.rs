//! The other end of the stream.

use flate2::Compression;
use flate2::write::GzEncoder;
use ids::{InfoHash, PeerId};
use std::io::Write;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::task::yield_now;
use tracker::{Announce, Announced, Scrape, Scraped, TrackerUrl};
use tracker_http::{Client, Error, Reply};

/// A URL with a secret.
pub(crate) const URL: &str = "http://t.example:6969/announce?passkey=s3cretkey";

/// A reply with one peer.
pub(crate) const BODY: &str = "d8:intervali1800e5:peers6:\x7f\0\0\x01\x1a\x61e";

pub(crate) fn announce() -> Announce<'static> {
    Announce::started(InfoHash([0xab; 20]), PeerId::new([0; 12]), 50_000, 1).with_numwant(Some(200))
}

pub(crate) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// What the tracker does after its reply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Closes,
    StaysOpen,
}

/// Reads a request to its end.
pub(crate) async fn request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0, "no complete request");
    }
    String::from_utf8(request).unwrap()
}

/// Writes `reply` in pieces, each read by the client before the next one, until the client closes.
pub(crate) async fn write(stream: &mut (impl AsyncWrite + Unpin), reply: &[u8], piece: usize) {
    for piece in reply.chunks(piece) {
        if stream.write_all(piece).await.is_err() {
            break;
        }
        yield_now().await;
    }
}

/// The result of [`announce`] over a new connection.
pub(crate) async fn announced<S>(client: &Client, stream: S, url: &TrackerUrl) -> Result<Reply<Announced>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    client.over(stream).await?.announce(url, &announce()).await
}

/// The result of an announce with `reply`, sent in pieces of `piece` bytes.
pub(crate) async fn replied(reply: &[u8], piece: usize, then: Then) -> Result<Reply<Announced>, Error> {
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let (client, url) = (Client::default(), URL.parse::<TrackerUrl>().unwrap());
    tokio::join!(announced(&client, ours, &url), play(theirs, reply, piece, then)).0
}

/// [`replied`] to a scrape.
pub(crate) async fn replied_to_scrape(reply: &[u8], piece: usize, then: Then) -> Result<Reply<Scraped>, Error> {
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let (client, url) = (Client::default(), URL.parse::<TrackerUrl>().unwrap().scrape().unwrap());
    let scrape = Scrape::new([announce().info_hash]).unwrap();
    let asking = async { client.over(ours).await?.scrape(&url, &scrape).await };
    tokio::join!(asking, play(theirs, reply, piece, then)).0
}

/// The result of an announce with `reply`, whose bytes from `at` on come later.
pub(crate) async fn replied_in_two(reply: &[u8], at: usize) -> Result<Reply<Announced>, Error> {
    let (ours, mut theirs) = tokio::io::duplex(64 << 10);
    let (client, url) = (Client::default(), URL.parse::<TrackerUrl>().unwrap());
    let (first, rest) = reply.split_at(at);
    let tracker = async move {
        request(&mut theirs).await;
        write(&mut theirs, first, 60_000).await;
        write(&mut theirs, rest, 60_000).await;
    };
    tokio::join!(announced(&client, ours, &url), tracker).0
}

/// A tracker that reads a request and writes `reply`; gives the stream back when it stays open.
async fn play(mut stream: DuplexStream, reply: &[u8], piece: usize, then: Then) -> Option<DuplexStream> {
    request(&mut stream).await;
    write(&mut stream, reply, piece).await;
    (then == Then::StaysOpen).then_some(stream)
}

/// The error and its causes as text, for a reply that ends with the connection.
pub(crate) async fn refused(reply: &[u8]) -> String {
    let error = replied(reply, 60_000, Then::Closes).await.unwrap_err();
    format!("{}: {}", error.code(), guard::ErrorChain(&error))
}
