//! The shares over the time as a picture.

use crate::Result;
use crate::score::{Curves, RATE};
use std::fmt::Write;

/// The picture's size, and its margins at the left and at the bottom.
const SIZE: (f64, f64) = (760.0, 420.0);
const MARGIN: (f64, f64) = (46.0, 40.0);
/// Seconds that are shown.
const SECONDS: usize = 12;
/// For lines on white and on black.
const COLOURS: [&str; 8] = ["#d62728", "#7f7f7f", "#1f77b4", "#17a2b8", "#9467bd", "#e08214", "#2ca02c", "#000"];

/// Writes the lines of the shares found reachable.
pub(crate) fn write<'a>(file: &str, peers: usize, lines: impl Iterator<Item = (&'a str, &'a Curves)>) -> Result {
    let ((width, height), (left, bottom)) = (SIZE, MARGIN);
    let x = |seconds: f64| left + (width - left - 10.0) * seconds / SECONDS as f64;
    let y = |share: f64| 26.0 + (height - bottom - 26.0) * (1.0 - share);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"{left}\" y=\"16\">Reachable peers found, % of those in a swarm of {peers} addresses, over seconds</text>\n"
    );
    for percent in (0..=100).step_by(20) {
        let at = y(f64::from(percent) / 100.0);
        writeln!(svg, "<path d=\"M{left} {at:.1}H{}\" stroke=\"#ddd\"/>", width - 10.0)?;
        writeln!(svg, "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{percent}</text>", left - 6.0, at + 4.0)?;
    }
    for second in 0..=SECONDS {
        let at = x(second as f64);
        writeln!(svg, "<text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{second}</text>", height - bottom + 18.0)?;
    }
    for (place, (name, curves)) in lines.enumerate() {
        let colour = COLOURS[place % COLOURS.len()];
        let points = curves.iter().take(SECONDS * RATE + 1).enumerate();
        let points: String = points
            .map(|(moment, [share, _])| format!("{:.1},{:.1} ", x(moment as f64 / RATE as f64), y(*share)))
            .collect();
        let stroke = if place == 0 { 3 } else { 2 };
        writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{stroke}\"/>",
            points.trim()
        )?;
        let (row, column) = (place % 4, place / 4);
        let (at, line) = (width - 350.0 + 180.0 * column as f64, height - bottom - 80.0 + 18.0 * row as f64);
        writeln!(svg, "<rect x=\"{at}\" y=\"{}\" width=\"14\" height=\"4\" fill=\"{colour}\"/>", line - 6.0)?;
        writeln!(svg, "<text x=\"{}\" y=\"{line}\">{name}</text>", at + 20.0)?;
    }
    svg.push_str("</svg>\n");
    Ok(std::fs::write(file, svg)?)
}
