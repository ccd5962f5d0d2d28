//! Shadow style, of BitTornado and its relatives: a letter, up to five characters of version, padded with dashes, and three
//! characters for the kind of client.

use super::ClientName;
use super::version::digit;

/// The digits of versions, in order of their value; a dash is the last of them, and the padding.
const BASE_64: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-";

/// BEP 20: "up to five ascii characters for version number, padded with dashes if less than 5, followed by `---`". Instead of
/// `---` there may be `-T-`, or a count from `000` on in a client that downloads several torrents.
pub(super) fn identify(id: &[u8; 20]) -> Option<ClientName> {
    let [letter, version @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _] = id;
    let name = CODES.iter().find_map(|(known, name)| (known == letter).then_some(*name))?;
    let kind = matches!(id.get(6..9)?, b"---" | b"-T-" | [b'0', b'0', b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z']);
    let length = version.iter().position(|&byte| byte == b'-').unwrap_or(version.len());
    let (version, padding) = version.split_at_checked(length)?;
    if !kind || !padding.iter().all(|&byte| byte == b'-') {
        return None;
    }
    let version = match version {
        [] => None,
        // The major version must be a digit: many words begin with one of these letters, and no client reached version 10.
        [major, ..] if digit(*major).is_some() => Some(spell(version)?),
        _ => return None,
    };
    Some(ClientName { name: name.into(), version })
}

/// `03I` is 0.3.18, `390` is 3.9 and `1` is 1.0: trailing zeros are dropped.
fn spell(version: &[u8]) -> Option<String> {
    let number = |character: &u8| BASE_64.iter().position(|known| known == character);
    let mut numbers = version.iter().map(number).collect::<Option<Vec<usize>>>()?;
    while numbers.len() > 2 && numbers.last() == Some(&0) {
        numbers.pop();
    }
    if numbers.len() == 1 {
        numbers.push(0);
    }
    Some(numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join("."))
}

/// BEP 20, "Known clients that uses this encoding style".
const CODES: &[(u8, &str)] = &[
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

    #[test]
    fn ids_are_recognised_by_letter_version_and_kind() {
        for (id, expected) in [
            (b"T03I-----abcdefghijk", Some("BitTornado 0.3.18")),
            (b"T03I--008abcdefghijk", Some("BitTornado 0.3.18")),
            (b"T0390--T-abcdefghijk", Some("BitTornado 0.3.9")),
            (b"T0390-T--abcdefghijk", None),
            (b"T0390--- abcdefghijk", None),
            (b"S58B-----abcdefghijk", Some("Shadow 5.8.11")),
            (b"A310--001abcdefghijk", Some("ABC 3.1")),
            (b"A--------abcdefghijk", Some("ABC")),
            (b"R100--00zabcdefghijk", Some("Tribler 1.0")),
            (b"U2.z.----abcdefghijk", Some("UPnP NAT 2.62.61.62")),
            (b"S-8B-----abcdefghijk", None),
            (b"SHADOW---abcdefghijk", None),
            (b"S58\xffB----abcdefghijk", None),
            (b"X58B-----abcdefghijk", None),
        ] {
            let found = identify(id).map(|client| client.to_string());
            assert_eq!(found.as_deref(), expected, "{}", id.escape_ascii());
        }
    }
}
