//! The software that a peer id names.
//!
//! Three conventions cover nearly all ids (BEP 20): Azureus `-XXvvvv-`, Mainline `M7-9-2--` and Shadow `Xvvv-----`; other
//! clients have a rule each. The tables hold facts from BEP 20 and the clients themselves; of an unknown client with an Azureus
//! style id the code is shown. A peer can send any id, so the name may be wrong.

mod azureus;
mod codes;
mod ktorrent;
mod mainline;
mod odd;
mod shadow;
mod version;

use std::borrow::Cow;
use std::fmt;

/// The software that a peer id names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ClientName {
    /// The client's name, or its code if that is in no table.
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

/// Rules of single clients come first: some of their ids look like one of the conventions.
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

    /// Bytes that occur in the conventions.
    fn plausible() -> impl Strategy<Value = [u8; 20]> {
        proptest::array::uniform20(prop_oneof![
            4 => prop::sample::select(&b"--0123456789ABMQSTUXZabrx."[..]),
            1 => any::<u8>(),
        ])
    }

    proptest! {
        #[test]
        fn any_bytes_give_printable_text_or_none(id in any::<[u8; 20]>()) {
            prop_assert!(shown(&id).is_none_or(|text| !text.chars().any(char::is_control)));
        }

        #[test]
        fn bytes_of_the_conventions_give_printable_text_or_none(id in plausible()) {
            prop_assert!(shown(&id).is_none_or(|text| text.len() < 60 && !text.chars().any(char::is_control)));
        }

        #[test]
        fn an_unknown_code_is_shown_as_it_is(version in "[1-9]{4}", rest in any::<[u8; 12]>()) {
            let id: Vec<u8> = [b"-!?", version.as_bytes(), b"-", &rest[..]].concat();
            let digits: Vec<String> = version.chars().map(String::from).collect();
            let id = <[u8; 20]>::try_from(id).unwrap();
            prop_assume!(!id.ends_with(b"UDP0") && !id.ends_with(b"HTTPBT"));
            prop_assert_eq!(shown(&id), Some(format!("!? {}", digits.join("."))));
        }
    }
}
