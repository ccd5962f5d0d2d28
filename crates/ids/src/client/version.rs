//! How clients write their version into the four characters of an Azureus-style id.

/// How a client writes its version into the four characters after its code, `-XXabcd-`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// `4520` is 4.5.2: three numbers, and a build that is shown if it is a digit other than 0.
    Dotted,
    /// `0290` is 0.2.9: three numbers, and a character that is not part of the version.
    Three,
    /// `5750` is 5.7.5.0: four numbers.
    Four,
    /// `6300` is 6.3: two numbers.
    Two,
    /// `0109` is 1.9: two numbers of two digits.
    Pairs,
    /// `0171` is 1.71 and `0106` is 1.06: the second number always has two digits.
    Hundredths,
    /// `0300` is 0.300.
    Thousandths,
    /// `0332` is 0.3 (32): two numbers and a build.
    Build,
    /// `0150` is 0.15.0: the number in the middle has two digits.
    WideMiddle,
    /// `9990` is 9.9.9 and `9992` is 9.9.92: the last number has one digit or two.
    WideLast,
    /// `1016` is 1.0.16 and `1010` is 1.0.10: the last number always has two digits.
    PaddedLast,
    /// `203s` is 2.0.3 and `201b` is 2.0.1 (beta): Deluge's letters.
    Deluge,
    /// `51R` is 5.1.27: in Free Download Manager the last character is random, and the third may be beyond `z`.
    FreeDownloadManager,
    /// No readable version, or the same in every version.
    Unversioned,
    /// `3000` is 3.00 and `410Z` is 4.1.0 (dev): Transmission changed its scheme with version 4.
    Transmission,
}

impl Spelling {
    /// The version as the client spells it, if that is what the characters are.
    pub(super) fn read(self, version: [u8; 4]) -> Option<String> {
        let [a, b, c, d] = version;
        Some(match self {
            Self::Dotted if matches!(d, b'1'..=b'9') => Self::Four.read(version)?,
            Self::Dotted | Self::Three => dotted(&[a, b, c])?,
            Self::Four => dotted(&version)?,
            Self::Two => format!("{}.{}", digit(a)?, digit(b)?),
            Self::Pairs => format!("{}.{}", pair(a, b)?, pair(c, d)?),
            Self::Hundredths => format!("{}.{:02}", pair(a, b)?, pair(c, d)?),
            Self::Thousandths => format!("{}.{}{}{}", digit(a)?, digit(b)?, digit(c)?, digit(d)?),
            Self::Build => format!("{}.{} ({})", digit(a)?, digit(b)?, pair(c, d)?),
            Self::WideMiddle => format!("{}.{}.{}", number(a)?, pair(b, c)?, number(d)?),
            Self::WideLast if d != b'0' => format!("{}.{}.{}", digit(a)?, digit(b)?, pair(c, d)?),
            Self::WideLast => Self::Three.read(version)?,
            Self::PaddedLast => format!("{}.{}.{}", digit(a)?, digit(b)?, pair(c, d)?),
            Self::Deluge => Self::Three.read(version)? + release(d),
            Self::FreeDownloadManager => Self::Three.read(version).or_else(|| Self::Two.read(version))?,
            Self::Unversioned => return None,
            Self::Transmission => transmission(version)?,
        })
    }
}

/// Numbers with dots between them. Put together by hand: nearly all peers have such a version.
fn dotted(version: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(3 * version.len());
    for (index, &character) in version.iter().enumerate() {
        if index > 0 {
            text.push('.');
        }
        let number = number(character)?;
        if number >= 10 {
            text.push(char::from(b'0' + number / 10));
        }
        text.push(char::from(b'0' + number % 10));
    }
    Some(text)
}

/// `0006` is 0.6, `0072` is 0.72, `2940` is 2.94, `111Z` is 1.11+, and from 4 on three numbers.
fn transmission([a, b, c, d]: [u8; 4]) -> Option<String> {
    Some(match (a, b, c) {
        (b'0', b'0', b'0') => format!("0.{}", digit(d)?),
        (b'0', b'0', _) => format!("0.{:02}", pair(c, d)?),
        (b'0'..=b'3', ..) => {
            let later = if matches!(d, b'X' | b'Z') { "+" } else { "" };
            format!("{}.{:02}{later}", digit(a)?, pair(b, c)?)
        }
        _ => Spelling::Three.read([a, b, c, d])? + release(d),
    })
}

/// What a letter after the version says about it.
pub(super) fn release(letter: u8) -> &'static str {
    match letter {
        b'A' | b'a' => " (alpha)",
        b'B' | b'b' => " (beta)",
        b'D' | b'X' | b'Z' => " (dev)",
        b'r' => " (rc)",
        _ => "",
    }
}

/// `0` to `9`, then `A` to `Z` from 10 and `a` to `z` from 36.
pub(super) fn number(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'A'..=b'Z' => Some(character - b'A' + 10),
        b'a'..=b'z' => Some(character - b'a' + 36),
        _ => None,
    }
}

pub(super) fn digit(character: u8) -> Option<u8> {
    number(character).filter(|number| *number < 10)
}

pub(super) fn pair(tens: u8, units: u8) -> Option<u8> {
    Some(digit(tens)? * 10 + digit(units)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_spelled_as_the_clients_spell_them() {
        for (spelling, version, expected) in [
            (Spelling::Dotted, b"4520", Some("4.5.2")),
            (Spelling::Dotted, b"33G0", Some("3.3.16")),
            (Spelling::Dotted, b"2134", Some("2.1.3.4")),
            (Spelling::Dotted, b"210w", Some("2.1.0")),
            (Spelling::Dotted, b"21?0", None),
            (Spelling::Three, b"0295", Some("0.2.9")),
            (Spelling::Four, b"5750", Some("5.7.5.0")),
            (Spelling::Two, b"6300", Some("6.3")),
            (Spelling::Two, b"A300", None),
            (Spelling::Pairs, b"0109", Some("1.9")),
            (Spelling::Pairs, b"1011", Some("10.11")),
            (Spelling::Hundredths, b"0106", Some("1.06")),
            (Spelling::Hundredths, b"0171", Some("1.71")),
            (Spelling::Thousandths, b"0300", Some("0.300")),
            (Spelling::Build, b"0332", Some("0.3 (32)")),
            (Spelling::WideMiddle, b"0150", Some("0.15.0")),
            (Spelling::WideMiddle, b"0091", Some("0.9.1")),
            (Spelling::WideLast, b"9990", Some("9.9.9")),
            (Spelling::WideLast, b"9992", Some("9.9.92")),
            (Spelling::PaddedLast, b"1016", Some("1.0.16")),
            (Spelling::PaddedLast, b"1010", Some("1.0.10")),
            (Spelling::PaddedLast, b"0001", Some("0.0.1")),
            (Spelling::PaddedLast, b"10A6", None),
            (Spelling::Deluge, b"203s", Some("2.0.3")),
            (Spelling::Deluge, b"13F0", Some("1.3.15")),
            (Spelling::Deluge, b"201b", Some("2.0.1 (beta)")),
            (Spelling::Deluge, b"200D", Some("2.0.0 (dev)")),
            (Spelling::Deluge, b"200r", Some("2.0.0 (rc)")),
            (Spelling::FreeDownloadManager, b"51R\xff", Some("5.1.27")),
            (Spelling::FreeDownloadManager, b"51]\xc7", Some("5.1")),
            (Spelling::Unversioned, b"0001", None),
            (Spelling::Transmission, b"0006", Some("0.6")),
            (Spelling::Transmission, b"0072", Some("0.72")),
            (Spelling::Transmission, b"072Z", Some("0.72+")),
            (Spelling::Transmission, b"111Z", Some("1.11+")),
            (Spelling::Transmission, b"2940", Some("2.94")),
            (Spelling::Transmission, b"3000", Some("3.00")),
            (Spelling::Transmission, b"4060", Some("4.0.6")),
            (Spelling::Transmission, b"400B", Some("4.0.0 (beta)")),
            (Spelling::Transmission, b"410Z", Some("4.1.0 (dev)")),
            (Spelling::Transmission, b"4Az0", Some("4.10.61")),
            (Spelling::Transmission, b"----", None),
        ] {
            assert_eq!(spelling.read(*version).as_deref(), expected, "{spelling:?} {}", version.escape_ascii());
        }
    }
}
