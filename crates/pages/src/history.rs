//! The charts of one torrent's history.

use crate::chart::{Chart, Key, Values, line};
use crate::date;
use crate::date::UnixTime;
use crate::scale::{TimeScale, ValueScale};
use crate::text::{copies, grouped, time};
use crate::view::{Point, Series};
use std::time::Duration;

/// Where claims are so many times what is verified, the scale is logarithmic: on an even one the verified seeds lie on the axis.
const FAR_APART: f64 = 20.0;

/// Each chart of which at least one value is known. `now` is what the last values are called: they may be old.
pub(crate) fn charts(series: &Series, made_at: UnixTime, now: &'static str) -> Vec<Chart> {
    let points = date::in_order(&series.points, |point| point.at, made_at);
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    let axis = TimeScale::new(first.at, last.at);
    let charts = [seeds(&points, axis, now), copies_chart(&points, axis, now), responses(&points, axis, now)];
    charts.into_iter().flatten().collect()
}

fn seeds(points: &[Point], axis: TimeScale, now: &'static str) -> Option<Chart> {
    let claimed = values(points, |point| point.claimed.map(f64::from));
    let verified = values(points, |point| point.verified.map(f64::from));
    let (most_claimed, most_verified) = (most(&claimed), most(&verified));
    let all = most_claimed.into_iter().chain(most_verified).reduce(f64::max)?;
    let is_logarithmic = most_claimed.unwrap_or(0.0) > FAR_APART * most_verified.unwrap_or(0.0) && all > FAR_APART;
    let scale = if is_logarithmic { ValueScale::logarithmic(all) } else { ValueScale::new(all, 1.0) };
    let number = |value: u32| grouped(u64::from(value));
    let said = [
        known(points, |point| point.verified, number, now).map(|known| format!("verified {known}")),
        known(points, |point| point.claimed, number, now).map(|known| format!("claimed {known}")),
        is_logarithmic.then(|| "logarithmic scale".to_owned()),
    ];
    Some(Chart {
        title: "Seeds",
        said: said.into_iter().flatten().collect::<Vec<_>>().join("; "),
        keys: vec![Key { class: "verified", words: "verified" }, Key { class: "claimed", words: "claimed" }],
        times: axis.marks(),
        values: scale.marks(whole),
        paths: vec![line("claimed", &claimed, axis, scale), line("verified", &verified, axis, scale)],
    })
}

fn copies_chart(points: &[Point], axis: TimeScale, now: &'static str) -> Option<Chart> {
    let least = values(points, |point| point.copies.map(|copies| copies.min));
    let at_most = values(points, |point| point.copies.map(|copies| copies.max).filter(|_| is_range(point)));
    // Below one copy is what matters: the axis always has it.
    let scale = ValueScale::new(most(&least)?.max(most(&at_most).unwrap_or(0.0)).max(1.0), 0.5);
    let last = points.iter().rev().find_map(|point| point.copies)?;
    let lowest = points.iter().filter_map(|point| Some((point.at, point.copies?)));
    let lowest = lowest.min_by(|a, b| a.1.min.total_cmp(&b.1.min)).filter(|(_, lowest)| lowest.min < last.min);
    let lowest = lowest.map(|(at, lowest)| format!(", lowest {} on {}", copies(lowest), date::day(at)));
    let one = [points.first(), points.last()].into_iter().flatten().map(|point| (point.at, Some(1.0)));
    let mut keys = vec![Key { class: "verified", words: "copies" }];
    keys.extend(
        at_most.iter().any(|(_, value)| value.is_some()).then_some(Key { class: "possible", words: "at most" }),
    );
    keys.push(Key { class: "limit", words: "one copy" });
    Some(Chart {
        title: "Copies",
        said: format!(
            "{} {}{}",
            copies(last),
            when(points, |point| point.copies.is_some(), now),
            lowest.unwrap_or_default()
        ),
        keys,
        times: axis.marks(),
        values: scale.marks(|value| value.to_string()),
        paths: vec![
            line("limit", &one.collect::<Vec<_>>(), axis, scale),
            line("possible", &at_most, axis, scale),
            line("verified", &least, axis, scale),
        ],
    })
}

fn is_range(point: &Point) -> bool {
    point.copies.is_some_and(|copies| copies.max > copies.min)
}

fn responses(points: &[Point], axis: TimeScale, now: &'static str) -> Option<Chart> {
    let median = values(points, |point| point.response.map(|took| took.as_secs_f64()));
    let decile = values(points, |point| point.response_ninth_decile.map(|took| took.as_secs_f64()));
    let scale = ValueScale::new(most(&median)?.max(most(&decile).unwrap_or(0.0)), 0.001);
    let mut keys = vec![Key { class: "verified", words: "half of the peers" }];
    keys.extend(most(&decile).map(|_| Key { class: "possible", words: "nine of ten" }));
    Some(Chart {
        title: "Response times",
        said: known(points, |point| point.response, time, now).unwrap_or_default(),
        keys,
        times: axis.marks(),
        values: scale.marks(axis_time),
        paths: vec![line("possible", &decile, axis, scale), line("verified", &median, axis, scale)],
    })
}

fn values(points: &[Point], value: impl Fn(&Point) -> Option<f64>) -> Vec<(UnixTime, Option<f64>)> {
    points.iter().map(|point| (point.at, value(point).filter(|value| value.is_finite()))).collect()
}

fn most(values: &Values) -> Option<f64> {
    values.iter().filter_map(|(_, value)| *value).reduce(f64::max)
}

/// `3 now, 0 to 5`: the last known value, the least and the greatest.
fn known<V: Copy + Ord>(
    points: &[Point],
    value: impl Fn(&Point) -> Option<V>,
    shown: impl Fn(V) -> String,
    now: &'static str,
) -> Option<String> {
    let known = || points.iter().filter_map(&value);
    let (last, least, most) = (shown(known().next_back()?), known().min()?, known().max()?);
    let range = if least == most { String::new() } else { format!(", {} to {}", shown(least), shown(most)) };
    Some(format!("{last} {}{range}", when(points, |point| value(point).is_some(), now)))
}

/// Whether the last known value is that of the last point.
fn when(points: &[Point], is_known: impl Fn(&Point) -> bool, now: &'static str) -> &'static str {
    if points.last().is_some_and(is_known) { now } else { "when last known" }
}

/// A whole number as an axis has it.
fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    digits.parse().map_or(digits, grouped)
}

/// A round time as an axis has it: `20 ms`, `1.5 s`.
fn axis_time(seconds: f64) -> String {
    match Duration::try_from_secs_f64(seconds) {
        Ok(took) if took < Duration::from_secs(1) => format!("{} ms", (seconds * 1e3).round()),
        _ => format!("{} s", (seconds * 10.0).round() / 10.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use report::Copies;

    const NOW: UnixTime = 1_000_000;

    fn series(rows: &[(Option<u32>, Option<u32>, f64)]) -> Series {
        let point = |(hour, (claimed, verified, copies)): (i64, &(Option<u32>, Option<u32>, f64))| Point {
            at: hour * 3_600,
            claimed: *claimed,
            verified: *verified,
            copies: Some(Copies { min: *copies, max: *copies }),
            response: Some(Duration::from_millis(100 + hour.unsigned_abs())),
            response_ninth_decile: None,
        };
        Series { points: (0..).zip(rows).map(point).collect() }
    }

    #[test]
    fn each_chart_says_what_it_shows() {
        let charts =
            charts(&series(&[(Some(50), Some(3), 3.3), (Some(48), Some(0), 0.98), (None, Some(2), 2.0)]), NOW, "now");
        let said: Vec<_> = charts.iter().map(|chart| (chart.title, chart.said.as_str())).collect();
        assert_eq!(
            said,
            [
                ("Seeds", "verified 2 now, 0 to 3; claimed 48 when last known, 48 to 50"),
                ("Copies", "2.00 now, lowest 0.98 on 1970-01-01"),
                ("Response times", "102 ms now, 100 ms to 102 ms"),
            ]
        );
        assert_eq!(charts[0].values.last().unwrap().label, "60");
    }

    #[test]
    fn few_verified_seeds_stay_apart_from_zero_beside_large_claims() {
        let charts = charts(&series(&[(Some(5_000), Some(3), 3.0)]), NOW, "when last seen");
        assert_eq!(charts[0].said, "verified 3 when last seen; claimed 5,000 when last seen; logarithmic scale");
        let verified = charts[0].paths.iter().find(|path| path.class == "verified").unwrap();
        assert_eq!(verified.data, "M0 837h0");
    }

    #[test]
    fn nothing_known_gives_no_chart_and_no_jump_of_a_clock_hides_what_came_after() {
        assert!(charts(&Series::default(), NOW, "now").is_empty());
        assert!(charts(&Series { points: vec![Point::new(5)] }, NOW, "now").is_empty());
        let mut jumped = series(&[(Some(1), Some(1), 1.0), (Some(2), Some(2), 2.0)]);
        jumped.points.insert(0, Point { claimed: Some(9), ..Point::new(i64::MAX) });
        assert!(charts(&jumped, NOW, "now")[0].said.contains("claimed 2 now"));
    }
}
