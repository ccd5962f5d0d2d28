//! `bench hostile`: time and memory for large hostile documents.

use bencode::{Document, Limits};
use stats_alloc::Region;
use std::hint::black_box;
use std::time::{Duration, Instant};

const BYTES: usize = 64 << 20;
const LONGEST: Duration = Duration::from_secs(1);
const TIMES_THE_INPUT: usize = 16;

/// No limits on depth and tokens, so that each document is read to its end.
const OPEN: Limits = Limits::TORRENT.with_bytes(Limits::MAX_BYTES).with_depth(usize::MAX).with_tokens(usize::MAX);

pub(crate) fn run() {
    println!("64 MiB each; memory is the sum of all allocations, so the peak is lower.\n");
    for (what, input) in inputs() {
        for (limits, presets) in [(Limits::TORRENT, "torrent limits"), (OPEN, "no limits")] {
            let region = Region::new(crate::ALLOCATOR);
            let start = Instant::now();
            let verdict = match black_box(Document::parse_lenient(&input, limits)) {
                Ok(document) => format!("read, {} deviations", document.deviations().total()),
                Err(error) => error.to_string(),
            };
            let (took, asked) = (start.elapsed(), region.change().bytes_allocated);
            let met = took <= LONGEST && asked <= TIMES_THE_INPUT * input.len();
            let met = if met { "met   " } else { "MISSED" };
            let times = asked as f64 / input.len() as f64;
            println!(
                "{met} {what:<34} {presets:<14} {:>7.1} ms {times:>5.1} × input  {verdict}",
                took.as_secs_f64() * 1e3
            );
        }
    }
}

fn inputs() -> Vec<(&'static str, Vec<u8>)> {
    let list = |unit: &[u8]| [b"l", unit.repeat(BYTES / unit.len()).as_slice(), b"e"].concat()[..BYTES].to_vec();
    let keys = |count: usize, key: &dyn Fn(usize) -> String| {
        let entries: String = (0..count).map(key).map(|key| format!("{}:{key}0:", key.len())).collect();
        format!("d{entries}e").into_bytes()
    };
    let scattered = |number: usize| number.wrapping_mul(2_654_435_761) % 10_000_000;
    let common = "x".repeat(8);
    vec![
        ("l", vec![b'l'; BYTES]),
        ("l…e, nested", [vec![b'l'; BYTES / 2], vec![b'e'; BYTES / 2]].concat()),
        ("i0e", b"i0e".repeat(BYTES / 3)),
        ("0:", b"0:".repeat(BYTES / 2)),
        ("list of i0e", list(b"i0e")),
        ("list of 0:", list(b"0:")),
        ("list of le", list(b"le")),
        ("dictionary of 0:0:", [b"d".as_slice(), &b"0:0:".repeat(BYTES / 4 - 1), b"e"].concat()),
        ("4.9 million keys, scattered", keys(4_900_000, &|number| format!("{:07}", scattered(number)))),
        ("two keys that alternate", keys(4_900_000, &|number| ["b", "a"][number % 2].to_owned())),
        (
            "scattered behind two beginnings",
            keys(2_900_000, &|number| format!("{}{common}{:07}", ["a", "b"][number % 2], scattered(number))),
        ),
    ]
}
