//! A report of made-up torrents: `cargo run -p pages --example page -- 40 html > page.html`; or `csv`, `torrents-json`.

#[path = "../tests/it/sample.rs"]
mod sample;

use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let torrents = arguments.next().map_or(Ok(40), |number| number.parse())?;
    let overview = sample::overview(torrents);
    let begin = std::time::Instant::now();
    let report = match arguments.next().as_deref() {
        None | Some("html") => pages::page(&overview),
        Some("csv") => pages::csv(&overview),
        Some("torrents-json") => pages::torrents_json(&overview),
        Some(other) => return Err(format!("`{other}` is none of html, csv, torrents-json").into()),
    };
    eprintln!("{torrents} torrents, {} bytes in {:.1?}", report.len(), begin.elapsed());
    std::io::stdout().write_all(report.as_bytes())?;
    Ok(())
}
