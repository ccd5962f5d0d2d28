//! Azureus style, the most common: `-`, two characters for the client, four for the version, `-`.

use super::ClientName;
use super::codes::CODES;
use super::ktorrent::{kget, ktorrent};
use super::version::{Spelling, pair, release};
use std::borrow::Cow;

/// BEP 20: "A number of clients begin the peer id with a dash followed by two characters to identify the client
/// implementation, four ascii digits to denote version number, and a dash."
pub(super) fn identify(id: &[u8; 20]) -> Option<ClientName> {
    let &[b'-', x, y, a, b, c, d, end, after, ..] = id else { return None };
    let (code, version) = ([x, y], [a, b, c, d]);
    if a == b'-' && after == b'-' {
        return dashed(code, [b, c, d, end]);
    }
    let spelled = match &code {
        b"BT" | b"BW" | b"UE" | b"UM" | b"UT" | b"UW" => Some(mu_torrent(version, end)?),
        b"KT" => Some(ktorrent(id)?),
        b"KG" if kget(id).is_some() => kget(id),
        _ if end == b'-' => None,
        // Four clients omit the last dash; they are recognised by digits.
        b"FG" | b"LH" | b"NE" | b"SP" if version.iter().all(u8::is_ascii_digit) => None,
        _ => return None,
    };
    if &code == b"lt"
        && let Some(version) = rtorrent(version)
    {
        return Some(ClientName { name: Cow::Borrowed("rTorrent"), version: Some(version) });
    }
    named(code, version, spelled)
}

/// Some clients put a dash between the code and the version: `-UL-0001-`.
fn dashed(code: [u8; 2], version: [u8; 4]) -> Option<ClientName> {
    // These two send the same id in every version.
    let same = match &code {
        b"DM" => Some("demagnetize"),
        b"UL" => Some("unworkable"),
        _ => None,
    };
    let digits = version.iter().all(u8::is_ascii_digit);
    match same {
        Some(name) => digits.then_some(ClientName { name: Cow::Borrowed(name), version: None }),
        None => named(code, version, None).filter(|_| digits && code.iter().all(u8::is_ascii_alphanumeric)),
    }
}

/// A client in the table, or its code; `spelled` is the version if it was read already.
fn named(code: [u8; 2], version: [u8; 4], spelled: Option<String>) -> Option<ClientName> {
    let alphanumeric = version.iter().all(u8::is_ascii_alphanumeric);
    let Ok(at) = CODES.binary_search_by(|(known, ..)| known.as_slice().cmp(&code)) else {
        return unknown(code, version).filter(|_| alphanumeric);
    };
    let (_, name, spelling) = CODES.get(at)?;
    let version = spelled.or_else(|| spelling.read(version));
    // Without a readable version, the code and a dash are not enough.
    let known = version.is_some() || alphanumeric || *spelling == Spelling::Unversioned;
    known.then_some(ClientName { name: Cow::Borrowed(name), version })
}

/// The code of a client that is not in the table.
fn unknown(code: [u8; 2], version: [u8; 4]) -> Option<ClientName> {
    let printable = code.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'-');
    let version = Spelling::Dotted.read(version).filter(|_| printable)?;
    Some(ClientName { name: Cow::Owned(String::from_utf8_lossy(&code).into_owned()), version: Some(version) })
}

/// Since 0.15, when rTorrent and its library got one version, the minor and patch numbers have two hexadecimal digits each:
/// `1011` is 0.16.17. Before, the patch number was the third character: `0D80` is 0.13.8.
fn rtorrent([a, b, c, d]: [u8; 4]) -> Option<String> {
    let (minor, patch) = (hex_pair(a, b)?, hex_pair(c, d)?);
    (minor >= 15).then(|| format!("0.{minor}.{patch}"))
}

fn hex(character: u8) -> Option<u32> {
    char::from(character).to_digit(16)
}

fn hex_pair(high: u8, low: u8) -> Option<u32> {
    Some(hex(high)? * 16 + hex(low)?)
}

/// `355W-` is 3.5.5, `791B-` is 7.9.1 (beta), `7a5W-` is 7.10.5, `340-` is 3.4.0, and `1110Q` is 1.1.10: the last number
/// has two digits if it needs them, and the letter then takes the place of the dash.
fn mu_torrent([a, b, c, d]: [u8; 4], end: u8) -> Option<String> {
    let (major, minor) = (hex(a)?, hex(b)?);
    Some(match (d, end) {
        (b'-', _) => format!("{major}.{minor}.{}", hex(c)?),
        (_, letter) if letter.is_ascii_alphanumeric() => format!("{major}.{minor}.{}{}", pair(c, d)?, release(letter)),
        (letter, _) => format!("{major}.{minor}.{}{}", hex(c)?, release(letter)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_mu_torrent_are_read_with_one_or_two_digits_at_the_end() {
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
    fn versions_of_rtorrent_are_read_in_hexadecimal_since_0_15() {
        for (version, expected) in [
            (b"0F00", Some("0.15.0")),
            (b"0F07", Some("0.15.7")),
            (b"100B", Some("0.16.11")),
            (b"1011", Some("0.16.17")),
            (b"1014", Some("0.16.20")),
            (b"110a", Some("0.17.10")),
            (b"0D80", None),
            (b"0E00", None),
            (b"0Fx0", None),
        ] {
            assert_eq!(rtorrent(*version).as_deref(), expected, "{}", version.escape_ascii());
        }
    }

    #[test]
    fn a_dash_after_the_code_is_accepted() {
        for (id, expected) in [
            (b"-UL-0001-01804289383", Some("unworkable")),
            (b"-DM-0010-abcdefghijk", Some("demagnetize")),
            (b"-qB-5300-abcdefghijk", Some("qBittorrent 5.3.0")),
            (b"-!x-0100-abcdefghijk", None),
            (b"-Zx-0100-abcdefghijk", Some("Zx 0.1.0")),
            (b"-UL-00x1-abcdefghijk", None),
            (b"-UL-0001abcdefghijkl", None),
            (b"-UL0001--abcdefghijk", Some("uLeecher! 0.0.0.1")),
        ] {
            assert_eq!(identify(id).map(|client| client.to_string()).as_deref(), expected, "{}", id.escape_ascii());
        }
    }
}
