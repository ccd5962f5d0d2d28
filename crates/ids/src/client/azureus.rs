//! Azureus style, the most common: `-`, two characters for the client, four for the version, `-`.

use super::ClientName;
use super::codes::CODES;
use super::version::{Spelling, digit, pair, release};
use std::borrow::Cow;

/// BEP 20: "A number of clients begin the peer id with a dash followed by two characters to identify the client
/// implementation, four ascii digits to denote version number, and a dash."
pub(super) fn identify(id: &[u8; 20]) -> Option<ClientName> {
    let &[b'-', x, y, a, b, c, d, end, ..] = id else { return None };
    let (code, version) = ([x, y], [a, b, c, d]);
    let spelled = match &code {
        b"BT" | b"BW" | b"UE" | b"UM" | b"UT" | b"UW" => Some(mu_torrent(version, end)?),
        b"KT" => Some(ktorrent(id)?),
        _ if end == b'-' => None,
        // Four that forget the dash; then only digits tell that it is them.
        b"FG" | b"LH" | b"NE" | b"SP" if version.iter().all(u8::is_ascii_digit) => None,
        _ => return None,
    };
    let alphanumeric = version.iter().all(u8::is_ascii_alphanumeric);
    let Ok(at) = CODES.binary_search_by(|(known, ..)| known.as_slice().cmp(&code)) else {
        return unknown(code, version).filter(|_| alphanumeric);
    };
    let (_, name, spelling) = CODES.get(at)?;
    let version = spelled.or_else(|| spelling.read(version));
    // Without a version to read it takes more than a code and a dash.
    let known = version.is_some() || alphanumeric || *spelling == Spelling::Unversioned;
    known.then_some(ClientName { name: Cow::Borrowed(name), version })
}

/// A code that nobody has told us is shown as it is.
fn unknown(code: [u8; 2], version: [u8; 4]) -> Option<ClientName> {
    let printable = code.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'-');
    let version = Spelling::Dotted.read(version).filter(|_| printable)?;
    Some(ClientName { name: Cow::Owned(String::from_utf8_lossy(&code).into_owned()), version: Some(version) })
}

/// `355W-` is 3.5.5, `791B-` is 7.9.1 (beta), `7a5W-` is 7.10.5, `340-` is 3.4.0, and `1110Q` is 1.1.10: the last number
/// takes two digits when it needs them, and the letter moves over the dash.
fn mu_torrent([a, b, c, d]: [u8; 4], end: u8) -> Option<String> {
    let hex = |character: u8| char::from(character).to_digit(16);
    let (major, minor) = (hex(a)?, hex(b)?);
    Some(match (d, end) {
        (b'-', _) => format!("{major}.{minor}.{}", hex(c)?),
        (_, letter) if letter.is_ascii_alphanumeric() => format!("{major}.{minor}.{}{}", pair(c, d)?, release(letter)),
        (letter, _) => format!("{major}.{minor}.{}{}", hex(c)?, release(letter)),
    })
}

/// The version without its dots, then a dash: `512` is 5.1.2 and `22081` is 22.08.1. Before version 3 four characters,
/// of which the third could be a letter: `11R1` is 1.1 RC 1 and `2140` is 2.1.4.
fn ktorrent(id: &[u8; 20]) -> Option<String> {
    let version = id.get(3..10)?.split(|byte| *byte == b'-').next()?;
    Some(match *version {
        [a, b, c] => format!("{}.{}.{}", digit(a)?, digit(b)?, digit(c)?),
        [a, b, letter @ (b'B' | b'D' | b'R'), d] => {
            let release = match letter {
                b'B' => "beta",
                b'D' => "dev",
                _ => "RC",
            };
            format!("{}.{} {release} {}", digit(a)?, digit(b)?, digit(d)?)
        }
        [a, b, c, _] => format!("{}.{}.{}", digit(a)?, digit(b)?, digit(c)?),
        [a, b, c, d, e] => format!("{}.{:02}.{}", pair(a, b)?, pair(c, d)?, digit(e)?),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_letter_moves_when_the_number_grows() {
        for (version, end, expected) in [
            (b"355W", b'-', Some("3.5.5")),
            (b"791B", b'-', Some("7.9.1 (beta)")),
            (b"7a5W", b'-', Some("7.10.5")),
            (b"791\0", b'-', Some("7.9.1")),
            (b"340-", 0, Some("3.4.0")),
            (b"1110", b'Q', Some("1.1.10")),
            (b"3550", 0xa5, Some("3.5.5")),
            (b"35z0", b'-', None),
            (b"355W", b'W', None),
        ] {
            assert_eq!(mu_torrent(*version, end).as_deref(), expected, "{}", version.escape_ascii());
        }
    }

    #[test]
    fn ktorrent_wrote_versions_in_many_lengths() {
        for (id, expected) in [
            (b"-KT512-abcdefghijklm", Some("5.1.2")),
            (b"-KT22081-abcdefghijk", Some("22.08.1")),
            (b"-KT24120-abcdefghijk", Some("24.12.0")),
            (b"-KT2140-abcdefghijkl", Some("2.1.4")),
            (b"-KT11R1-abcdefghijkl", Some("1.1 RC 1")),
            (b"-KT22B1-abcdefghijkl", Some("2.2 beta 1")),
            (b"-KT33D1-abcdefghijkl", Some("3.3 dev 1")),
            (b"-KT-abcdefghijklmnop", None),
            (b"-KTabcdefghijklmnopq", None),
        ] {
            assert_eq!(ktorrent(id).as_deref(), expected, "{}", id.escape_ascii());
        }
    }
}
