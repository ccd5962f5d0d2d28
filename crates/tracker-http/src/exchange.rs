//! The exchange: one request, one reply, one connection.

use crate::Error;
use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, CONNECTION, CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::pin::pin;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tracker::{Announce, Announced, TrackerUrl};

/// How trackers are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Deadline for the whole exchange, from the first byte written to the last one read.
    pub timeout: Duration,
    /// Who we say we are; some trackers refuse those who say nothing.
    pub user_agent: String,
}

/// A tracker's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What it says.
    pub announced: Announced,
    /// HTTP status: 200.
    pub status: u16,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(15),
            user_agent: concat!("bt-handshake/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// How much of a body that is no tracker's is worth showing, in bytes.
const SHOWN_BYTES: usize = 80;
/// Header lines accepted; real ones send under 20, a proxy in front may add as many.
const MAX_HEADERS: usize = 100;
/// Bytes of response head accepted; also bounds what is read ahead of the body.
const MAX_HEAD_BYTES: usize = 64 << 10;

impl Client {
    /// Longest body read, in bytes: 5,000 dictionary peers are 400 KB; libtorrent takes 1 MiB.
    pub const MAX_BODY: usize = 2 << 20;

    /// Asks the tracker at the other end of `stream`. Once this has been called the tracker may have counted us.
    ///
    /// # Errors
    /// Whatever kept the tracker from naming peers; see [`Error`].
    pub async fn announce<S>(&self, stream: S, url: &TrackerUrl, announce: &Announce<'_>) -> Result<Reply, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let request = self.request(url, announce)?;
        let body = tokio::time::timeout(self.timeout, exchange(stream, request)).await;
        let (head, body) = body.map_err(|_| Error::Timeout(self.timeout))??;
        judge(head, &body)
    }

    fn request(&self, url: &TrackerUrl, announce: &Announce<'_>) -> Result<Request<Empty<Bytes>>, Error> {
        Request::get(url.target_with(&announce.query()))
            .header(HOST, url.authority())
            .header(USER_AGENT, &self.user_agent)
            .header(ACCEPT, "*/*")
            .header(CONNECTION, "close")
            .body(Empty::new())
            .map_err(Error::Request)
    }
}

/// A response's head and as much of its body as came.
struct Head {
    status: StatusCode,
    headers: HeaderMap,
    /// Why the body may be incomplete.
    broken: Option<hyper::Error>,
}

async fn exchange<S>(stream: S, request: Request<Empty<Bytes>>) -> Result<(Head, Vec<u8>), Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut builder = http1::Builder::new();
    builder.max_headers(MAX_HEADERS).max_buf_size(MAX_HEAD_BYTES);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(classify)?;
    let mut reply = pin!(async {
        let response = sender.send_request(request).await.map_err(classify)?;
        read(response).await
    });
    // The connection does the work that the reply waits for. It ends first when the tracker closes, and then whatever
    // it has read is still on its way to us.
    tokio::select! {
        biased;
        reply = &mut reply => return reply,
        _ = connection => {}
    }
    reply.await
}

/// Reads the body up to the limit. One that ends early is kept: it may be whole for all its wrong length.
async fn read(response: Response<Incoming>) -> Result<(Head, Vec<u8>), Error> {
    let (parts, mut incoming) = response.into_parts();
    let mut head = Head { status: parts.status, headers: parts.headers, broken: None };
    let mut body = Vec::new();
    while let Some(frame) = incoming.frame().await {
        match frame {
            Ok(frame) => {
                let data = frame.into_data().unwrap_or_default();
                if body.len() + data.len() > Client::MAX_BODY {
                    return Err(Error::TooLarge { limit: Client::MAX_BODY });
                }
                body.extend_from_slice(&data);
            }
            Err(error) => {
                head.broken = Some(error);
                break;
            }
        }
    }
    Ok((head, body))
}

fn judge(head: Head, body: &[u8]) -> Result<Reply, Error> {
    let Head { status, headers, broken } = head;
    let header = |name| headers.get(name).map(|value: &hyper::header::HeaderValue| value.as_bytes());
    let code = status.as_u16();
    let announced = Announced::parse(body);
    if status.is_redirection()
        && let Some(location) = header(LOCATION)
    {
        return Err(Error::Redirect { status: code, location: String::from_utf8_lossy(location).into_owned() });
    }
    match (announced, broken) {
        // Only 200 brings peers; everything else is an error that may have brought its reason along.
        (Err(tracker::Error::Failure { reason, .. }), _) if status == StatusCode::OK => Err(Error::Failure(reason)),
        (Err(tracker::Error::Failure { reason, .. }), _) => Err(Error::Status { status: code, reason: Some(reason) }),
        (_, _) if status != StatusCode::OK => Err(Error::Status { status: code, reason: None }),
        (Ok(announced), _) => Ok(Reply { announced, status: code }),
        (Err(_), Some(broken)) => Err(Error::Incomplete(broken)),
        (Err(source), None) => {
            let content_type = header(CONTENT_TYPE)
                .map_or_else(|| "no content type".to_owned(), |value| guard::escape_bytes(value).to_string());
            let mut beginning = guard::escape_bytes(body.get(..SHOWN_BYTES).unwrap_or(body)).to_string();
            if body.len() > SHOWN_BYTES {
                beginning.push('…');
            }
            Err(Error::NotATracker { content_type, beginning, source })
        }
    }
}

fn classify(error: hyper::Error) -> Error {
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        Error::Closed(error)
    } else if error.is_parse() {
        Error::NotHttp(error)
    } else {
        Error::Connection(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tracker::Event;

    fn announce() -> Announce<'static> {
        Announce {
            info_hash: ids::InfoHash([0xab; 20]),
            peer_id: ids::PeerId::new([0; 12]),
            port: 50_000,
            uploaded: 0,
            downloaded: 0,
            left: 1,
            event: Event::Started,
            numwant: Some(200),
            key: 1,
            crypto: tracker::Crypto::None,
            tracker_id: None,
        }
    }

    /// What is understood of `reply`, sent in pieces of `piece` bytes; the connection closes after it, or stays open.
    async fn understood(reply: &[u8], piece: usize, stays_open: bool) -> (Result<Reply, Error>, String) {
        let (ours, mut theirs) = tokio::io::duplex(64 << 10);
        let url: TrackerUrl = "http://t.example:6969/announce?passkey=s3cret".parse().unwrap();
        let client = Client::default();
        let announce = announce();
        let server = async {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                theirs.read_buf(&mut request).await.unwrap();
            }
            for piece in reply.chunks(piece) {
                if theirs.write_all(piece).await.is_err() {
                    break;
                }
            }
            if !stays_open {
                drop(theirs);
                return (request, None);
            }
            (request, Some(theirs))
        };
        let (result, (request, _open)) = tokio::join!(client.announce(ours, &url, &announce), server);
        (result, String::from_utf8(request).unwrap())
    }

    async fn error(reply: &[u8]) -> String {
        understood(reply, 1000, false).await.0.unwrap_err().to_string()
    }

    const BODY: &str = "d8:intervali1800e5:peers6:\x7f\0\0\x01\x1a\x61e";

    #[tokio::test]
    async fn the_request_is_complete_and_honest() {
        let (_, request) = understood(b"", 1, false).await;
        let (line, headers) = request.split_once("\r\n").unwrap();
        assert!(line.starts_with("GET /announce?passkey=s3cret&info_hash=%AB%AB"), "{line}");
        assert!(line.ends_with(" HTTP/1.1"), "{line}");
        for header in ["host: t.example:6969", "user-agent: bt-handshake/", "connection: close"] {
            assert!(headers.contains(header), "{headers}");
        }
    }

    #[tokio::test]
    async fn replies_of_every_framing_in_pieces_of_any_size() {
        let length = BODY.len();
        for reply in [
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{BODY}"),
            format!("HTTP/1.0 200 OK\r\n\r\n{BODY}"),
            format!("HTTP/1.1 200 OK\ncontent-length: {length}\n\n{BODY}"),
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}    \r\n\r\n{BODY}\r\n", length + 2),
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{BODY}\r\n0\r\n\r\n"),
            format!("HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{BODY}"),
        ] {
            for piece in [1, 7, 1000] {
                let (reply, _) = understood(reply.as_bytes(), piece, false).await;
                let announced = reply.unwrap().announced;
                assert_eq!((announced.peers.len(), announced.interval), (1, Some(1800)));
            }
        }
    }

    #[tokio::test]
    async fn what_came_back_instead_is_said() {
        assert_eq!(error(b"").await, "connection closed without a reply");
        assert_eq!(error(b"SSH-2.0-OpenSSH_9.2\r\n").await, "not an HTTP reply");
        assert_eq!(
            error(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nd14:").await,
            "connection closed in the middle of the reply"
        );
        assert_eq!(error(b"HTTP/1.0 404 Not Found\r\n\r\n<html>").await, "HTTP 404");
        assert_eq!(
            error(b"HTTP/1.1 302 Found\r\nLocation: http://x/PASS/announce\r\n\r\n").await,
            "HTTP 302: redirects to http://x/***/announce"
        );
        let failure = "d14:failure reason6:banned\x1be".replace("6:", "7:");
        assert_eq!(
            error(format!("HTTP/1.0 200 OK\r\n\r\n{failure}").as_bytes()).await,
            "tracker refuses: banned\\u{1b}"
        );
        assert_eq!(error(format!("HTTP/1.0 403 No\r\n\r\n{failure}").as_bytes()).await, "HTTP 403: banned\\u{1b}");
        assert_eq!(
            error(b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<html>\x07").await,
            "not a tracker's reply (text/html): <html>\\u{7}"
        );
        let huge = [b"HTTP/1.0 200 OK\r\n\r\n".to_vec(), vec![b'x'; Client::MAX_BODY + 1]].concat();
        assert_eq!(understood(&huge, 60_000, false).await.0.unwrap_err().code(), "too_large");
    }

    #[tokio::test(start_paused = true)]
    async fn silence_and_half_a_reply_end_at_the_deadline() {
        for reply in [&b""[..], b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nd8:"] {
            let (result, _) = understood(reply, 1000, true).await;
            assert_eq!(result.unwrap_err().to_string(), "no complete reply within 15 s");
        }
    }
}
