//! What a tracker or a web seed was asked.

use std::net::SocketAddr;

/// One request, as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Path and query, as sent.
    pub target: String,
    /// The headers in the order sent, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Where it came from.
    pub remote: SocketAddr,
}

impl Request {
    /// The path: what comes before the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// The path with its escapes decoded.
    #[must_use]
    pub fn decoded_path(&self) -> String {
        String::from_utf8_lossy(&decoded(self.path())).into_owned()
    }

    /// The first value of a query parameter, still percent-encoded; the key is compared as it was sent.
    #[must_use]
    pub fn query(&self, key: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.find(|(name, _)| *name == key).map(|(_, value)| value.to_owned())
    }

    /// Every `info_hash` of the query that is 20 bytes, in the order sent: several in a scrape (BEP 48).
    #[must_use]
    pub fn info_hashes(&self) -> Vec<[u8; 20]> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let values = query.split('&').filter_map(|pair| pair.strip_prefix("info_hash="));
        values.filter_map(|value| decoded(value).try_into().ok()).collect()
    }

    /// The announce's `event` (BEP 3): `started`, `stopped`, `completed`, or `None` for a regular announce.
    #[must_use]
    pub fn event(&self) -> Option<String> {
        self.query("event").filter(|event| !event.is_empty())
    }

    /// The first value of a header; the name in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Reads a request's head (up to its empty line), as far as it can be read.
    #[must_use]
    pub fn parse(head: &[u8], remote: SocketAddr) -> Self {
        let text = String::from_utf8_lossy(head);
        let mut lines = text.split("\r\n");
        let target = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Self { target, headers, remote }
    }
}

/// The bytes of a percent-encoded value; a `%` without two digits stands for itself.
fn decoded(value: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let byte = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(head: &str) -> Request {
        Request::parse(head.as_bytes(), SocketAddr::from(([127, 0, 0, 1], 4000)))
    }

    #[test]
    fn a_whole_head() {
        let request = request(
            "GET /x/announce?info_hash=%01%ff&event=started&empty=&port=6881 HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\
             User-Agent: ping\r\n\r\n",
        );
        assert_eq!(request.path(), "/x/announce");
        assert_eq!(request.query("info_hash").unwrap(), "%01%ff");
        assert_eq!(request.query("port").unwrap(), "6881");
        assert_eq!(request.query("empty").unwrap(), "");
        assert_eq!(request.query("hash"), None);
        assert_eq!(request.event().unwrap(), "started");
        assert_eq!(request.header("HOST"), Some("127.0.0.1:80"));
        assert_eq!(request.header("accept"), None);
        assert_eq!(request.headers.len(), 2);
    }

    #[test]
    fn nonsense_is_no_panic() {
        assert_eq!(request("").target, "");
        assert_eq!(request("\r\n\r\n").query("a"), None);
        assert_eq!(request("GET /announce?event= HTTP/1.1").event(), None);
    }

    #[test]
    fn every_info_hash() {
        let (a, b) = ("a".repeat(20), "%Fb".repeat(20));
        let request =
            request(&format!("GET /scrape?info_hash={a}&x=y&info_hash={b}&info_hash=%61&info_hash HTTP/1.1\r\n\r\n"));
        assert_eq!(request.info_hashes(), [[b'a'; 20], [0xfb; 20]]);
        assert_eq!(decoded("%4a%zz%4"), b"J%zz%4");
    }

    #[test]
    fn a_path_is_decoded_without_its_query() {
        assert_eq!(request("GET /a%23b+%c3%a9%2f?%41 HTTP/1.1\r\n\r\n").decoded_path(), "/a#b+\u{e9}/");
    }
}
