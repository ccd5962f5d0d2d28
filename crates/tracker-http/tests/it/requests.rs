//! Requests as a tracker receives them.

use crate::support::{announced, request};
use tokio::io::DuplexStream;
use tracker::{Scrape, TrackerUrl};
use tracker_http::Client;

/// The received request: its first line, and its header lines.
async fn received(mut tracker: DuplexStream) -> (String, String) {
    let request = request(&mut tracker).await;
    let (line, headers) = request.split_once("\r\n").unwrap();
    (line.to_owned(), headers.to_owned())
}

async fn sent(url: &str) -> (String, String) {
    let url: TrackerUrl = url.parse().unwrap();
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let client = Client::default();
    tokio::join!(announced(&client, ours, &url), received(theirs)).1
}

#[tokio::test]
async fn an_announce_has_its_query_and_four_headers() {
    let (line, headers) = sent("http://t.example:6969/announce?passkey=s3cret").await;
    assert!(line.starts_with("GET /announce?passkey=s3cret&info_hash=%AB%AB"), "{line}");
    assert!(line.ends_with("&event=started HTTP/1.1"), "{line}");
    let mut lines: Vec<&str> = headers.lines().filter(|line| !line.is_empty()).collect();
    lines.sort_unstable();
    let user_agent = concat!("user-agent: bt-handshake/", env!("CARGO_PKG_VERSION"));
    assert_eq!(lines, ["accept-encoding: gzip", "accept: */*", "host: t.example:6969", user_agent]);
}

#[tokio::test]
async fn a_scrape_names_each_torrent() {
    let url: TrackerUrl = "http://t.example/scrape.php?passkey=s3cret".parse().unwrap();
    let scrape = Scrape::new([ids::InfoHash([b'a'; 20]), ids::InfoHash([0xab; 20])]).unwrap();
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    let mut connection = Client::default().over(ours).await.unwrap();
    let (_, (line, _)) = tokio::join!(connection.scrape(&url, &scrape), received(theirs));
    let (a, b) = ("a".repeat(20), "%AB".repeat(20));
    assert_eq!(line, format!("GET /scrape.php?passkey=s3cret&info_hash={a}&info_hash={b} HTTP/1.1"));
}

#[tokio::test]
async fn user_name_and_password_are_not_part_of_the_url() {
    for (url, authorization) in [
        ("http://t.example/announce", None),
        // RFC 7617, section 2.
        ("http://Aladdin:open%20sesame@t.example/announce", Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")),
        ("https://test:123%C2%A3@t.example:8443/announce", Some("Basic dGVzdDoxMjPCow==")),
    ] {
        let (line, headers) = sent(url).await;
        let told = headers.lines().find_map(|line| line.strip_prefix("authorization: "));
        assert_eq!(told, authorization);
        assert!(line.starts_with("GET /announce?"), "{line}");
        assert!(headers.contains("host: t.example") && !headers.contains('@'), "{headers}");
    }
}
