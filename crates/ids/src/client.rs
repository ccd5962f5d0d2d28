//! The software a peer id names.
//!
//! Three conventions cover nearly all ids (BEP 20): Azureus `-XXvvvv-`, Shadow `Xvvv-----` and Mainline `M7-9-2--`. The
//! tables hold facts that BEP 20 and the clients themselves state; a code that is in none of them is still shown.

use std::borrow::Cow;
use std::fmt;

/// What a peer id says about its software.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientName {
    /// The client's name, or the bare code when nobody has registered it.
    pub name: Cow<'static, str>,
    /// Its version, spelled as the client spells it.
    pub version: Option<String>,
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{} {version}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

pub(crate) fn identify(id: &[u8; 20]) -> Option<ClientName> {
    azureus(id).or_else(|| mainline(id)).or_else(|| shadow(id))
}

/// How a client spells its four version characters.
#[derive(Clone, Copy, Debug)]
enum Spelling {
    /// `4520` is 4.5.2: three numbers and a build that is shown unless it is 0.
    Dotted,
    /// `3000` is 3.00 and `410Z` is 4.1.0 (dev): Transmission changed its scheme with version 4.
    Transmission,
    /// `203s` is 2.0.3: three numbers, the last character tells the kind of release.
    Three,
    /// `0109` is 1.9: two numbers of two digits.
    Pairs,
    /// `5750` is 5.7.5.0: four numbers.
    Four,
}

/// Azureus style: `-`, two characters of code, four of version, `-`.
fn azureus(id: &[u8; 20]) -> Option<ClientName> {
    let [b'-', a, b, version @ .., _, _, _, _, _, _, _, _, _, _, _, _, _] = id else { return None };
    if !(a.is_ascii_graphic() && b.is_ascii_graphic() && version.iter().all(u8::is_ascii_graphic)) {
        return None;
    }
    // µTorrent's builds run on into the eighth byte; everybody else has a dash there.
    if id.get(7) != Some(&b'-') && !matches!((a, b), (b'U', _) | (b'B', b'T')) {
        return None;
    }
    let code = [*a, *b];
    let (name, spelling) = match AZUREUS.binary_search_by(|(known, ..)| known.as_slice().cmp(&code)) {
        Ok(at) => AZUREUS.get(at).map(|(_, name, spelling)| (Cow::Borrowed(*name), *spelling))?,
        Err(_) => (Cow::Owned(String::from_utf8_lossy(&code).into_owned()), Spelling::Dotted),
    };
    Some(ClientName { name, version: spell(version, spelling) })
}

fn spell(version: &[u8], spelling: Spelling) -> Option<String> {
    let &[a, b, c, d] = version else { return None };
    let [x, y, z, w] = [number(a)?, number(b)?, number(c)?, number(d).unwrap_or(0)];
    Some(match spelling {
        Spelling::Dotted if w == 0 || !d.is_ascii_digit() => format!("{x}.{y}.{z}"),
        Spelling::Dotted | Spelling::Four => format!("{x}.{y}.{z}.{w}"),
        Spelling::Three => format!("{x}.{y}.{z}"),
        Spelling::Pairs => format!("{}.{}", x * 10 + y, z * 10 + w),
        Spelling::Transmission if x >= 4 => {
            let kind = match d {
                b'Z' | b'X' => " (dev)",
                b'B' => " (beta)",
                _ => "",
            };
            format!("{x}.{y}.{z}{kind}")
        }
        Spelling::Transmission => {
            let kind = if matches!(d, b'Z' | b'X') { "+" } else { "" };
            format!("{x}.{y}{z}{kind}")
        }
    })
}

/// `0` to `9`, then letters counting on from 10.
fn number(character: u8) -> Option<u32> {
    char::from(character).to_digit(36)
}

/// Mainline style: one letter, then numbers separated by dashes; aria2 writes `A2-1-36-0-`.
fn mainline(id: &[u8; 20]) -> Option<ClientName> {
    let (name, rest) = match id {
        [b'A', b'2', b'-', rest @ ..] => ("aria2", rest.get(..)?),
        [b'M', rest @ ..] if rest.first()?.is_ascii_digit() => ("Mainline", rest.get(..)?),
        [b'Q', rest @ ..] if rest.first()?.is_ascii_digit() => ("Queen Bee", rest.get(..)?),
        _ => return None,
    };
    let mut numbers = Vec::new();
    for part in rest.split(|&byte| byte == b'-').take(3) {
        if part.is_empty() || part.len() > 3 || !part.iter().all(u8::is_ascii_digit) {
            break;
        }
        numbers.push(String::from_utf8_lossy(part));
    }
    (numbers.len() == 3).then(|| ClientName { name: name.into(), version: Some(numbers.join(".")) })
}

/// Shadow style: one letter, up to five version characters, padded with dashes; three dashes follow.
fn shadow(id: &[u8; 20]) -> Option<ClientName> {
    let [letter, version @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _] = id;
    let name = SHADOW.iter().find_map(|(known, name)| (known == letter).then_some(*name))?;
    let after = id.get(6..9)?;
    let length = version.iter().position(|&byte| byte == b'-').unwrap_or(version.len());
    let (version, padding) = version.split_at_checked(length)?;
    if after != b"---" || version.is_empty() || !padding.iter().all(|&byte| byte == b'-') {
        return None;
    }
    let numbers: Option<Vec<String>> = version.iter().map(|&c| number(c).map(|n| n.to_string())).collect();
    Some(ClientName { name: name.into(), version: Some(numbers?.join(".")) })
}

/// Sorted by code.
const AZUREUS: &[(&[u8; 2], &str, Spelling)] = &[
    (b"7T", "aTorrent for Android", Spelling::Dotted),
    (b"AB", "AnyEvent::BitTorrent", Spelling::Dotted),
    (b"AG", "Ares", Spelling::Dotted),
    (b"AR", "Arctic", Spelling::Dotted),
    (b"AT", "Artemis", Spelling::Dotted),
    (b"AV", "Avicora", Spelling::Dotted),
    (b"AX", "BitPump", Spelling::Dotted),
    (b"AZ", "Azureus", Spelling::Four),
    (b"BB", "BitBuddy", Spelling::Dotted),
    (b"BC", "BitComet", Spelling::Pairs),
    (b"BE", "BitTorrent SDK", Spelling::Dotted),
    (b"BF", "Bitflu", Spelling::Dotted),
    (b"BG", "BTG", Spelling::Four),
    (b"BI", "BiglyBT", Spelling::Four),
    (b"BL", "BitCometLite", Spelling::Dotted),
    (b"BP", "BitTorrent Pro", Spelling::Dotted),
    (b"BR", "BitRocket", Spelling::Dotted),
    (b"BS", "BTSlave", Spelling::Dotted),
    (b"BT", "BitTorrent", Spelling::Three),
    (b"BW", "BitWombat", Spelling::Dotted),
    (b"BX", "Bittorrent X", Spelling::Dotted),
    (b"CD", "Enhanced CTorrent", Spelling::Pairs),
    (b"CT", "CTorrent", Spelling::Dotted),
    (b"DE", "Deluge", Spelling::Three),
    (b"DP", "Propagate Data Client", Spelling::Dotted),
    (b"EB", "EBit", Spelling::Dotted),
    (b"ES", "electric sheep", Spelling::Dotted),
    (b"FC", "FileCroc", Spelling::Dotted),
    (b"FD", "Free Download Manager", Spelling::Dotted),
    (b"FG", "FlashGet", Spelling::Pairs),
    (b"FL", "Folx", Spelling::Dotted),
    (b"FT", "FoxTorrent", Spelling::Dotted),
    (b"FW", "FrostWire", Spelling::Dotted),
    (b"FX", "Freebox BitTorrent", Spelling::Dotted),
    (b"GR", "GetRight", Spelling::Dotted),
    (b"GS", "GSTorrent", Spelling::Dotted),
    (b"GT", "anacrolix/torrent", Spelling::Dotted),
    (b"HL", "Halite", Spelling::Dotted),
    (b"HN", "Hydranode", Spelling::Dotted),
    (b"HS", "bt-handshake", Spelling::Dotted),
    (b"KG", "KGet", Spelling::Dotted),
    (b"KT", "KTorrent", Spelling::Dotted),
    (b"LC", "LeechCraft", Spelling::Dotted),
    (b"LH", "LH-ABC", Spelling::Dotted),
    (b"LP", "Lphant", Spelling::Pairs),
    (b"LT", "libtorrent", Spelling::Dotted),
    (b"LW", "LimeWire", Spelling::Dotted),
    (b"ML", "MLDonkey", Spelling::Dotted),
    (b"MO", "MonoTorrent", Spelling::Dotted),
    (b"MP", "MooPolice", Spelling::Dotted),
    (b"MR", "Miro", Spelling::Dotted),
    (b"MT", "Moonlight", Spelling::Dotted),
    (b"NX", "Net Transport", Spelling::Dotted),
    (b"OS", "OneSwarm", Spelling::Dotted),
    (b"OT", "OmegaTorrent", Spelling::Dotted),
    (b"PB", "Protocol::BitTorrent", Spelling::Dotted),
    (b"PD", "Pando", Spelling::Dotted),
    (b"PI", "PicoTorrent", Spelling::Dotted),
    (b"PT", "PHPTracker", Spelling::Dotted),
    (b"QD", "QQDownload", Spelling::Dotted),
    (b"QT", "Qt 4 torrent example", Spelling::Dotted),
    (b"RT", "Retriever", Spelling::Dotted),
    (b"RZ", "RezTorrent", Spelling::Dotted),
    (b"SB", "Swiftbit", Spelling::Dotted),
    (b"SD", "Thunder", Spelling::Dotted),
    (b"SM", "SoMud", Spelling::Dotted),
    (b"SP", "BitSpirit", Spelling::Dotted),
    (b"SS", "SwarmScope", Spelling::Dotted),
    (b"ST", "SymTorrent", Spelling::Dotted),
    (b"SZ", "Shareaza", Spelling::Dotted),
    (b"TB", "Torch", Spelling::Dotted),
    (b"TL", "Tribler", Spelling::Dotted),
    (b"TN", "TorrentDotNET", Spelling::Dotted),
    (b"TR", "Transmission", Spelling::Transmission),
    (b"TS", "Torrentstorm", Spelling::Dotted),
    (b"TT", "TuoTu", Spelling::Dotted),
    (b"UE", "µTorrent Embedded", Spelling::Three),
    (b"UL", "uLeecher!", Spelling::Dotted),
    (b"UM", "µTorrent for Mac", Spelling::Three),
    (b"UT", "µTorrent", Spelling::Three),
    (b"UW", "µTorrent Web", Spelling::Three),
    (b"VG", "Vagaa", Spelling::Dotted),
    (b"WD", "WebTorrent Desktop", Spelling::Pairs),
    (b"WT", "BitLet", Spelling::Dotted),
    (b"WW", "WebTorrent", Spelling::Pairs),
    (b"WY", "FireTorrent", Spelling::Dotted),
    (b"XF", "Xfplay", Spelling::Dotted),
    (b"XL", "Xunlei", Spelling::Dotted),
    (b"XS", "XSwifter", Spelling::Dotted),
    (b"XT", "XanTorrent", Spelling::Dotted),
    (b"XX", "Xtorrent", Spelling::Dotted),
    (b"ZO", "Zona", Spelling::Dotted),
    (b"ZT", "ZipTorrent", Spelling::Dotted),
    (b"lt", "rTorrent", Spelling::Dotted),
    (b"pX", "pHoeniX", Spelling::Dotted),
    (b"qB", "qBittorrent", Spelling::Dotted),
    (b"rQ", "rqbit", Spelling::Dotted),
    (b"st", "sharktorrent", Spelling::Dotted),
    (b"~~", "Unknown (disguised)", Spelling::Dotted),
];

const SHADOW: &[(u8, &str)] = &[
    (b'A', "ABC"),
    (b'O', "Osprey Permaseed"),
    (b'Q', "BTQueue"),
    (b'R', "Tribler"),
    (b'S', "Shadow"),
    (b'T', "BitTornado"),
    (b'U', "UPnP NAT"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(id: &[u8; 20]) -> Option<String> {
        identify(id).map(|client| client.to_string())
    }

    #[test]
    fn clients_are_named_as_they_name_themselves() {
        for (id, expected) in [
            (b"-qB4520-abcdefghijkl", "qBittorrent 4.5.2"),
            (b"-TR3000-abcdefghijkl", "Transmission 3.00"),
            (b"-TR410Z-abcdefghijkl", "Transmission 4.1.0 (dev)"),
            (b"-TR4060-abcdefghijkl", "Transmission 4.0.6"),
            (b"-DE203s-abcdefghijkl", "Deluge 2.0.3"),
            (b"-LT2080-abcdefghijkl", "libtorrent 2.0.8"),
            (b"-lt0D80-abcdefghijkl", "rTorrent 0.13.8"),
            (b"-UT355W-abcdefghijkl", "µTorrent 3.5.5"),
            (b"-UT3550\xa5\xadbcdefghijkl", "µTorrent 3.5.5"),
            (b"-BC0171-abcdefghijkl", "BitComet 1.71"),
            (b"-WW0109-abcdefghijkl", "WebTorrent 1.9"),
            (b"-CD0303-abcdefghijkl", "Enhanced CTorrent 3.3"),
            (b"-rQ9100-abcdefghijkl", "rqbit 9.1.0"),
            (b"-HS0100-abcdefghijkl", "bt-handshake 0.1.0"),
            (b"-!!1234-abcdefghijkl", "!! 1.2.3.4"),
            (b"A2-1-36-0-abcdefghij", "aria2 1.36.0"),
            (b"M7-9-2--abcdefghijkl", "Mainline 7.9.2"),
            (b"M4-20-8-abcdefghijkl", "Mainline 4.20.8"),
            (b"T03I-----abcdefghijk", "BitTornado 0.3.18"),
            (b"S58B-----abcdefghijk", "Shadow 5.8.11"),
        ] {
            assert_eq!(name(id).as_deref(), Some(expected));
        }
    }

    #[test]
    fn ids_that_follow_no_convention_name_nobody() {
        for id in [
            &[0; 20],
            b"abcdefghijklmnopqrst",
            b"-qB\x1b520-abcdefghijkl",
            b"T03I--x--abcdefghijk",
            b"M7-x-2--abcdefghijkl",
        ] {
            assert_eq!(name(id), None);
        }
    }

    #[test]
    fn the_table_is_sorted_for_its_search() {
        assert!(AZUREUS.is_sorted_by(|a, b| a.0 < b.0));
    }

    proptest! {
        #[test]
        fn any_twenty_bytes_give_printable_text_or_none(id in any::<[u8; 20]>()) {
            if let Some(name) = name(&id) {
                prop_assert!(!name.chars().any(char::is_control));
            }
        }
    }
}
