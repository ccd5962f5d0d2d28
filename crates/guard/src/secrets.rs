//! The secrets of announce URLs, to be hidden wherever they come back.
//!
//! What [`redact_url`](crate::redact_url) hides of a URL may stand in other text too: a tracker repeats the passkey that it
//! was sent in a failure, as the host of a redirect or as the name of a peer; a torrent, in its comment.

use crate::redact::{HIDDEN, PLAIN_NAMES, PLAIN_SEGMENTS, Parts, decode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Shortest text that is looked for, in bytes: a passkey has 16 characters and more, and `1` stands everywhere.
const SHORTEST: usize = 6;

/// An ordinary word or number, such as `debian-13` in `/debian-13/announce`, is a secret from this length on.
const SHORTEST_WORD: usize = 16;

/// Most bytes of secrets that [`Secrets::of_all`] keeps, those of the first URLs. Passkeys have 32; a torrent of many
/// megabytes of URLs shall not take as many again.
const MOST_BYTES: usize = 1 << 20;

/// Names of parameters whose values are secrets, whatever they look like.
const SECRET_NAMES: [&str; 7] = ["passkey", "authkey", "key", "auth", "token", "torrent_pass", "uk"];

/// What is secret in URLs. Cheap to clone; clones share.
#[derive(Clone, Default)]
pub struct Secrets(Vec<Arc<[Box<str>]>>);

/// A secret as it stands in a URL.
struct Found {
    text: String,
    /// Whether its place says that it is one.
    is_certain: bool,
}

impl Secrets {
    /// The secrets of `url` as they are written, percent-decoded, and sent: for what its own tracker says, and so with
    /// everything that may be one.
    #[must_use]
    pub fn of(url: &str) -> Self {
        Self::from_list(found(url).map(|found| found.text))
    }

    /// The secrets of all these URLs: for text that is not of their trackers. A path or parameter that is an ordinary word
    /// is none here, lest a torrent called `debian` have its name hidden by `/debian/announce`.
    #[must_use]
    pub fn of_all<'u>(urls: impl IntoIterator<Item = &'u str>) -> Self {
        let mut bytes = 0;
        let found = urls.into_iter().flat_map(found).filter(|found| found.is_certain || !is_ordinary(&found.text));
        Self::from_list(found.map(|found| found.text).take_while(|text| {
            bytes += text.len();
            bytes <= MOST_BYTES
        }))
    }

    /// These secrets and others, such as those of a URL that a redirect leads to.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().cloned());
        self
    }

    /// Whether there is nothing to hide.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each once, in lower case and in order, as [`longest`] needs it.
    fn from_list(secrets: impl Iterator<Item = String>) -> Self {
        let long_enough = secrets.filter(|secret| secret.len() >= SHORTEST);
        let mut list: Vec<Box<str>> = long_enough.map(|secret| secret.to_ascii_lowercase().into()).collect();
        list.sort_unstable();
        list.dedup();
        if list.is_empty() { Self::default() } else { Self(vec![list.into()]) }
    }

    /// `text` without the secrets, in whatever case they stand there, and without the beginning of one that was cut off
    /// by an ellipsis.
    #[must_use]
    pub fn conceal(&self, text: &str) -> String {
        // A secret begins and ends where characters do.
        String::from_utf8_lossy(&self.conceal_bytes(text.as_bytes())).into_owned()
    }

    /// [`conceal`](Self::conceal) for bytes that should be UTF-8; those that are not stay as they are.
    #[must_use]
    pub fn conceal_bytes<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let places = self.places(text);
        if places.is_empty() { text.into() } else { hide(text, places).into() }
    }

    /// Puts a `*` for each byte that is part of a secret, also one of which the bytes are the hexadecimal digits. For what
    /// has to keep its length, as a peer id and a dump.
    pub fn mask(&self, bytes: &mut [u8]) {
        if self.is_empty() {
            return;
        }
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let of_digits = |place: Range<usize>| place.start / 2..place.end.div_ceil(2);
        let places: Vec<_> =
            self.places(bytes).into_iter().chain(self.places(hex.as_bytes()).into_iter().map(of_digits)).collect();
        for place in places {
            bytes.get_mut(place).into_iter().flatten().for_each(|byte| *byte = b'*');
        }
    }

    /// Where secrets stand, in order; some overlap. The time it takes does not grow with the number of secrets.
    fn places(&self, text: &[u8]) -> Vec<Range<usize>> {
        if self.is_empty() {
            return Vec::new();
        }
        // ASCII case changes no length, so that offsets in one are offsets in the other.
        let lower_case = text.to_ascii_lowercase();
        let longest_at = |from: usize| {
            let rest = lower_case.get(from..)?;
            let length = self.0.iter().filter_map(|list| longest(list, rest)).max()?;
            Some(from..from + length)
        };
        (0..lower_case.len()).filter_map(longest_at).collect()
    }
}

/// The length of the longest of `secrets`, which are in order, that `text` begins with, or of the beginning of one that an
/// ellipsis follows. Byte by byte it looks at those only that go on as the text does.
fn longest(secrets: &[Box<str>], text: &[u8]) -> Option<usize> {
    let mut these = secrets;
    let mut whole = None;
    for (length, &byte) in text.iter().enumerate() {
        if length >= SHORTEST && text.get(length..).is_some_and(|rest| rest.starts_with("…".as_bytes())) {
            return Some(length);
        }
        let at = |secret: &str| secret.as_bytes().get(length).copied();
        let begin = these.partition_point(|secret| at(secret) < Some(byte));
        let end = these.partition_point(|secret| at(secret) <= Some(byte));
        these = these.get(begin..end)?;
        match these.first() {
            None => break,
            Some(first) if first.len() == length + 1 => whole = Some(length + 1),
            Some(_) => {}
        }
    }
    whole
}

/// Replaces the places, which are in order of their beginnings; those that overlap are one.
fn hide(text: &[u8], places: impl IntoIterator<Item = Range<usize>>) -> Vec<u8> {
    let mut shown = Vec::with_capacity(text.len());
    let mut rest = 0;
    for Range { start, end } in places {
        if start >= rest {
            shown.extend_from_slice(text.get(rest..start).unwrap_or_default());
            shown.extend_from_slice(HIDDEN.as_bytes());
        }
        rest = rest.max(end);
    }
    shown.extend_from_slice(text.get(rest..).unwrap_or_default());
    shown
}

/// What may be secret in `url`, in every form in which it may come back.
fn found(url: &str) -> impl Iterator<Item = Found> {
    let Parts { userinfo, path, query, .. } = Parts::of(url).unwrap_or_default();
    let segments = path.into_iter().flat_map(|path| path.split('/'));
    let segments = segments.filter(|segment| !PLAIN_SEGMENTS.contains(segment)).map(|segment| (segment, false));
    let pairs = query.into_iter().flat_map(|query| query.split('&'));
    let values = pairs.flat_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        [(name, false), (value, SECRET_NAMES.contains(&name.to_ascii_lowercase().as_str()))]
    });
    let values = values.filter(|(value, _)| !PLAIN_NAMES.contains(value));
    let users = userinfo.into_iter().flat_map(|userinfo| userinfo.split(':')).zip([false, true]);
    let written = segments
        .chain(values)
        .chain(users)
        .flat_map(|(secret, is_certain)| forms(secret).into_iter().map(move |text| Found { text, is_certain }));
    written.chain(userinfo.map(|userinfo| Found { text: basic(userinfo), is_certain: true }))
}

/// As written, decoded, and as we would show it; and what a server may make of `;`, `&` and `+`.
fn forms(secret: &str) -> Vec<String> {
    let decoded = decode(secret);
    let shown = crate::escape(&decoded).to_string();
    let spaced = decoded.replace('+', " ");
    let mut forms: Vec<String> = secret.split([';', '&', '+']).map(str::to_owned).collect();
    forms.extend([secret.to_owned(), decoded, shown, spaced]);
    // Mostly all of them are the same.
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// Words and numbers with something between them. In a passkey letters and digits are mixed, or it is long.
fn is_ordinary(text: &str) -> bool {
    let mut parts = text.split(|character: char| !character.is_alphanumeric());
    let is_one = |part: &str| part.chars().all(char::is_alphabetic) || part.chars().all(char::is_numeric);
    text.len() < SHORTEST_WORD && parts.all(is_one)
}

/// User name and password as Basic authentication sends them (RFC 7617).
fn basic(userinfo: &str) -> String {
    let decoded = decode(userinfo);
    let colon = if decoded.contains(':') { "" } else { ":" };
    BASE64.encode(format!("{decoded}{colon}"))
}

/// Tells how many there are, not what they are.
impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secrets({})", self.0.iter().map(|list| list.len()).sum::<usize>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_tracker_repeats_is_hidden_too() {
        let secrets = Secrets::of("http://me:passw0rd@t.example/0123456789abcdef/announce?passkey=a%2Fs3cret&port=1");
        let text = "no such passkey a/s3cret (a%2Fs3cret) of 0123456789abcdef, passw0rd, port 1";
        assert_eq!(secrets.conceal(text), "no such passkey *** (***) of ***, ***, port 1");
        assert_eq!(secrets.conceal("A/S3CRET and 01234567…"), "*** and ***…");
        assert_eq!(secrets.conceal("PASSW0…, passw…, passw0r… passw0r…"), "***…, passw…, ***… ***…");
        assert!(!format!("{secrets:?}").contains("s3cret"));
        let odd = Secrets::of("http://t.example/announce;sess10n?passkey=pass+word123&pid=tab%09key99");
        assert_eq!(odd.conceal("sess10n, pass word123, word123, tab\\tkey99"), "***, ***, ***, ***");
        assert_eq!(Secrets::of("http://t.example/announce").conceal("announce"), "announce");
        let more = Secrets::of("http://t.example/s3cret-and-more");
        let both = Secrets::of("http://t.example/announce?passkey=s3cret").and(&more);
        assert_eq!(both.conceal("s3cret-and-more, s3cret"), "***, ***");
        for userinfo in ["Aladdin:open%20sesame", "Aladdin"] {
            let secrets = Secrets::of(&format!("http://{userinfo}@t.example/announce"));
            let sent = secrets.conceal("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== QWxhZGRpbjo=");
            assert!(
                ["Basic *** QWxhZGRpbjo=", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ== ***"].contains(&sent.as_str()),
                "{sent}"
            );
        }
    }

    #[test]
    fn words_are_no_secrets_in_the_text_of_others() {
        for (url, text, shown) in [
            ("http://t/debian/announce", "debian-13.iso", "debian-13.iso"),
            ("http://t/debian-13/announce", "debian-13.iso", "debian-13.iso"),
            ("http://t/libtorrent/announce", "libtorrent 2.0", "libtorrent 2.0"),
            ("http://t/20240101/announce?hd=bluray", "bluray 20240101", "bluray 20240101"),
            ("http://t/0123456789abcdef/announce", "of 0123456789ABCDEF!", "of ***!"),
            ("http://t/s3cret/announce", "s3cret", "***"),
            ("http://t/wordwordwordword/announce", "wordwordwordword", "***"),
            ("http://t/announce?passkey=abcdefgh", "abcdefgh", "***"),
            ("http://debian:hunter@t/announce", "debian hunter", "debian ***"),
        ] {
            assert_eq!(Secrets::of_all([url]).conceal(text), shown, "{url}");
        }
        let all = Secrets::of_all(["http://t/s3cret1/announce", "udp://u/announce", "http://v/s3cret2/announce"]);
        assert_eq!(all.conceal("s3cret1 s3cret2 s3cret3"), "*** *** s3cret3");
        assert_eq!(all.conceal_bytes(b"\xff s3cret2"), &b"\xff ***"[..]);
        assert!(Secrets::of_all(["udp://u:80/announce", "nonsense"]).is_empty());
    }

    #[test]
    fn what_has_to_keep_its_length_is_masked() {
        let secrets = Secrets::of_all(["http://t/k3y4you/announce", "http://t/00ff7f80a1b2c3d4/announce"]);
        for (bytes, masked) in [
            (&b"-qB5010-K3Y4you99999"[..], &b"-qB5010-*******99999"[..]),
            (&b"x\x00\xff\x7f\x80\xa1\xb2\xc3\xd4y"[..], &b"x********y"[..]),
            // It begins in the middle of a byte.
            (&b"\xf0\x0f\xf7\xf8\x0a\x1b\x2c\x3d\x4f"[..], &b"*********"[..]),
            (&b"\x13BitTorrent protocol"[..], &b"\x13BitTorrent protocol"[..]),
        ] {
            let mut bytes = bytes.to_vec();
            secrets.mask(&mut bytes);
            assert_eq!(bytes, masked, "{}", masked.escape_ascii());
        }
    }

    #[test]
    fn neither_long_secrets_nor_many_take_long() {
        // Beginning by beginning it would take minutes: half a million times through all of the text.
        let secrets = Secrets::of(&format!("http://t.example/announce/{}", "S3cret;%41+x".repeat(20_000)));
        let shown = secrets.conceal(&"no, S3cre… S3cret;%41… ".repeat(40));
        assert_eq!(shown, "no, S3cre… ***… ".repeat(40));
        let many: Vec<String> = (0..100_000).map(|n| format!("http://t/k3y{n:06}/announce")).collect();
        let secrets = Secrets::of_all(many.iter().map(String::as_str));
        for _ in 0..1000 {
            assert_eq!(secrets.conceal("no k3y004711 here"), "no *** here");
        }
        let sum: usize = secrets.0.iter().flat_map(|list| list.iter()).map(|secret| secret.len()).sum();
        assert!(sum <= MOST_BYTES, "{sum}");
    }

    #[test]
    fn secrets_that_overlap_are_all_hidden() {
        // The longer one begins before the other and ends in it.
        let secrets = Secrets::of("http://t.example/announce?passkey=s3cret99&pid=announce?passkey=s3cr");
        assert_eq!(secrets.conceal("/announce?passkey=s3cret99, s3cret99"), "/***, ***");
        assert_eq!(secrets.conceal("announce?passkey=s3cret9…"), "***…");
    }

    /// As it is said in words: each secret at each place, and each beginning that an ellipsis follows.
    fn hide_one_by_one(text: &str, secrets: &[String]) -> String {
        let begins = |at: usize, secret: &str| {
            let here = |part: &str| text.get(at..at + part.len()).is_some_and(|here| here.eq_ignore_ascii_case(part));
            let is_cut = |end: usize| text.get(at + end..).is_some_and(|rest| rest.starts_with('…'));
            let cut = (SHORTEST..secret.len()).filter(|&end| is_cut(end) && secret.get(..end).is_some_and(here));
            cut.chain(Some(secret.len()).filter(|_| here(secret))).max()
        };
        let places = (0..text.len()).filter_map(|at| {
            let length = secrets.iter().filter_map(|secret| begins(at, secret)).max()?;
            Some(at..at + length)
        });
        String::from_utf8(hide(text.as_bytes(), places)).unwrap()
    }

    proptest! {
        #[test]
        fn the_longest_is_found_everywhere(
            secrets in proptest::collection::vec("[abä]{6,12}", 0..4), text in "([abAäÄ]{0,14}…?){0,4}",
        ) {
            let secrets: Vec<String> = secrets;
            let list = Secrets::from_list(secrets.iter().cloned());
            prop_assert_eq!(list.conceal(&text), hide_one_by_one(&text, &secrets));
        }
    }
}
