//! Setters of public types that will grow: outside this crate a `#[non_exhaustive]` struct has no literal.

/// Makes the setters of a struct: `setters! { Type { with_field => field: FieldType, } }`.
macro_rules! setters {
    ($name:ident { $($setter:ident => $field:ident: $kind:ty,)+ }) => {
        impl $name {
            $(
                #[doc = concat!("The same with another [`", stringify!($field), "`](Self::", stringify!($field), ").")]
                #[must_use]
                pub fn $setter(self, $field: $kind) -> Self {
                    Self { $field, ..self }
                }
            )+
        }
    };
}

pub(crate) use setters;
