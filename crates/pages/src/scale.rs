//! From values to places in a chart, and the round values that an axis is marked at. A plot is 1,000 by 1,000, stretched to its place
//! on the page; marks are in percent of it.

use crate::date;
use crate::date::UnixTime;

/// Width and height of a plot.
pub(crate) const PLOT: f64 = 1_000.0;
/// Most marks of an axis of time.
const MOST_TIMES: i64 = 6;
/// About how many marks an axis of values has above zero.
const VALUES: f64 = 4.0;
/// Marks of a logarithmic scale that are closer than this, in percent, would run into each other.
const CLOSEST: f64 = 18.0;

/// The axis of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeScale {
    first: UnixTime,
    last: UnixTime,
}

/// The axis of values, from zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValueScale {
    top: f64,
    step: f64,
    /// By the logarithm of one more: small values stay apart from zero beside large ones.
    is_logarithmic: bool,
}

/// A mark of an axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AxisMark {
    /// Percent from the left or from the top.
    pub(crate) at: String,
    pub(crate) label: String,
    /// How its label is placed: the name of a class in the style sheet.
    pub(crate) class: &'static str,
}

impl TimeScale {
    /// Of an hour at least.
    pub(crate) fn new(first: UnixTime, last: UnixTime) -> Self {
        Self { first, last: last.max(first.saturating_add(3_600)) }
    }

    /// From the left, at most [`PLOT`].
    #[expect(clippy::cast_precision_loss, reason = "a place in a chart")]
    pub(crate) fn x(&self, at: UnixTime) -> f64 {
        let span = self.last.saturating_sub(self.first) as f64;
        (PLOT * at.saturating_sub(self.first) as f64 / span).clamp(0.0, PLOT)
    }

    pub(crate) fn marks(&self) -> Vec<AxisMark> {
        let times = date::marks(self.first, self.last, MOST_TIMES);
        let is_crowded = times.len() > 3;
        let mark = |(number, (at, label)): (usize, (UnixTime, String))| {
            let percent = self.x(at) * 100.0 / PLOT;
            // On a narrow screen every second one is left out.
            let class = match percent {
                _ if is_crowded && number % 2 == 1 => "x second",
                ..6.0 => "x first",
                94.0.. => "x last",
                _ => "x",
            };
            AxisMark { at: format!("{percent:.1}"), label, class }
        };
        times.into_iter().enumerate().map(mark).collect()
    }
}

impl ValueScale {
    /// Up to a round value that is not below `most`; marks are at least `least_step` apart.
    pub(crate) fn new(most: f64, least_step: f64) -> Self {
        let most = if most.is_finite() { most.max(0.0) } else { 0.0 };
        let step = round_up(most / VALUES).max(least_step);
        let steps = (most / step).ceil().max(1.0);
        Self { top: steps * step, step, is_logarithmic: false }
    }

    /// For whole numbers, some of which are much larger than others that matter as much.
    pub(crate) fn logarithmic(most: f64) -> Self {
        Self { top: round_up(most.max(1.0)), step: 1.0, is_logarithmic: true }
    }

    /// From the top.
    pub(crate) fn y(&self, value: f64) -> f64 {
        let share = if self.is_logarithmic { value.ln_1p() / self.top.ln_1p() } else { value / self.top };
        PLOT * (1.0 - share.clamp(0.0, 1.0))
    }

    pub(crate) fn marks(&self, label: impl Fn(f64) -> String) -> Vec<AxisMark> {
        let mark = |value: f64| {
            let at = format!("{:.1}", self.y(value) * 100.0 / PLOT);
            AxisMark { at, label: label(value), class: "y" }
        };
        let values = if self.is_logarithmic { self.powers() } else { self.even_values() };
        values.into_iter().map(mark).collect()
    }

    fn even_values(&self) -> Vec<f64> {
        let steps = std::iter::successors(Some(0.0), |count| Some(count + 1.0));
        steps.map(|count| count * self.step).take_while(|value| *value <= self.top * (1.0 + 1e-9)).collect()
    }

    /// The top, powers of ten below it that have room, and zero.
    fn powers(&self) -> Vec<f64> {
        let percent = |value| self.y(value) * 100.0 / PLOT;
        let mut values = vec![self.top];
        let mut power = 10_f64.powf(self.top.log10().floor());
        while power >= 1.0 {
            let above = values.last().copied().unwrap_or(self.top);
            if percent(power) - percent(above) >= CLOSEST && 100.0 - percent(power) >= CLOSEST {
                values.push(power);
            }
            power /= 10.0;
        }
        values.push(0.0);
        values
    }
}

/// The next of 1, 2, 5, 10, 20, …, and of their tenths and so on, that is not below.
fn round_up(value: f64) -> f64 {
    if value <= 0.0 {
        return 0.0;
    }
    let decade = 10_f64.powf(value.log10().floor());
    let round = [1.0, 2.0, 5.0].into_iter().map(|factor| factor * decade);
    round.into_iter().find(|round| *round >= value * (1.0 - 1e-9)).unwrap_or(10.0 * decade)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(scale: ValueScale) -> String {
        scale.marks(|value| value.to_string()).into_iter().map(|mark| mark.label).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn axes_end_at_round_values() {
        for (most, least_step, expected) in [
            (0.0, 1.0, "0 1"),
            (3.0, 1.0, "0 1 2 3"),
            (7.0, 1.0, "0 2 4 6 8"),
            (50.0, 1.0, "0 20 40 60"),
            (0.98, 0.5, "0 0.5 1"),
            (f64::NAN, 1.0, "0 1"),
        ] {
            assert_eq!(labels(ValueScale::new(most, least_step)), expected, "{most}");
        }
        assert_eq!(labels(ValueScale::logarithmic(4_321.0)), "5000 1000 100 10 0");
        assert_eq!(labels(ValueScale::logarithmic(1.0)), "1 0");
    }

    #[test]
    fn places_are_from_the_left_and_the_top() {
        let time = TimeScale::new(1_000, 9_000);
        assert_eq!([0, 1_000, 5_000, 9_000, i64::MAX].map(|at| time.x(at)), [0.0, 0.0, 500.0, 1_000.0, 1_000.0]);
        let values = ValueScale::new(8.0, 1.0);
        assert_eq!([0.0, 2.0, 8.0, 9.0].map(|value| values.y(value)), [1_000.0, 750.0, 0.0, 0.0]);
        let logarithmic = ValueScale::logarithmic(10_000.0);
        assert_eq!([0.0, 99.0, 10_000.0].map(|value| logarithmic.y(value).round()), [1_000.0, 500.0, 0.0]);
    }

    proptest! {
        #[test]
        fn every_axis_has_few_marks_within(most in prop_oneof![0.0..1e19_f64, 0.0..50.0_f64], first: i64, span in 0..i64::MAX) {
            for scale in [ValueScale::new(most, 0.5), ValueScale::logarithmic(most)] {
                let marks = scale.marks(|value| value.to_string());
                prop_assert!((2..=6).contains(&marks.len()), "{marks:?}");
                prop_assert!(scale.top >= most);
            }
            let marks = TimeScale::new(first, first.saturating_add(span)).marks();
            prop_assert!(marks.len() <= 7 && marks.iter().all(|mark| (0.0..=100.0).contains(&mark.at.parse().unwrap())));
        }
    }
}
