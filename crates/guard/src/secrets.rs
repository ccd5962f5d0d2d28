//! The secrets of announce URLs, to be hidden in other text.
//!
//! What [`redact_url`](crate::redact::redact_url) hides of a URL may occur elsewhere: a tracker repeats the passkey it was sent in a
//! failure reason, as the host of a redirect or in a peer's name; a torrent, in its comment.

use crate::redact::{HIDDEN, PLAIN_NAMES, PLAIN_SEGMENTS, Parts, decode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Shortest text that counts as a secret, in bytes: a passkey has at least 16 characters, and `1` occurs everywhere.
const SHORTEST: usize = 6;

/// An ordinary word or number, such as `debian-13` in `/debian-13/announce`, counts as a secret from this length on, in
/// bytes.
const SHORTEST_WORD: usize = 16;

/// Most bytes of secrets that [`Secrets::of_all`] keeps, those of the first URLs. A passkey has 32; a torrent with many
/// megabytes of URLs must not double its memory.
const MOST_BYTES: usize = 1 << 20;

/// Names of parameters whose values are secrets even if they look like ordinary words.
const SECRET_NAMES: [&str; 7] = ["passkey", "authkey", "key", "auth", "token", "torrent_pass", "uk"];

/// The secrets in some URLs. Cheap to clone: clones share memory.
#[derive(Clone, Default)]
pub struct Secrets(Vec<Arc<[Box<str>]>>);

/// A secret found in a URL.
struct Found {
    text: String,
    /// Whether its position, and not only its form, makes it a secret.
    is_certain: bool,
}

impl Secrets {
    /// The secrets of `url` as written, percent-decoded, and sent: for text from its own tracker, and therefore with
    /// everything that may be a secret.
    #[must_use]
    pub fn of(url: &str) -> Self {
        Self::from_list(found(url).map(|found| found.text))
    }

    /// The secrets of all these URLs: for text that is not from their trackers. Here an ordinary word in a path or parameter
    /// is not a secret; otherwise `/debian/announce` would hide the name of a torrent called `debian`.
    #[must_use]
    pub fn of_all<'u>(urls: impl IntoIterator<Item = &'u str>) -> Self {
        Self::of_others(urls.into_iter().flat_map(found))
    }

    /// The same of web seeds (BEP 17, 19), whose paths tell which files they serve and are no secrets.
    #[must_use]
    pub fn of_web_seeds<'u>(urls: impl IntoIterator<Item = &'u str>) -> Self {
        let of = |url| {
            let mut parts = Parts::of(url).unwrap_or_default();
            parts.path = None;
            found_in(parts)
        };
        Self::of_others(urls.into_iter().flat_map(of))
    }

    fn of_others(found: impl Iterator<Item = Found>) -> Self {
        let mut bytes = 0;
        let found = found.filter(|found| found.is_certain || !is_ordinary(&found.text));
        Self::from_list(found.map(|found| found.text).take_while(|text| {
            bytes += text.len();
            bytes <= MOST_BYTES
        }))
    }

    /// These secrets and `others`, such as those of a redirect's target.
    #[must_use]
    pub fn and(mut self, others: &Self) -> Self {
        self.0.extend(others.0.iter().cloned());
        self
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each once, in lower case and sorted, as [`longest`] needs them.
    fn from_list(secrets: impl Iterator<Item = String>) -> Self {
        let long_enough = secrets.filter(|secret| secret.len() >= SHORTEST);
        let mut list: Vec<Box<str>> = long_enough.map(|secret| secret.to_ascii_lowercase().into()).collect();
        list.sort_unstable();
        list.dedup();
        if list.is_empty() { Self::default() } else { Self(vec![list.into()]) }
    }

    /// `text` with every secret hidden, in upper or lower case, and every beginning of a secret that an ellipsis cut off.
    #[must_use]
    pub fn conceal(&self, text: &str) -> String {
        // A secret begins and ends at character boundaries.
        String::from_utf8_lossy(&self.conceal_bytes(text.as_bytes())).into_owned()
    }

    /// [`conceal`](Self::conceal) for bytes that should be UTF-8; invalid ones are unchanged.
    #[must_use]
    pub fn conceal_bytes<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let places = self.places(text);
        if places.is_empty() { text.into() } else { hide(text, places).into() }
    }

    /// Replaces each byte of a secret by `*`, also where the bytes are a secret whose text is their hexadecimal form. For
    /// data that must keep its length, such as a peer id or a dump.
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

    /// Where secrets occur, in order; ranges may overlap. The time does not grow with the number of secrets.
    fn places(&self, text: &[u8]) -> Vec<Range<usize>> {
        if self.is_empty() {
            return Vec::new();
        }
        // ASCII case changes no length, so offsets are the same in both.
        let lower_case = text.to_ascii_lowercase();
        let longest_at = |from: usize| {
            let rest = lower_case.get(from..)?;
            let length = self.0.iter().filter_map(|list| longest(list, rest)).max()?;
            Some(from..from + length)
        };
        (0..lower_case.len()).filter_map(longest_at).collect()
    }
}

/// The length of the longest of the sorted `secrets` that `text` begins with, or of the beginning of a secret that an
/// ellipsis follows. Byte by byte the list is narrowed to the secrets that still agree with the text.
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

/// Replaces these ranges, which are sorted by their starts; overlapping ones are replaced together.
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

/// What may be secret in `url`, in every form in which a tracker may repeat it.
fn found(url: &str) -> impl Iterator<Item = Found> {
    found_in(Parts::of(url).unwrap_or_default())
}

fn found_in(Parts { userinfo, path, query, .. }: Parts<'_>) -> impl Iterator<Item = Found> {
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

/// As written, decoded, and escaped for display; split where a server may split at `;`, `&` and `+`.
fn forms(secret: &str) -> Vec<String> {
    let decoded = decode(secret);
    let shown = crate::escape::escape(&decoded).to_string();
    let spaced = decoded.replace('+', " ");
    let mut forms: Vec<String> = secret.split([';', '&', '+']).map(str::to_owned).collect();
    forms.extend([secret.to_owned(), decoded, shown, spaced]);
    // Usually all of them are the same.
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// Short words and numbers with separators. A passkey mixes letters and digits, or is long.
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

/// Shows how many there are, not what they are.
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
    fn a_secret_is_hidden_in_every_form_a_tracker_may_repeat() {
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
    fn ordinary_words_are_not_hidden_in_text_from_elsewhere() {
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
    fn masking_keeps_the_length_and_finds_hexadecimal_secrets() {
        let secrets = Secrets::of_all(["http://t/k3y4you/announce", "http://t/00ff7f80a1b2c3d4/announce"]);
        for (bytes, masked) in [
            (&b"-qB5010-K3Y4you99999"[..], &b"-qB5010-*******99999"[..]),
            (&b"x\x00\xff\x7f\x80\xa1\xb2\xc3\xd4y"[..], &b"x********y"[..]),
            // The hexadecimal form begins in the middle of a byte.
            (&b"\xf0\x0f\xf7\xf8\x0a\x1b\x2c\x3d\x4f"[..], &b"*********"[..]),
            (&b"\x13BitTorrent protocol"[..], &b"\x13BitTorrent protocol"[..]),
        ] {
            let mut bytes = bytes.to_vec();
            secrets.mask(&mut bytes);
            assert_eq!(bytes, masked, "{}", masked.escape_ascii());
        }
    }

    #[test]
    fn long_and_many_secrets_are_concealed_in_linear_time() {
        // Searching for each beginning of the secret would take minutes: half a million passes over the text.
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
    fn overlapping_secrets_are_hidden_together() {
        // The longer secret begins before the other and ends within it.
        let secrets = Secrets::of("http://t.example/announce?passkey=s3cret99&pid=announce?passkey=s3cr");
        assert_eq!(secrets.conceal("/announce?passkey=s3cret99, s3cret99"), "/***, ***");
        assert_eq!(secrets.conceal("announce?passkey=s3cret9…"), "***…");
    }

    /// The specification, without the narrowing: each secret at each offset, and each beginning that an ellipsis follows.
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
        fn concealing_agrees_with_the_specification(
            secrets in proptest::collection::vec("[abä]{6,12}", 0..4), text in "([abAäÄ]{0,14}…?){0,4}",
        ) {
            let secrets: Vec<String> = secrets;
            let list = Secrets::from_list(secrets.iter().cloned());
            prop_assert_eq!(list.conceal(&text), hide_one_by_one(&text, &secrets));
        }
    }

    #[test]
    fn a_web_seeds_path_is_no_secret_and_its_query_is() {
        let url = "https://u5er:hunter22@w.example/pub/linux-6.12/0d4f1c8b7a6e5d3c/?token=abc123def&v=stable";
        let secrets = Secrets::of_web_seeds([url, "nonsense"]);
        let shown = secrets.conceal("/pub/linux-6.12/0d4f1c8b7a6e5d3c/ABC123DEF stable hunter22");
        assert_eq!(shown, "/pub/linux-6.12/0d4f1c8b7a6e5d3c/*** stable ***");
    }
}
