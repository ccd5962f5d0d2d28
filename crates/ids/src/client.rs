//! The software a peer id names.
//!
//! Three conventions cover nearly all ids (BEP 20): Azureus `-XXvvvv-`, Mainline `M7-9-2--` and Shadow `Xvvv-----`; the
//! odd ones have a rule each. The tables hold facts that BEP 20 and the clients themselves state; an Azureus code that is
//! in none of them is still shown. A peer id is what a peer says of itself, and it may lie.

mod azureus;
mod codes;
mod ktorrent;
mod mainline;
mod odd;
mod shadow;
mod version;

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

/// The odd ones come first: some of them look like one of the conventions.
pub(crate) fn identify(id: &[u8; 20]) -> Option<ClientName> {
    odd::identify(id)
        .or_else(|| azureus::identify(id))
        .or_else(|| mainline::identify(id))
        .or_else(|| shadow::identify(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(id: &[u8; 20]) -> Option<String> {
        identify(id).map(|client| client.to_string())
    }

    /// Bytes that conventions are made of.
    fn plausible() -> impl Strategy<Value = [u8; 20]> {
        proptest::array::uniform20(prop_oneof![
            4 => prop::sample::select(&b"--0123456789ABMQSTUXZabrx."[..]),
            1 => any::<u8>(),
        ])
    }

    proptest! {
        #[test]
        fn any_twenty_bytes_give_printable_text_or_none(id in any::<[u8; 20]>()) {
            prop_assert!(shown(&id).is_none_or(|text| !text.chars().any(char::is_control)));
        }

        #[test]
        fn nearly_right_ids_give_printable_text_or_none(id in plausible()) {
            prop_assert!(shown(&id).is_none_or(|text| text.len() < 60 && !text.chars().any(char::is_control)));
        }

        #[test]
        fn codes_nobody_has_are_shown_as_they_are(version in "[1-9]{4}", rest in any::<[u8; 12]>()) {
            let id: Vec<u8> = [b"-!?", version.as_bytes(), b"-", &rest[..]].concat();
            let digits: Vec<String> = version.chars().map(String::from).collect();
            let id = <[u8; 20]>::try_from(id).unwrap();
            prop_assume!(!id.ends_with(b"UDP0") && !id.ends_with(b"HTTPBT"));
            prop_assert_eq!(shown(&id), Some(format!("!? {}", digits.join("."))));
        }
    }
}
