//! Web seeds: an input has, line by line, a URL, the target of a redirect, the name of a torrent, the path of a file, and the
//! parts of an answer: status, length, `Content-Range`, `Content-Encoding`. A URL of a file leads to the same server and is the
//! file's name again once it is decoded; an answer is right only if it names exactly the range that was asked for.

use crate::memory;
use ids::InfoHash;
use std::net::IpAddr;
use tracker::{Host, Scheme, UrlError};
use web_seed::{ByteRange, Content, Error, FileUrlError, Head, Quirk, WebSeedUrl};

/// Memory for each byte of a URL: each takes three when it is escaped, in growing strings, and in the parts that are kept.
const TIMES_THE_INPUT: usize = 32;
/// Memory for any input.
const BESIDE: usize = 4 << 10;

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    let mut lines = input.split(|&byte| byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (url, location) = (String::from_utf8_lossy(line()), String::from_utf8_lossy(line()));
    let (name, path) = (line(), line());
    let path: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
    let parsed = memory::bounded(TIMES_THE_INPUT * url.len() + BESIDE, || url.parse::<WebSeedUrl>());
    match parsed {
        Ok(url) => {
            again(&url);
            for is_single_file in [true, false] {
                file(&url, Content { name, is_single_file }, &path);
            }
            piece(&url, name);
            redirect(&url, &location);
        }
        Err(error) => assert!(error != UrlError::Downgrade && error != UrlError::MissingPort),
    }
    let number = |text: &[u8]| std::str::from_utf8(text).ok().and_then(|text| text.parse::<u64>().ok());
    let head = Head {
        status: number(line()).and_then(|status| u16::try_from(status).ok()).unwrap_or(206),
        length: number(line()),
        content_range: Some(line()),
        content_encoding: Some(line()),
        ..Head::default()
    };
    judge(&head);
}

/// An accepted URL is ASCII without a fragment, and the same when it is read again.
fn again(url: &WebSeedUrl) {
    let text = url.expose();
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'), "{text}");
    assert_eq!(text.parse().as_ref(), Ok(url));
    assert!(url.port() != 0 && matches!(url.scheme(), Scheme::Http | Scheme::Https));
    if let Host::Ip(IpAddr::V6(ip)) = url.host() {
        assert!(text.contains('['), "{ip}");
    }
}

fn origin(url: &WebSeedUrl) -> (Scheme, &Host, u16, bool) {
    (url.scheme(), url.host(), url.port(), url.has_user_info())
}

/// Undoes percent-encoding, independently of the crate that does it elsewhere.
fn decoded(text: &str) -> Vec<u8> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        assert_eq!(digits, digits.to_ascii_uppercase());
        bytes.push(u8::from_str_radix(digits, 16).expect("two digits"));
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

fn file(url: &WebSeedUrl, content: Content<'_>, path: &[&[u8]]) {
    let is_safe = |name: &[u8]| !matches!(name, b"" | b"." | b"..") && !name.contains(&b'/');
    let mut names = vec![content.name];
    names.extend(path.iter().filter(|_| !content.is_single_file));
    match url.of_file(content, path) {
        Ok(there) if there == *url && content.is_single_file => {}
        Ok(there) => {
            again(&there);
            assert_eq!(origin(&there), origin(url));
            let appended = there.expose().strip_prefix(url.expose()).expect("names are appended");
            let appended = appended.strip_prefix('/').unwrap_or(appended);
            let found: Vec<Vec<u8>> = appended.split('/').map(decoded).collect();
            assert!(found.iter().map(Vec::as_slice).eq(names.iter().copied()), "{there:?}");
            assert!(names.iter().all(|name| is_safe(name)));
        }
        Err(FileUrlError::Name) => assert!(names.iter().any(|name| !is_safe(name))),
        Err(error) => assert!(matches!(error, FileUrlError::Url(UrlError::TooLong { .. })), "{error}"),
    }
    let quirks = Quirk::of(url, content, [path]);
    assert!(quirks.is_sorted_by(|one, other| one < other));
    let named = |byte: u8| names.iter().any(|name| name.contains(&byte));
    assert!(!quirks.contains(&Quirk::NumberSign) || named(b'#'));
    assert!(!quirks.contains(&Quirk::PercentSign) || named(b'%'));
}

fn piece(url: &WebSeedUrl, name: &[u8]) {
    let mut hash = [0; 20];
    hash.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
    let range = ByteRange::new(7, 9, 99).expect("nine bytes");
    match url.of_piece(InfoHash(hash), 5, range) {
        Ok(there) => {
            again(&there);
            assert_eq!(origin(&there), origin(url));
            let (_, query) = there.expose().rsplit_once("info_hash=").expect("a query");
            let hex = query.strip_suffix("&piece=5&ranges=7-15").expect("the rest of it");
            assert_eq!(decoded(hex), hash);
        }
        Err(error) => assert!(matches!(error, UrlError::TooLong { .. }), "{error}"),
    }
}

/// A redirect leads to HTTP or HTTPS, from HTTPS only to HTTPS, and keeps credentials only for the same origin.
fn redirect(url: &WebSeedUrl, location: &str) {
    match url.redirect(location) {
        Ok(there) => {
            again(&there);
            assert!(there.scheme() == Scheme::Https || url.scheme() == Scheme::Http);
            let same = (there.scheme(), there.host(), there.port()) == (url.scheme(), url.host(), url.port());
            assert_eq!(there.has_user_info(), same && url.has_user_info());
        }
        Err(error) => assert!(error != UrlError::UnknownScheme && error != UrlError::UserInfo),
    }
}

/// The last 8 bytes of a file of 99 were asked for.
fn judge(head: &Head<'_>) {
    let range = ByteRange::new(91, 8, 99).expect("eight bytes");
    let encoding = head.content_encoding.unwrap_or_default().trim_ascii().to_ascii_lowercase();
    let content_range = String::from_utf8_lossy(head.content_range.unwrap_or_default()).to_ascii_lowercase();
    let result = memory::bounded(BESIDE + 8 * content_range.len(), || head.judge_range(range));
    let is_plain = encoding.is_empty() || encoding == b"identity";
    let length_is_right = head.length.is_none_or(|length| length == 8);
    match &result {
        Ok(()) => {
            assert!(head.status == 206 && is_plain && length_is_right);
            let mut numbers = content_range.trim_start().strip_prefix("bytes").expect("the unit").split(['-', '/']);
            let mut number = || numbers.next().and_then(|number| number.trim().parse::<u64>().ok());
            assert_eq!((number(), number(), number(), number()), (Some(91), Some(98), Some(99), None));
        }
        Err(error) => {
            assert!(head.status != 206 || !is_plain || !length_is_right || content_range != "bytes 91-98/99");
            refused(error, head.status);
        }
    }
    if let Err(error) = head.judge_piece(8) {
        refused(&error, head.status);
    } else {
        assert!(head.status == 200 && is_plain && length_is_right);
    }
}

/// An error tells its status and a size that is not the right one, in text that a terminal can show.
fn refused(error: &Error, status: u16) {
    assert_eq!(error.http_status(), Some(status));
    let said = error.to_string();
    assert!(!said.is_empty() && said.len() < 1000 && !said.chars().any(char::is_control), "{said}");
    match error {
        Error::WrongSize { size, expected, .. } => assert!(size != expected && error.size() == Some(*size)),
        Error::RangeIgnored { size } => assert_eq!((*size, status), (99, 200)),
        _ => assert_eq!(error.size(), None),
    }
}
