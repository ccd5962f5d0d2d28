//! `cargo xtask picture`: the last lines of a real run, as two SVG files for the README's first screen, light and dark.

use std::fmt::Write;
use std::fs;

use xtask::shell::{self, Result};

/// The terminal that is drawn.
const COLUMNS: usize = 80;
const ROWS: usize = 20;

/// Sizes in pixels: of a character, of a line, and of the margin around all.
const CHARACTER: f64 = 8.4;
const LINE: usize = 18;
const MARGIN: usize = 16;

/// Colours of one picture.
struct Theme {
    file: &'static str,
    paper: &'static str,
    ink: &'static str,
    dim: &'static str,
    good: &'static str,
    bad: &'static str,
    open: &'static str,
}

const THEMES: [Theme; 2] = [
    Theme {
        file: ".github/run-light.svg",
        paper: "#f6f8fa",
        ink: "#1f2328",
        dim: "#59636e",
        good: "#1a7f37",
        bad: "#cf222e",
        open: "#9a6700",
    },
    Theme {
        file: ".github/run-dark.svg",
        paper: "#0d1117",
        ink: "#e6edf3",
        dim: "#9198a1",
        good: "#3fb950",
        bad: "#f85149",
        open: "#d29922",
    },
];

/// A piece of a line in one style.
#[derive(Clone, Debug, Default, PartialEq)]
struct Piece {
    text: String,
    bold: bool,
    dim: bool,
    /// The colour's number, as ECMA-48 has it.
    colour: Option<u8>,
}

/// Draws what the command printed, after the line that it was called with.
pub(crate) fn draw(command: &str, printed: &str) -> Result {
    for theme in &THEMES {
        let path = shell::root().join(theme.file);
        fs::write(&path, svg(command, printed, theme)).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("wrote {}", theme.file);
    }
    Ok(())
}

/// The last lines of it, as many as the terminal has.
fn svg(command: &str, printed: &str, theme: &Theme) -> String {
    let mut lines: Vec<Vec<Piece>> = printed.lines().map(pieces).collect();
    let room = ROWS - 1;
    lines.drain(..lines.len().saturating_sub(room));
    lines.insert(0, vec![Piece { text: format!("$ {command}"), dim: true, ..Piece::default() }]);
    let width = (CHARACTER * f64::from(u32::try_from(COLUMNS).unwrap_or(u32::MAX))).ceil();
    let (width, height) =
        (width + 2.0 * f64::from(u32::try_from(MARGIN).unwrap_or(0)), lines.len() * LINE + 2 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n\
         <g font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\" font-size=\"14\" fill=\"{}\">\n",
        theme.paper, theme.ink
    );
    for (number, line) in lines.iter().enumerate() {
        let y = MARGIN + (number + 1) * LINE - 5;
        let columns: usize = line.iter().map(|piece| piece.text.chars().count()).sum();
        if columns == 0 {
            continue;
        }
        // The length keeps columns aligned in whatever font is there.
        let length = CHARACTER * f64::from(u32::try_from(columns).unwrap_or(u32::MAX));
        let _ = write!(svg, "<text x=\"{MARGIN}\" y=\"{y}\" xml:space=\"preserve\" textLength=\"{length:.1}\">");
        line.iter().for_each(|piece| svg.push_str(&span(piece, theme)));
        svg.push_str("</text>\n");
    }
    svg + "</g>\n</svg>\n"
}

fn span(piece: &Piece, theme: &Theme) -> String {
    let fill = match piece.colour {
        Some(31) => Some(theme.bad),
        Some(32) => Some(theme.good),
        Some(33) => Some(theme.open),
        _ => piece.dim.then_some(theme.dim),
    };
    let text = piece.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let fill = fill.map(|fill| format!(" fill=\"{fill}\"")).unwrap_or_default();
    let weight = if piece.bold { " font-weight=\"bold\"" } else { "" };
    if fill.is_empty() && weight.is_empty() { text } else { format!("<tspan{fill}{weight}>{text}</tspan>") }
}

/// A line with its styles (ECMA-48's SGR) taken apart.
fn pieces(line: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut style = Piece::default();
    let mut rest = line;
    loop {
        let (text, after) = rest.split_once("\u{1b}[").map_or((rest, None), |(text, after)| (text, Some(after)));
        if !text.is_empty() {
            pieces.push(Piece { text: text.to_owned(), ..style.clone() });
        }
        let Some((codes, after)) = after.and_then(|after| after.split_once('m')) else { return pieces };
        for code in codes.split(';') {
            match code.parse() {
                Ok(1) => style.bold = true,
                Ok(2) => style.dim = true,
                Ok(colour @ 30..=37) => style.colour = Some(colour),
                _ => style = Piece::default(),
            }
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_taken_apart() {
        let line = "\u{1b}[32m✓\u{1b}[0m \u{1b}[1malive\u{1b}[0m, a<b";
        let [light, ..] = &THEMES;
        let spans: String = pieces(line).iter().map(|piece| span(piece, light)).collect();
        let expected = "<tspan fill=\"#1a7f37\">✓</tspan> <tspan font-weight=\"bold\">alive</tspan>, a&lt;b";
        assert_eq!(spans, expected);
    }

    #[test]
    fn the_last_lines_are_drawn() {
        let printed: String = (0..50).map(|n| format!("line {n}\n")).collect();
        let svg = svg("bt-handshake demo.torrent", &printed, &THEMES[1]);
        assert_eq!(svg.matches("<text ").count(), ROWS);
        assert!(svg.contains(">$ bt-handshake demo.torrent<") && svg.contains("line 49") && !svg.contains("line 30<"));
    }
}
