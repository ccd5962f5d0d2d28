//! Documents made to be expensive: parsing each ends quickly, with success or with the error of a limit.

use bencode::{Dict, Document, Error, ErrorKind, Limits, Value};
use std::time::{Duration, Instant};

/// Far more time than any of these takes without optimisation, far less than quadratic work would.
const SOON: Duration = Duration::from_secs(5);

/// No limits other than the tape's own.
const OPEN: Limits = Limits::TORRENT.with_bytes(Limits::MAX_BYTES).with_depth(usize::MAX).with_tokens(usize::MAX);

fn soon<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    assert!(start.elapsed() < SOON, "took {:?}", start.elapsed());
    result
}

/// The error, if any, which must be the same in strict and lenient parsing.
fn refusal(input: &[u8], limits: Limits) -> Option<Error> {
    let strict = soon(|| Document::parse_strict(input, limits).err());
    assert_eq!(strict, soon(|| Document::parse_lenient(input, limits).err()));
    strict
}

#[test]
fn a_million_nested_lists_are_too_deep_or_cost_no_stack() {
    let nested = [vec![b'l'; 1_000_000], vec![b'e'; 1_000_000]].concat();
    assert_eq!(refusal(&nested, Limits::TORRENT), Some(Error { offset: 256, kind: ErrorKind::TooDeep { limit: 256 } }));
    let document = soon(|| Document::parse_strict(&nested, OPEN).unwrap());
    // Reading, comparing, formatting and dropping it must not recurse either.
    assert_eq!(document.root(), document.clone().root());
    assert!(format!("{document:?}").len() < 1_000);
    let depth = std::iter::successors(Some(document.root()), |value| value.as_list()?.iter().next()).count();
    assert_eq!(depth, 1_000_000);
}

#[test]
fn a_million_nested_dictionaries_cost_no_stack() {
    let nested = [b"d0:".repeat(300_000), b"de".to_vec(), vec![b'e'; 300_000]].concat();
    assert_eq!(refusal(&nested, OPEN), None);
    assert_eq!(refusal(&nested, Limits::TORRENT).unwrap().kind, ErrorKind::TooDeep { limit: 256 });
}

#[test]
fn megabytes_of_the_smallest_values_are_refused_quickly() {
    const MEGABYTES: usize = 4 << 20;
    for (unit, unclosed) in [
        (&b"l"[..], ErrorKind::TooDeep { limit: 256 }),
        (b"d0:", ErrorKind::TooDeep { limit: 256 }),
        (b"i0e", ErrorKind::UnexpectedEnd),
        (b"0:", ErrorKind::UnexpectedEnd),
        (b"le", ErrorKind::UnexpectedEnd),
        (b"de", ErrorKind::UnexpectedEnd),
    ] {
        let unclosed_list = [b"l", unit.repeat(MEGABYTES / unit.len()).as_slice()].concat();
        assert_eq!(refusal(&unclosed_list, Limits::TORRENT).unwrap().kind, unclosed, "{}", unit.escape_ascii());
        let few = Limits::TORRENT.with_tokens(1_000);
        let kind = refusal(&unclosed_list, few).unwrap().kind;
        assert!(matches!(kind, ErrorKind::TooManyTokens { limit: 1_000 } | ErrorKind::TooDeep { .. }), "{kind:?}");
    }
}

#[test]
fn values_after_the_first_are_trailing_bytes() {
    for unit in [&b"i0e"[..], b"0:"] {
        let many = unit.repeat(1 << 20);
        let document = soon(|| Document::parse_lenient(&many, Limits::TORRENT).unwrap());
        assert_eq!(document.root().raw(), unit);
        assert_eq!(document.trailing().len(), many.len() - unit.len());
        assert!(Document::parse(&many).is_err());
    }
}

#[test]
fn lengths_beyond_the_input_never_overflow() {
    for length in [
        "2147483647",
        "2147483648",
        "4294967295",
        "4294967296",
        "9999999999999999",
        "10000000000000000",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551613",
        "18446744073709551614",
        "18446744073709551615",
        "18446744073709551616",
        "18446744073709551620",
        "99999999999999999999",
    ] {
        for (before, after) in [("", ":abcd"), ("l", ":abcde"), ("d", ":abcd0:e"), ("d1:a", ":e"), ("", ":")] {
            let input = format!("{before}{length}{after}");
            // A length of more than 16 digits is not read at all.
            let kind = if length.len() > 16 { ErrorKind::LengthTooLong } else { ErrorKind::StringPastEnd };
            let expected = Error { offset: before.len(), kind };
            assert_eq!(refusal(input.as_bytes(), Limits::TORRENT), Some(expected), "{input}");
        }
        let longer = format!("1{length:0>20}:abcd");
        let expected = Error { offset: 0, kind: ErrorKind::LengthTooLong };
        assert_eq!(refusal(longer.as_bytes(), Limits::TORRENT), Some(expected));
    }
    let digits = [vec![b'9'; 1 << 20], b":".to_vec()].concat();
    assert_eq!(refusal(&digits, Limits::TORRENT).unwrap().kind, ErrorKind::LengthTooLong);
}

#[test]
fn duplicate_keys_and_lookups_take_less_than_quadratic_time() {
    const KEYS: usize = 100_000;
    let dictionary = |key: &dyn Fn(usize) -> String| {
        let entries = (0..KEYS).map(key).map(|key| format!("{}:{key}0:", key.len()));
        ["d".to_owned(), entries.collect(), "e".to_owned()].concat().into_bytes()
    };
    let total = |input: &[u8]| soon(|| Document::parse_lenient(input, OPEN).unwrap().deviations().total());
    assert_eq!(total(&dictionary(&|number| format!("{:06}", KEYS - number))), KEYS - 1, "falling");
    assert_eq!(total(&dictionary(&|_| "same".to_owned())), KEYS - 1, "all the same");
    // Each `a` is unsorted, and each key after the first `b` and `a` is a duplicate.
    let alternating = dictionary(&|number| ["b", "a"].get(number % 2).copied().unwrap_or_default().to_owned());
    assert_eq!(total(&alternating), KEYS / 2 + (KEYS - 2), "two that alternate");
    let shared = "x".repeat(60);
    let common = dictionary(&|number| format!("{shared}{:06}", (number * 7_919) % KEYS));
    assert!(total(&common) > 0, "a long common beginning");

    let falling = dictionary(&|number| format!("{:06}", KEYS - number));
    let document = Document::parse_lenient(&falling, OPEN).unwrap();
    let root = document.root().as_dict().unwrap();
    assert_eq!(soon(|| root.iter().count()), KEYS);
    let last = |dict: Dict<'_>| dict.get(b"000001").and_then(Value::as_bytes).map(<[u8]>::len);
    assert_eq!(soon(|| last(root)), Some(0));
}
