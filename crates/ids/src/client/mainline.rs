//! Mainline style: one or two characters, then three numbers, each followed by a dash.

use super::ClientName;

/// BEP 20: "version number represented by ascii digits with major, minor and tiny versions separated by dashes. Examples
/// include `M4-3-6--` or `M4-20-8-`".
pub(super) fn identify(id: &[u8; 20]) -> Option<ClientName> {
    let (name, rest) = CODES.iter().find_map(|(code, name)| Some((*name, id.strip_prefix(*code)?)))?;
    let mut parts = rest.split(|byte| *byte == b'-');
    let (major, minor, tiny) = (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
    // The last number must be followed by a dash too.
    parts.next()?;
    Some(ClientName { name: name.into(), version: Some(format!("{major}.{minor}.{tiny}")) })
}

/// One to three digits.
fn number(part: &[u8]) -> Option<&str> {
    let digits = (1..=3).contains(&part.len()) && part.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(part).ok().filter(|_| digits)
}

const CODES: &[(&[u8], &str)] = &[(b"A2-", "aria2"), (b"M", "Mainline"), (b"Q", "Queen Bee"), (b"S3-", "Amazon S3")];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_numbers_followed_by_dashes_are_a_version() {
        for (id, expected) in [
            (b"M7-9-2--abcdefghijkl", Some("Mainline 7.9.2")),
            (b"M4-20-8-abcdefghijkl", Some("Mainline 4.20.8")),
            (b"M7-10-5-\xa6\xb4bcdefghijk", Some("Mainline 7.10.5")),
            (b"Q1-0-0--abcdefghijkl", Some("Queen Bee 1.0.0")),
            (b"A2-1-36-0-abcdefghij", Some("aria2 1.36.0")),
            (b"S3-1-0-0--abcdefghij", Some("Amazon S3 1.0.0")),
            (b"M7-x-2--abcdefghijkl", None),
            (b"M7--2---abcdefghijkl", None),
            (b"M-7-9-2-abcdefghijkl", None),
            (b"M7-9-2abcdefghijklmn", None),
            (b"M1234-5-6-abcdefghij", None),
            (b"N7-9-2--abcdefghijkl", None),
        ] {
            let found = identify(id).map(|client| client.to_string());
            assert_eq!(found.as_deref(), expected, "{}", id.escape_ascii());
        }
    }
}
