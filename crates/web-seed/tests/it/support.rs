//! The server's end of the stream.

use guard::ErrorChain;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::yield_now;
use web_seed::{ByteRange, Client, Connection, Error, Fetched, WebSeedUrl};

/// The deadline of a request.
pub(crate) const LIMIT: Duration = Duration::from_secs(15);

/// What the server does after its answer.
#[derive(Clone, Copy)]
pub(crate) enum Then {
    Waits,
    Closes,
}

/// How a request ended.
pub(crate) struct Ended {
    pub(crate) request: String,
    pub(crate) result: Result<Fetched, Error>,
    pub(crate) bytes: Vec<u8>,
    /// Whether the connection can be used again.
    pub(crate) open: bool,
}

impl Ended {
    /// In one line.
    pub(crate) fn line(&self) -> String {
        let end = match &self.result {
            Ok(fetched) => format!("ok: status {}, {} bytes", fetched.status, self.bytes.len()),
            Err(error) => format!("{}: {}", error.code(), ErrorChain(error)),
        };
        format!("{end}; {}", if self.open { "open" } else { "closed" })
    }
}

pub(crate) fn url() -> WebSeedUrl {
    "http://seed.example/file".parse().unwrap()
}

/// The last `count` bytes of a file of `length`.
pub(crate) fn tail(count: u64, length: u64) -> ByteRange {
    ByteRange::new(length - count, count, length).unwrap()
}

/// Reads a request to its end.
pub(crate) async fn request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0, "no complete request");
    }
    String::from_utf8(request).unwrap()
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Asked {
    Range(ByteRange),
    Piece(u64),
}

/// One request over the connection.
pub(crate) async fn fetch(
    connection: &mut Connection<DuplexStream>,
    url: &WebSeedUrl,
    asked: Asked,
    bytes: &mut Vec<u8>,
) -> Result<Fetched, Error> {
    let mut sink = |came: &[u8]| bytes.extend_from_slice(came);
    match asked {
        Asked::Range(range) => connection.fetch_range(url, range, LIMIT, &mut sink).await,
        Asked::Piece(count) => connection.fetch_piece(url, count, LIMIT, &mut sink).await,
    }
}

/// A request to a server that answers with `reply`, written in pieces of `piece` bytes.
pub(crate) async fn answered(url: &WebSeedUrl, asked: Asked, reply: &[u8], piece: usize, then: Then) -> Ended {
    let (ours, mut theirs) = tokio::io::duplex(64 << 10);
    let mut connection = Client::default().over(ours).await.unwrap();
    let mut bytes = Vec::new();
    let server = async move {
        let request = request(&mut theirs).await;
        for piece in reply.chunks(piece) {
            if theirs.write_all(piece).await.is_err() {
                break;
            }
            yield_now().await;
        }
        (request, matches!(then, Then::Waits).then_some(theirs))
    };
    let (result, (request, _theirs)) = tokio::join!(fetch(&mut connection, url, asked, &mut bytes), server);
    Ended { request, result, bytes, open: connection.is_open() }
}
