//! Colours that can be read, in light and in dark.

use std::collections::BTreeMap;

const STYLE: &str = include_str!("../../templates/style.css");

/// The colours of the scheme that the n-th `:root` defines.
fn colours(scheme: usize) -> BTreeMap<&'static str, [f64; 3]> {
    let block = STYLE.split(":root{").nth(scheme + 1).unwrap().split('}').next().unwrap();
    let colour = |entry: &'static str| {
        let (name, hex) = entry.split_once(":#").unwrap();
        let hex = if hex.len() == 3 { hex.chars().flat_map(|c| [c, c]).collect() } else { hex.to_owned() };
        let channel = |at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        (name, [0, 2, 4].map(channel))
    };
    block.split(';').map(colour).collect()
}

/// WCAG 2, contrast ratio.
fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let linear =
        |channel: f64| if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) };
    let luminance = |[r, g, b]: [f64; 3]| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn text_and_lines_stand_out_from_the_ground() {
    assert_eq!(contrast([0.0; 3], [1.0; 3]).round(), 21.0);
    for scheme in 0..2 {
        let colours = colours(scheme);
        for (name, least) in [
            ("--fg", 7.0),
            ("--muted", 4.5),
            ("--accent", 4.5),
            ("--bad", 4.5),
            ("--open", 4.5),
            ("--claimed", 3.0),
            ("--s0", 3.0),
        ] {
            let ratio = contrast(colours[name], colours["--bg"]);
            assert!(ratio >= least, "{name} in scheme {scheme}: {ratio:.2}");
        }
    }
}

#[test]
fn both_schemes_have_the_same_colours_and_every_one_is_used() {
    let [light, dark] = [0, 1].map(colours);
    assert!(light.keys().eq(dark.keys()));
    for name in light.keys() {
        assert!(STYLE.contains(&format!("var({name})")), "{name}");
    }
}
