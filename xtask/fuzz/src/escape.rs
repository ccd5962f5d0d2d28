//! Escaping of untrusted text: the output neither controls nor deceives a terminal, harmless text is unchanged, and escapes
//! can be undone. Errors that quote untrusted text are shown so too, with all their causes.

use crate::memory;
use peer_session::{HandshakeFailure, NotBitTorrent};

use guard::ErrorChain;
use peer_wire::Handshake;
use std::error::Error;
use std::fmt;

/// One byte can become six characters: `\u{1b}`.
const LONGEST: usize = 6;
/// A string has at most twice the capacity it needs.
const TIMES_THE_INPUT: usize = 2 * LONGEST;
/// The first capacity of a string.
const BESIDE: usize = 64;

/// Checks the properties above for one input.
pub fn check(input: &[u8]) {
    let shown = memory::bounded(TIMES_THE_INPUT * input.len() + BESIDE, || guard::escape_bytes(input).to_string());
    assert_harmless(&shown);
    assert!(shown.len() <= LONGEST * input.len());
    assert_eq!(guard::escape(&shown).to_string(), shown, "what is escaped once is escaped");
    if let Ok(text) = std::str::from_utf8(input) {
        assert_eq!(guard::escape(text).to_string(), shown);
        assert!(text.chars().any(|character| deceives(character) || character.is_control()) || shown == text);
    }
    // A backslash is shown as it is, so that escapes can be undone only where the input has none.
    if !input.contains(&b'\\') {
        assert_eq!(unescaped(&shown), input);
    }
    errors(input);
}

/// Errors that quote a tracker or a peer.
fn errors(input: &[u8]) {
    let reason = String::from_utf8_lossy(input).into_owned();
    let beginning = input[..input.len().min(Handshake::LENGTH)].to_vec();
    let over_http = tracker::Error::Failure(tracker::Failure { reason: reason.clone(), ..tracker::Failure::default() });
    let over_udp = tracker::udp::DatagramError::Failure { reason };
    let of_a_peer = HandshakeFailure::NotBitTorrent(NotBitTorrent { beginning });
    assert_shown(Outer(Box::new(over_http)));
    assert_shown(Outer(Box::new(over_udp)));
    assert_shown(Outer(Box::new(of_a_peer)));
}

/// An error with a cause.
#[derive(Debug)]
struct Outer(Box<dyn Error>);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("outer")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref())
    }
}

fn assert_shown(outer: Outer) {
    let shown = assert_error(&outer);
    assert!(shown.strip_prefix("outer: ").is_some_and(|inner| inner.starts_with(&outer.0.to_string())));
}

/// The error with its causes as it is shown, after asserting that its text is not empty and harmless.
pub(crate) fn assert_error(error: &(dyn Error + 'static)) -> String {
    let shown = ErrorChain(error).to_string();
    assert!(!shown.is_empty() && !shown.contains('\n'));
    assert_harmless(&shown);
    shown
}

/// Asserts that text is harmless to a terminal.
pub(crate) fn assert_harmless(shown: &str) {
    let bad = shown.chars().find(|&character| deceives(character) || character.is_control());
    assert_eq!(bad, None, "in {shown:?}");
}

/// Characters that are invisible or reorder others: `Default_Ignorable_Code_Point` of the Unicode Character Database 16.0 but for
/// the sixteen variation selectors that emoji and scripts need, the separators of lines and paragraphs, and the marks of
/// interlinear annotation.
fn deceives(character: char) -> bool {
    matches!(u32::from(character),
        0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e
        | 0x2060..=0x206f | 0x3164 | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a
        | 0xe0000..=0xe0fff)
}

/// The bytes that escapes stand for.
fn unescaped(shown: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = shown;
    while let Some((before, escape)) = rest.split_once('\\') {
        bytes.extend(before.as_bytes());
        let (kind, after) = escape.split_at(1);
        rest = match kind {
            "n" | "r" | "t" => {
                bytes.push(match kind {
                    "n" => b'\n',
                    "r" => b'\r',
                    _ => b'\t',
                });
                after
            }
            "x" => {
                bytes.push(u8::from_str_radix(&after[..2], 16).expect("two digits"));
                &after[2..]
            }
            _ => {
                let (digits, after) = after.strip_prefix('{').and_then(|rest| rest.split_once('}')).expect("braces");
                let number = u32::from_str_radix(digits, 16).expect("digits");
                let character = char::from_u32(number).expect("a character");
                bytes.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
                after
            }
        };
    }
    bytes.extend(rest.as_bytes());
    bytes
}
