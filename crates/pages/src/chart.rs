//! Charts over time, as places and paths for the template of a chart.

use crate::date::UnixTime;
use crate::scale::{AxisMark, PLOT, TimeScale, ValueScale};
use std::fmt::Write;

/// A line is interrupted where no observation came for so many times the interval beside it, and for this part of the axis.
const INTERRUPTED: (i64, i64) = (4, 20);

/// A chart, ready for its template.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    pub(crate) title: &'static str,
    /// What the chart shows, in words, for those who do not see it, and under its title.
    pub(crate) said: String,
    pub(crate) keys: Vec<Key>,
    pub(crate) times: Vec<AxisMark>,
    pub(crate) values: Vec<AxisMark>,
    /// From the one at the back to the one in front.
    pub(crate) paths: Vec<Path>,
}

/// What a line or an area means.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) class: &'static str,
    pub(crate) words: &'static str,
}

/// A line or an area.
#[derive(Clone, Debug)]
pub(crate) struct Path {
    /// The name of its class in the style sheet.
    pub(crate) class: &'static str,
    /// SVG path data.
    pub(crate) data: String,
}

/// Values over time; `None` interrupts.
pub(crate) type Values = [(UnixTime, Option<f64>)];

/// A line in steps: a value holds until the next one.
pub(crate) fn line(class: &'static str, values: &Values, time: TimeScale, scale: ValueScale) -> Path {
    let mut data = String::new();
    let mut is_open = false;
    for (at, value) in columns(&uninterrupted(values), time) {
        let Some(value) = value else {
            end_of_line(&mut data, is_open);
            is_open = false;
            continue;
        };
        let step = if is_open { ["H", "V"] } else { ["M", " "] };
        is_open = true;
        // Writing to a string cannot fail.
        _ = write!(data, "{}{at:.0}{}{:.0}", step[0], step[1], scale.y(value));
    }
    end_of_line(&mut data, is_open);
    Path { class, data }
}

/// A dot at the end, by the round cap of a line without a length: a single value would not be seen otherwise.
fn end_of_line(data: &mut String, is_open: bool) {
    if is_open {
        data.push_str("h0");
    }
}

/// An area in steps from the bottom up to the values, the last of which holds until the end of the axis.
pub(crate) fn area(class: &'static str, values: &[(UnixTime, f64)], time: TimeScale, scale: ValueScale) -> Path {
    let mut data = String::new();
    let mut last_x = None;
    for (number, (at, value)) in values.iter().enumerate() {
        let (x, next_x) = (time.x(*at), values.get(number + 1).map(|(at, _)| time.x(*at)));
        // Of those in one place the last is drawn: it holds.
        if next_x.is_some_and(|next| next.round() <= x.round()) {
            continue;
        }
        _ = match last_x.replace(x) {
            None => write!(data, "M{x:.0} {PLOT:.0}V{:.0}", scale.y(*value)),
            Some(_) => write!(data, "H{x:.0}V{:.0}", scale.y(*value)),
        };
    }
    if last_x.is_some() {
        _ = write!(data, "H{PLOT:.0}V{PLOT:.0}Z");
    }
    Path { class, data }
}

/// Values with a `None` where observations are missing for long.
fn uninterrupted(values: &Values) -> Vec<(UnixTime, Option<f64>)> {
    let between = |at: usize| Some(values.get(at + 1)?.0.saturating_sub(values.get(at)?.0));
    let span = match values {
        [(first, _), .., (last, _)] => last.saturating_sub(*first),
        _ => 0,
    };
    let mut whole = Vec::with_capacity(values.len());
    for (number, (at, value)) in values.iter().enumerate() {
        whole.push((*at, *value));
        let beside = [number.checked_sub(1).and_then(between), between(number + 1)].into_iter().flatten().max();
        if let (Some(gap), Some(beside)) = (between(number), beside)
            && gap > beside.saturating_mul(INTERRUPTED.0)
            && gap > span / INTERRUPTED.1
        {
            whole.push((at.saturating_add(1), None));
        }
    }
    whole
}

/// At most four values for each place on the axis, the first, the lowest, the highest and the last: a line with more looks the same.
fn columns(values: &Values, time: TimeScale) -> Vec<(f64, Option<f64>)> {
    let mut columns = Vec::new();
    for group in values.chunk_by(|a, b| time.x(a.0).round() == time.x(b.0).round() && a.1.is_some() == b.1.is_some()) {
        let value = |place: usize| group.get(place).and_then(|(_, value)| *value).unwrap_or_default();
        let last = group.len() - 1;
        let by_value = |a: &usize, b: &usize| value(*a).total_cmp(&value(*b));
        let mut kept = [0, (0..=last).min_by(by_value).unwrap_or(0), (0..=last).max_by(by_value).unwrap_or(0), last];
        kept.sort_unstable();
        let mut before = None;
        for place in kept.into_iter().filter(|place| before.replace(*place) != Some(*place)) {
            columns.extend(group.get(place).map(|(at, value)| (time.x(*at).round(), *value)));
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn drawn(values: &Values) -> String {
        let time = TimeScale::new(values.first().map_or(0, |first| first.0), values.last().map_or(0, |last| last.0));
        line("x", values, time, ValueScale::new(10.0, 1.0)).data
    }

    #[test]
    fn a_line_goes_in_steps_and_is_interrupted_where_nothing_is_known() {
        let hours =
            |values: &[Option<f64>]| -> Vec<_> { (0..).map(|hour| hour * 3_600).zip(values.iter().copied()).collect() };
        assert_eq!(drawn(&hours(&[Some(0.0), Some(5.0), Some(10.0)])), "M0 1000H500V500H1000V0h0");
        assert_eq!(drawn(&hours(&[Some(0.0), None, Some(5.0)])), "M0 1000h0M1000 500h0");
        assert_eq!(drawn(&hours(&[Some(10.0)])), "M0 0h0");
        assert_eq!((drawn(&hours(&[None, None])), drawn(&[])), (String::new(), String::new()));
        // Ten hours without an observation, among hourly ones.
        let with_a_gap = [0, 1, 2, 12, 13].map(|hour| (hour * 3_600, Some(5.0)));
        assert_eq!(drawn(&with_a_gap).matches('M').count(), 2);
        // Daily ones, then hourly ones.
        let thinned = [0, 24, 48, 72, 73, 74, 75].map(|hour| (hour * 3_600, Some(5.0)));
        assert_eq!(drawn(&thinned).matches('M').count(), 1);
    }

    #[test]
    fn a_short_dip_among_many_observations_is_seen() {
        let values: Vec<_> = (0..100_000).map(|at| (at * 600, Some(if at == 54_321 { 0.0 } else { 8.0 }))).collect();
        let data = drawn(&values);
        assert!(data.contains("V1000") && data.len() < 20_000, "{}", data.len());
    }

    #[test]
    fn an_area_holds_its_last_value() {
        let (time, scale) = (TimeScale::new(0, 4_000), ValueScale::new(10.0, 1.0));
        assert_eq!(area("x", &[(0, 5.0), (1, 7.0), (2_000, 10.0)], time, scale).data, "M0 1000V300H500V0H1000V1000Z");
        assert_eq!(area("x", &[], time, scale).data, "");
    }

    proptest! {
        #[test]
        fn any_values_are_drawn_with_plain_numbers_within(
            values in proptest::collection::vec((any::<i64>(), proptest::option::of(any::<f64>())), 0..60),
        ) {
            let data = drawn(&values);
            let numbers = data.split(|c: char| !(c.is_ascii_digit() || "-.".contains(c))).filter(|part| !part.is_empty());
            for number in numbers {
                prop_assert!(number.parse::<u32>().is_ok_and(|number| number <= 1_000), "{data}");
            }
            prop_assert!(data.chars().all(|c| c.is_ascii_digit() || "MHVh ".contains(c)), "{data}");
        }
    }
}
