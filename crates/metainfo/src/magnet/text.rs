//! Names and values of a link's fields.

use crate::error::Problem;
use percent_encoding::percent_decode_str;

/// The name of a field without a number: `tr` for `tr.1`.
pub(super) fn without_number(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => name,
    }
}

/// The text after a prefix, which may be in upper or lower case.
pub(super) fn without_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (begin, rest) = text.split_at_checked(prefix.len())?;
    begin.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Decodes a value; it must not be empty. A broken escape makes it invalid, as in libtorrent: a part of a URL could be
/// another URL.
pub(super) fn decoded(value: &str) -> Result<String, Problem> {
    let escape = |after: &str| after.as_bytes().get(..2).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
    if !value.split('%').skip(1).all(escape) {
        return Err(Problem::BadEscape);
    }
    let text = percent_decode_str(value).decode_utf8().map_err(|_| Problem::NotUtf8)?;
    if text.is_empty() { Err(Problem::Empty) } else { Ok(text.into_owned()) }
}
