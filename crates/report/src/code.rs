//! Enums whose values are codes in reports: one list for the variants, their codes and their order.

/// Why a text is no code of an enum.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no code of {what}", guard::escape(code))]
pub struct UnknownCode {
    /// The name of the enum.
    pub what: &'static str,
    /// The text, as it came.
    pub code: String,
}

/// Defines an enum with a code for each variant: `ALL`, `code()`, `Display`, `FromStr`, serde and the schema. The codes are a
/// promise to scripts: lower_snake_case, never renamed.
macro_rules! codes {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $($(#[$about:meta])* $variant:ident = $code:literal,)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$about])* $variant,)+
        }

        impl $name {
            /// All of them, in the order in which they are listed.
            pub const ALL: [Self; [$($code),+].len()] = [$(Self::$variant),+];

            /// The code in reports: lower_snake_case, never renamed.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.code())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::code::UnknownCode;

            fn from_str(code: &str) -> Result<Self, Self::Err> {
                let unknown = || $crate::code::UnknownCode { what: stringify!($name), code: code.to_owned() };
                Self::ALL.into_iter().find(|known| known.code() == code).ok_or_else(unknown)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.code())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        #[cfg(any(test, feature = "schema"))]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "enum": Self::ALL.map(Self::code).to_vec() })
            }
        }
    };
}
pub(crate) use codes;

#[cfg(test)]
mod tests {
    use crate::outcome::{Outcome, Stage};
    use crate::verdict::Verdict;

    #[test]
    fn codes_are_read_and_written_back() {
        for outcome in Outcome::ALL {
            assert_eq!(outcome.to_string().parse(), Ok(outcome));
            assert_eq!(serde_json::from_value::<Outcome>(serde_json::to_value(outcome).unwrap()).unwrap(), outcome);
        }
        assert_eq!(format!("[{:>8}]", Stage::Done), "[    done]");
        let unknown = "\u{1b}healthy".parse::<Verdict>().unwrap_err();
        assert_eq!(unknown.to_string(), "`\\u{1b}healthy` is no code of Verdict");
    }
}
