//! Clients with a convention of their own (BEP 20, second half).

use super::ClientName;
use super::version::{digit, pair};

/// Rules that must be tried before the conventions, because some of these ids look like Azureus style.
pub(super) fn identify(id: &[u8; 20]) -> Option<ClientName> {
    let rules = [
        bit_comet,
        dotted,
        bits_on_wheels,
        bit_lord,
        xbt,
        opera,
        tixati,
        dna,
        qvod,
        burst,
        all_peers,
        rufus,
        bit_spirit,
        free_download_manager,
        by_word,
    ];
    rules.iter().find_map(|rule| rule(id))
}

fn named(name: &'static str, version: Option<String>) -> Option<ClientName> {
    Some(ClientName { name: name.into(), version })
}

/// "four ASCII characters `exbc`, followed by two bytes x and y [...] The version number is x in decimal before the
/// decimal point and y as two decimal digits after the decimal point. BitLord uses the same scheme, but adds `LORD`".
fn bit_comet(id: &[u8; 20]) -> Option<ClientName> {
    let (magic, &[major, minor, ref rest @ ..]) = id.split_first_chunk::<4>()? else { return None };
    let name = match magic {
        b"exbc" | b"FUTB" | b"xUTB" if rest.starts_with(b"LORD") => "BitLord",
        b"exbc" => "BitComet",
        // "An unofficial patch for BitComet once replaced `exbc` with `FUTB`", another with `xUTB`.
        b"FUTB" | b"xUTB" => "BitComet (modified)",
        _ => return None,
    };
    // From version 1 on BitLord has one digit after the point.
    let digits = if name == "BitLord" && major > 0 { 1 } else { 2 };
    named(name, Some(format!("{major}.{minor:0digits$}")))
}

/// A code, a version with its dots, and a final character: "-ML2.7.2-kgjjfkd".
fn dotted(id: &[u8; 20]) -> Option<ClientName> {
    let codes = [(&b"-ML"[..], b'-', "MLDonkey"), (b"-RN", b'-', "Rain"), (b"btpd/", b'|', "btpd")];
    let (end, name, rest) = codes.iter().find_map(|(code, end, name)| Some((end, *name, id.strip_prefix(*code)?)))?;
    let length = rest.iter().position(|byte| byte == end)?;
    let version = std::str::from_utf8(rest.get(..length)?).ok()?;
    let number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let whole = (2..=4).contains(&version.split('.').count()) && version.split('.').all(number);
    whole.then(|| ClientName { name: name.into(), version: Some(version.to_owned()) })
}

/// "the pattern `-BOWxxx-yyyyyyyyyyyy`, where y is random (uppercase letters) and x depends on the version. Version 1.0.6
/// has xxx = A0C."
fn bits_on_wheels(id: &[u8; 20]) -> Option<ClientName> {
    let [b'-', b'B', b'O', b'W', version @ .., b'-', _, _, _, _, _, _, _, _, _, _, _, _] = id else { return None };
    let version = match version {
        b"A0B" => Some("1.0.5".to_owned()),
        b"A0C" => Some("1.0.6".to_owned()),
        _ => None,
    };
    named("Bits on Wheels", version)
}

/// Six digits without a dash: `-BL246326` is 2.4.6-326.
fn bit_lord(id: &[u8; 20]) -> Option<ClientName> {
    let version =
        id.strip_prefix(b"-BL")?.first_chunk::<6>().filter(|version| version.iter().all(u8::is_ascii_digit))?;
    let [a, b, c, d, e, f] = version.map(char::from);
    named("BitLord", Some(format!("{a}.{b}.{c}-{d}{e}{f}")))
}

/// "the three uppercase characters `XBT` followed by three ASCII digits representing the version number. If the client is
/// a debug build, the seventh byte is the lowercase character `d`, otherwise it is a `-`. Following that is a `-`".
fn xbt(id: &[u8; 20]) -> Option<ClientName> {
    let &[a, b, c, kind, b'-', ..] = id.strip_prefix(b"XBT")? else { return None };
    let debug = match kind {
        b'd' => " (debug)",
        b'-' => "",
        _ => return None,
    };
    named("XBT Client", Some(format!("{}.{}.{}{debug}", digit(a)?, digit(b)?, digit(c)?)))
}

/// "The first two characters are `OP` and the next four digits equal the build number. All following characters are random
/// lowercase hexdecimal digits." From build 10,000 on, `O` and five digits.
fn opera(id: &[u8; 20]) -> Option<ClientName> {
    let (build, rest) = match id {
        [b'O', b'P', rest @ ..] => rest.split_at_checked(4)?,
        [b'O', rest @ ..] => rest.split_at_checked(5)?,
        _ => return None,
    };
    let digits = build.iter().all(u8::is_ascii_digit);
    let hexadecimal = rest.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (digits && hexadecimal).then_some(())?;
    named("Opera", Some(format!("build {}", String::from_utf8_lossy(build))))
}

/// `TIX0137-` is 1.37.
fn tixati(id: &[u8; 20]) -> Option<ClientName> {
    let &[a, b, c, d, b'-', ..] = id.strip_prefix(b"TIX")? else { return None };
    named("Tixati", Some(format!("{}.{:02}", pair(a, b)?, pair(c, d)?)))
}

/// `DNA0100` is 1.0.
fn dna(id: &[u8; 20]) -> Option<ClientName> {
    let &[a, b, c, d, ..] = id.strip_prefix(b"DNA")? else { return None };
    named("BitTorrent DNA", Some(format!("{}.{}", pair(a, b)?, pair(c, d)?)))
}

/// The build in four digits, then upper-case hexadecimal.
fn qvod(id: &[u8; 20]) -> Option<ClientName> {
    let (build, rest) = id.strip_prefix(b"QVOD")?.split_at_checked(4)?;
    let hexadecimal = rest.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F'));
    (build.iter().all(u8::is_ascii_digit) && hexadecimal).then_some(())?;
    named("QVOD", Some(format!("build {}", String::from_utf8_lossy(build))))
}

/// `Mbrst1-1-3` is 1.1.3.
fn burst(id: &[u8; 20]) -> Option<ClientName> {
    let &[a, b'-', b, b'-', c, ..] = id.strip_prefix(b"Mbrst")? else { return None };
    named("Burst!", Some(format!("{}.{}.{}", digit(a)?, digit(b)?, digit(c)?)))
}

/// "replaces the first few characters with "AP" + version string + "-"": `AP0.70rc30-`.
fn all_peers(id: &[u8; 20]) -> Option<ClientName> {
    let version = id.strip_prefix(b"AP")?.split(|byte| *byte == b'-').next()?;
    let right = matches!(version, [b'0'..=b'9', b'.', b'0'..=b'9', ..])
        && version.len() < 10
        && version.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
    right.then(|| ClientName { name: "AllPeers".into(), version: Some(String::from_utf8_lossy(version).into_owned()) })
}

/// "Rufus uses its version as decimal ASCII values for the first two bytes. The third and fourth bytes are `RS`."
fn rufus(id: &[u8; 20]) -> Option<ClientName> {
    let &[major @ 0..=9, rest @ 0..=99, b'R', b'S', ..] = id else { return None };
    named("Rufus", Some(format!("{major}.{}.{}", rest / 10, rest % 10)))
}

/// "Its real ID appears to use `\0\3BS` (C notation) as the first four bytes for version 3.x and `\0\2BS` for version
/// 2.x. In all modes the ID may end in `UDP0`", even if it begins with the name of another client.
fn bit_spirit(id: &[u8; 20]) -> Option<ClientName> {
    match id {
        [0, version @ 1..=9, b'B', b'S', ..] => named("BitSpirit", Some(format!("{version}.x"))),
        [0, 0, b'B', b'S', ..] => named("BitSpirit", Some("1.x".to_owned())),
        _ if id.ends_with(b"UDP0") || id.ends_with(b"HTTPBT") => named("BitSpirit", None),
        _ => None,
    }
}

/// `FD6`, then characters of an alphabet of its own.
fn free_download_manager(id: &[u8; 20]) -> Option<ClientName> {
    let rest = id.strip_prefix(b"FD6")?;
    let own = rest.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.!~*()".contains(byte));
    own.then(|| ClientName { name: "Free Download Manager".into(), version: Some("6".to_owned()) })
}

/// Ids that begin with a word, or have one at a fixed offset.
fn by_word(id: &[u8; 20]) -> Option<ClientName> {
    // Nearly all ids have none of the words, and the first letter excludes nearly all words.
    let has = |at, word: &[u8]| id.get(at) == word.first() && id.get(at..).is_some_and(|rest| rest.starts_with(word));
    let (_, _, name, version) = WORDS.iter().find(|(at, word, ..)| has(*at, word))?;
    Some(ClientName { name: (*name).into(), version: version.map(str::to_owned) })
}

/// Offset, word, client and version.
const WORDS: &[(usize, &[u8], &str, Option<&str>)] = &[
    // Azureus sent its name before the convention that is named after it.
    (5, b"Azureus", "Azureus", Some("2.0.3.2")),
    (0, b"Azureus\0", "Azureus", Some("1")),
    // "BitTyrant is an Azureus fork and simply uses `AZ2500BT` + random bytes as peer ID in its 1.1 version."
    (0, b"AZ2500BT", "BitTyrant", Some("1.1")),
    // "TorrenTopia version 1.90 pretends to be or is derived from Mainline 3.4.6. Its peer ID starts with `346------`."
    (0, b"346------", "TorrenTopia", Some("1.90")),
    // "G3 Torrent starts its peer ID with `-G3` and appends up to 9 characters of the nickname of the user."
    (0, b"-G3", "G3 Torrent", None),
    // The default of a Node.js library, the same in every version; other versions are TorrentStorm's.
    (0, b"-TS0008-", "torrent-stream", None),
    (0, b"-WT-", "BitLet", None),
    (0, b"-aria2-", "aria2", None),
    (0, b"aria2-", "aria2", None),
    (0, b"10-------", "JVtorrent", None),
    (0, b"271-", "GreedBT", Some("2.7.1")),
    (0, b"BTDWV-", "Deadman Walking", None),
    (0, b"Deadman Walking-", "Deadman Walking", None),
    (0, b"DansClient", "XanTorrent", None),
    (0, b"LIME", "LimeWire", None),
    (0, b"P87.P---", "BitTorrent Plus!", None),
    (0, b"PEERAPP", "PeerApp", None),
    (0, b"PRC.P---", "BitTorrent Plus! II", None),
    (0, b"Pando-", "Pando", None),
    (0, b"Plus---", "BitTorrent Plus!", None),
    (0, b"S587Plus", "BitTorrent Plus!", None),
    (0, b"T00---0", "Teeweety", None),
    (0, b"a00---0", "Swarmy", None),
    (0, b"a02---0", "Swarmy", None),
    (0, b"arclight", "Hurricane Electric", None),
    (4, b"btfans", "SimpleBT", None),
    (0, b"btuga", "BTugaXP", None),
    (0, b"martini", "Martini Man", None),
    (0, b"oernu", "BTugaXP", None),
    (0, b"turbobt", "TurboBT", None),
    // Nine zeros and three threes, then random bytes.
    (0, b"\0\0\0\0\0\0\0\0\0\x03\x03\x03", "I2PSnark", None),
];
