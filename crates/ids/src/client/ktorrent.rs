//! KTorrent and KGet: the version without its dots, in any length, then a dash.
//!
//! Their library copies a fixed length into the id, so a NUL follows a short version.

use super::version::{digit, pair};

/// `512` is 5.1.2, `22081` is 22.08.1, `2640` is 26.4.0. Before version 3 it had four characters, and the third could be a
/// letter: `11R1` is 1.1 RC 1 and `2140` is 2.1.4.
pub(super) fn ktorrent(id: &[u8; 20]) -> Option<String> {
    let (version, padding) = parts(id)?;
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
        [a, b, c, d] => {
            let year = pair(a, b)?;
            match is_year(year, padding) {
                true => since_2020(year, c, d)?,
                false => format!("{}.{}.{}", digit(a)?, digit(b)?, digit(c)?),
            }
        }
        [a, b, c, d, e] => format!("{}.{:02}.{}", pair(a, b)?, pair(c, d)?, digit(e)?),
        [a, b, c, d, e, f] => format!("{}.{:02}.{}", pair(a, b)?, pair(c, d)?, pair(e, f)?),
        _ => return None,
    })
}

/// `251` is 2.5.1 and `2143` is 2.14.3: the number in the middle is that of KDE 4, which went up to 14.
pub(super) fn kget(id: &[u8; 20]) -> Option<String> {
    match *parts(id)?.0 {
        [a, b, c] => Some(format!("{}.{}.{}", digit(a)?, digit(b)?, digit(c)?)),
        [a @ b'2', b @ b'1', c @ b'0'..=b'4', d] => Some(format!("{}.{}.{}", digit(a)?, pair(b, c)?, digit(d)?)),
        _ => None,
    }
}

/// The version, and the byte after its dash.
fn parts(id: &[u8; 20]) -> Option<(&[u8], u8)> {
    let rest = id.get(3..10)?;
    let length = rest.iter().position(|byte| *byte == b'-')?;
    Some((rest.get(..length)?, *id.get(length + 4)?))
}

/// Whether the first two digits are a year, as since version 20.12. Otherwise they begin a version 2, of which 2.2.8 was the
/// last, or a version 3 to 5; ids of version 2 had no NUL.
fn is_year(year: u8, padding: u8) -> bool {
    (23..30).contains(&year) || (20..30).contains(&year) && padding == 0
}

/// `40` is release 0 of April; `12` is December without a release number: there was no release in January.
fn since_2020(year: u8, month: u8, release: u8) -> Option<String> {
    match (month, release) {
        (b'1', b'0'..=b'2') => Some(format!("{year}.{}", pair(month, release)?)),
        _ => Some(format!("{year}.{}.{}", digit(month)?, digit(release)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_ktorrent_are_read_in_all_lengths() {
        for (id, expected) in [
            (b"-KT512-abcdefghijklm", Some("5.1.2")),
            (b"-KT22081-abcdefghijk", Some("22.08.1")),
            (b"-KT24120-abcdefghijk", Some("24.12.0")),
            (b"-KT24120-\0bcdefghijk", Some("24.12.0")),
            (b"-KT260401-abcdefghij", Some("26.04.1")),
            (b"-KT2640-\0\0cdefghijkl", Some("26.4.0")),
            (b"-KT2640-abcdefghijkl", Some("26.4.0")),
            (b"-KT2480-\0\0\0\0\0\0\0\0\0\0\0\0", Some("24.8.0")),
            (b"-KT2421-abcdefghijkl", Some("24.2.1")),
            (b"-KT2312-abcdefghijkl", Some("23.12")),
            (b"-KT2140-\0bcdefghijkl", Some("21.4.0")),
            (b"-KT2140-abcdefghijkl", Some("2.1.4")),
            (b"-KT4310-abcdefghijkl", Some("4.3.1")),
            (b"-KT3150-\0bcdefghijkl", Some("3.1.5")),
            (b"-KT1140-\0bcdefghijkl", Some("1.1.4")),
            (b"-KT11R1-abcdefghijkl", Some("1.1 RC 1")),
            (b"-KT22B1-abcdefghijkl", Some("2.2 beta 1")),
            (b"-KT33D1-abcdefghijkl", Some("3.3 dev 1")),
            (b"-KT2x40-abcdefghijkl", None),
            (b"-KT-abcdefghijklmnop", None),
            (b"-KTabcdefghijklmnopq", None),
        ] {
            assert_eq!(ktorrent(id).as_deref(), expected, "{}", id.escape_ascii());
        }
    }

    #[test]
    fn versions_of_kget_have_the_minor_version_of_kde() {
        for (id, expected) in [
            (b"-KG251-\0bcdefghijklm", Some("2.5.1")),
            (b"-KG2143-abcdefghijkl", Some("2.14.3")),
            (b"-KG2450-abcdefghijkl", None),
            (b"-KGabcdefghijklmnopq", None),
        ] {
            assert_eq!(kget(id).as_deref(), expected, "{}", id.escape_ascii());
        }
    }
}
