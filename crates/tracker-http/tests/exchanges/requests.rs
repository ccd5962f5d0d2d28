//! What is sent.

use crate::support::{announce, request};
use tracker::TrackerUrl;
use tracker_http::Client;

async fn sent(url: &str) -> (String, String) {
    let url: TrackerUrl = url.parse().unwrap();
    let (ours, mut theirs) = tokio::io::duplex(64 << 10);
    let (client, announce) = (Client::default(), announce());
    let tracker = async {
        let request = request(&mut theirs).await;
        drop(theirs);
        request
    };
    let (_, request) = tokio::join!(client.announce(ours, &url, &announce), tracker);
    let (line, headers) = request.split_once("\r\n").unwrap();
    (line.to_owned(), headers.to_owned())
}

#[tokio::test]
async fn an_announce_is_complete_and_honest() {
    let (line, headers) = sent("http://t.example:6969/announce?passkey=s3cret").await;
    assert!(line.starts_with("GET /announce?passkey=s3cret&info_hash=%AB%AB"), "{line}");
    assert!(line.ends_with(" HTTP/1.1"), "{line}");
    for header in ["host: t.example:6969", "user-agent: bt-handshake/", "accept-encoding: gzip", "connection: close"] {
        assert!(headers.contains(header), "{headers}");
    }
}
