//! Numbers, spans and untrusted text as they are shown.

use crate::date::UnixTime;
use guard::escape;
use report::Copies;
use std::time::Duration;

/// Text of another's choosing, made harmless: cut, and with what controls or deceives written out. Markup in it is left to the
/// templates, which escape all that they are given.
pub(crate) fn shown(text: &str, most: usize) -> String {
    // Cut before it is escaped, so that no escape is cut.
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", escape(text.get(..end).unwrap_or_default())),
        None => escape(text).to_string(),
    }
}

/// `2,289`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (digit, left) in digits.chars().zip((0..digits.len()).rev()) {
        grouped.push(digit);
        if left > 0 && left % 3 == 0 {
            grouped.push(',');
        }
    }
    grouped
}

/// `1 piece`, `2,289 pieces`.
pub(crate) fn plural(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A size in the largest decimal unit below it, with three digits: `600 MB`, `4.70 GB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let mut rest = bytes as f64 / 1e3;
    let mut units = UNITS.iter();
    let mut unit = units.next();
    // What would be shown as 1000 of a unit is one of the next.
    while rest >= 999.5
        && let Some(next) = units.next()
    {
        (rest, unit) = (rest / 1e3, Some(next));
    }
    let digits = if rest >= 99.95 {
        0
    } else if rest >= 9.995 {
        1
    } else {
        2
    };
    format!("{rest:.digits$} {}", unit.copied().unwrap_or_default())
}

/// So many decimal digits, never rounded up: what is less than one copy stays less than one.
pub(crate) fn down(number: f64, digits: i32) -> f64 {
    /// What binary takes from a decimal fraction: 2.3 copies are 2299.9999999999995 thousandths.
    const LOST: f64 = 1e-7;
    let shift = 10_f64.powi(digits);
    (number * shift + LOST).floor() / shift
}

/// What is no number is not known. `3.33`, `0.9995`, `2.30 to 3.30`, `12.5`: two digits, four where those would hide how little is lacking, one from ten.
pub(crate) fn copies(copies: Copies) -> String {
    let one = |copies: f64| match copies {
        // What is kept in thousandths has no more digits than that.
        0.99..1.0 => format!("{:.4}", down(copies, 4)).trim_end_matches('0').to_owned(),
        10.0.. => format!("{:.1}", down(copies, 1)),
        _ => format!("{:.2}", down(copies, 2)),
    };
    if !copies.min.is_finite() {
        return "?".to_owned();
    }
    if copies.max.is_finite() && copies.max > copies.min {
        format!("{} to {}", one(copies.min), one(copies.max))
    } else {
        one(copies.min)
    }
}

/// `3.1 ms`, `240 ms`, `1.20 s`.
pub(crate) fn time(took: Duration) -> String {
    match took.as_secs_f64() * 1e3 {
        ms if ms < 9.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        ms => format!("{:.2} s", ms / 1e3),
    }
}

/// From one time to a later one in one unit: `4 days`; nothing where a clock was set back in between.
pub(crate) fn span(from: UnixTime, to: UnixTime) -> Option<String> {
    let seconds = u64::try_from(to.saturating_sub(from)).ok()?;
    let whole = [86_400, 3_600, 60].into_iter().find(|unit| seconds >= 2 * unit).unwrap_or(1);
    Some(guard::span(Duration::from_secs(seconds - seconds % whole)))
}

/// A share in percent, one digit, 100 only for all and 0 only for none.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    let part = part.min(whole);
    #[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
    let share = 100.0 * part as f64 / whole.max(1) as f64;
    match () {
        () if part > 0 && share < 0.1 => "< 0.1 %".to_owned(),
        () if part < whole && share > 99.9 => "99.9 %".to_owned(),
        () if part == whole && whole > 0 => "100 %".to_owned(),
        () if part == 0 => "0 %".to_owned(),
        () => format!("{share:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_never_flatter() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 1, 2].map(|count| plural(count, "piece")), ["0 pieces", "1 piece", "2 pieces"]);
        let sizes = [0, 999, 1_000, 9_994, 9_996, 99_960, 999_499, 999_500, 600_000_000, u64::MAX];
        let shown =
            ["0 B", "999 B", "1.00 kB", "9.99 kB", "10.0 kB", "100 kB", "999 kB", "1.00 MB", "600 MB", "18.4 EB"];
        assert_eq!(sizes.map(size), shown);
        for (min, max, expected) in [
            (2.3, 2.3, "2.30"),
            (0.999_56, 0.999_56, "0.9995"),
            (0.999, 0.99, "0.999"),
            (1.0, 4.999, "1.00 to 4.99"),
            (9.999, 12.59, "9.99 to 12.5"),
        ] {
            assert_eq!(copies(Copies { min, max }), expected);
        }
        let shares = [(0, 0), (0, 5), (1, 1_000_000), (1, 3), (999_999, 1_000_000), (5, 5), (7, 5)];
        let shown = ["0 %", "0 %", "< 0.1 %", "33.3 %", "99.9 %", "100 %", "100 %"];
        assert_eq!(shares.map(|(part, whole)| percent(part, whole)), shown);
        assert_eq!(
            [50, 3_149, 240_000, 1_200_000].map(|us| time(Duration::from_micros(us))),
            ["0.1 ms", "3.1 ms", "240 ms", "1.20 s"]
        );
    }

    #[test]
    fn spans_are_one_unit_and_never_negative() {
        let spans = [0, 119, 125, 8_000, 90_000, 4 * 86_400 + 7].map(|to| span(0, to).unwrap());
        assert_eq!(spans, ["0 s", "119 s", "2 min", "2 h", "25 h", "4 days"]);
        assert_eq!((span(1, 0), span(i64::MAX, i64::MIN)), (None, None));
        assert!(span(i64::MIN, i64::MAX).is_some());
    }

    #[test]
    fn text_is_cut_at_a_character_and_escaped() {
        assert_eq!(shown("naïve", 3), "naï…");
        assert_eq!(shown("naïve", 5), "naïve");
        assert_eq!(shown("a\u{202e}b\tc", 4), "a\\u{202e}b\\t…");
    }
}
