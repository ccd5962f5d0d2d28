//! The server's end of the stream.

use http_exchange::{Connection, Error, Limits, Request, Response};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::yield_now;

pub(crate) const BODY: &str = "the body";

/// The deadline of an exchange.
pub(crate) const LIMIT: Duration = Duration::from_secs(15);

/// A request for `/file` at `t.example`.
pub(crate) fn get() -> Request {
    Request::get("/file", "t.example")
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

/// The result of one exchange over a new connection.
pub(crate) async fn exchanged(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    request: Request,
) -> Result<Response, Error> {
    Connection::over(stream, Limits::DEFAULT).await?.exchange(request, LIMIT).await
}

/// The request that a server received, and the result of the exchange with its `reply`, after which it closes.
pub(crate) async fn answered(asked: Request, reply: &[u8]) -> (String, Result<Response, Error>) {
    let (ours, mut theirs) = tokio::io::duplex(64 << 10);
    let server = async move {
        let request = request(&mut theirs).await;
        write(&mut theirs, reply, 60_000).await;
        request
    };
    let (response, request) = tokio::join!(exchanged(ours, asked), server);
    (request, response)
}
