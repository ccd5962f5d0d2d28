//! `bench parse`: the tables, and whether the targets are met.

use crate::contenders::{self, LIBTORRENT, OURS, Parser, REFERENCE, Role};
use crate::inputs::{self, Input};
use crate::measure::{self, Contender};
use crate::table::Table;
use bencode::{Document, Limits};
use sha1::{Digest, Sha1};
use stats_alloc::Region;
use std::hint::black_box;
use std::time::Duration;

const ROUNDS: usize = 15;

/// At least this many times faster than the fastest other crate.
const TIMES_FASTER: [(char, f64); 4] = [('c', 3.0), ('d', 1.2), ('e', 2.0), ('f', 1.1)];
/// At most this many times the reference's time.
const OF_REFERENCE: [(char, f64); 3] = [('c', 1.15), ('e', 1.15), ('f', 1.15)];
/// At most this many times the time of SHA-1 over the info dictionary alone.
const OF_SHA1: [(char, f64); 2] = [('b', 1.05), ('c', 1.7)];
const MOST_ALLOCATIONS: usize = 8;

pub(crate) fn run(letters: &str, names: &str) {
    println!("Medians of {ROUNDS} interleaved rounds; each call parses the whole document and drops the result.\n");
    let (mut verdicts, mut table) = (Vec::new(), Table::default());
    for input in inputs::all().into_iter().filter(|input| letters.contains(input.letter)) {
        println!("({}) {}, {} bytes", input.letter, input.what, input.bytes.len());
        parsers(&input, names, &mut verdicts, &mut table);
        if input.torrent && names.is_empty() {
            info_hash(&input, &mut verdicts, &mut table);
        }
        println!();
    }
    table.print();
    println!();
    println!("Targets");
    verdicts.iter().for_each(|verdict| println!("  {verdict}"));
}

/// Runs our parser alone for a few seconds, for a profiler.
pub(crate) fn profile(letters: &str) {
    for input in inputs::all().into_iter().filter(|input| letters.contains(input.letter)) {
        let start = std::time::Instant::now();
        while start.elapsed() < Duration::from_secs(4) {
            black_box(Document::parse(black_box(&input.bytes)).is_ok());
        }
    }
}

fn parsers(input: &Input, names: &str, verdicts: &mut Vec<String>, table: &mut Table) {
    let (able, contenders) = able(input, names);
    let times = measure::interleaved(&contenders, ROUNDS);
    let time_of = |name| able.iter().position(|parser| parser.name == name).map_or(Duration::MAX, |at| times[at]);
    let ours = time_of(OURS);
    for (parser, &time) in able.iter().zip(&times) {
        let allocations = allocations(|| drop((parser.parse)(&input.bytes)));
        row(parser.name, time, ours, Some(allocations));
        table.add(input.letter, parser.name, time, (parser.role != Role::Ours).then_some(ours));
        if parser.role == Role::Ours {
            verdict(verdicts, input, "allocations, at most", allocations as f64, MOST_ALLOCATIONS as f64, false);
        }
    }
    let others = able.iter().zip(&times).filter(|(parser, _)| parser.role == Role::Other);
    if let (Some(target), Some((fastest, time))) = (target(&TIMES_FASTER, input), others.min_by_key(|(_, time)| **time))
    {
        let what = format!("times faster than {}, at least", fastest.name);
        verdict(verdicts, input, &what, ratio(*time, ours), target, true);
    }
    if let Some(target) = target(&OF_REFERENCE, input) {
        verdict(verdicts, input, "of the reference, at most", ratio(ours, time_of(REFERENCE)), target, false);
    }
    if input.letter == 'c' && time_of(LIBTORRENT) < Duration::MAX {
        let found = ratio(time_of(REFERENCE), time_of(LIBTORRENT));
        verdict(verdicts, input, "the reference, of libtorrent's bdecode, below", found, 1.0, false);
    }
}

/// The parsers that can read this input; prints why the others cannot.
fn able<'a>(input: &'a Input, names: &str) -> (Vec<Parser>, Vec<Contender<'a>>) {
    let mut able = contenders::all();
    able.retain(|parser| {
        if parser.torrents_only && !input.torrent || !parser.name.contains(names) && parser.role == Role::Other {
            return false;
        }
        match (parser.parse)(&input.bytes) {
            Ok(()) => true,
            Err(why) => {
                let why: String = why.chars().take(80).collect();
                println!("  {:<38} left out, cannot read it: {}", parser.name, why.escape_debug());
                false
            }
        }
    });
    let contenders = able
        .iter()
        .map(|parser| {
            let (name, parse) = (parser.name, parser.parse);
            Contender { name, work: Box::new(move || drop(parse(black_box(&input.bytes)))) }
        })
        .collect();
    (able, contenders)
}

/// Measures the time from bytes to info-hash.
fn info_hash(input: &Input, verdicts: &mut Vec<String>, table: &mut Table) {
    let document = Document::parse(&input.bytes).expect("our own input");
    let info = document.root().as_dict().and_then(|root| root.get(b"info")).expect("our own input").raw();
    assert_eq!(ours_to_hash(&input.bytes), librqbit_to_hash(&input.bytes), "the two agree");
    let contenders = [
        Contender { name: "bytes to info-hash, ours", work: Box::new(|| _ = black_box(ours_to_hash(&input.bytes))) },
        Contender { name: "SHA-1 of the info dictionary alone", work: Box::new(|| _ = black_box(Sha1::digest(info))) },
        Contender {
            name: "bytes to info-hash, librqbit-core",
            work: Box::new(|| _ = black_box(librqbit_to_hash(&input.bytes))),
        },
    ];
    let times = measure::interleaved(&contenders, ROUNDS);
    for (place, (contender, &time)) in contenders.iter().zip(&times).enumerate() {
        row(contender.name, time, times[0], None);
        table.add(input.letter, contender.name, time, (place > 0).then_some(times[0]));
    }
    if let Some(target) = target(&OF_SHA1, input) {
        verdict(verdicts, input, "of pure SHA-1 to the info-hash, at most", ratio(times[0], times[1]), target, false);
        verdict(verdicts, input, "of librqbit-core to the info-hash, below", ratio(times[0], times[2]), 1.0, false);
    }
}

fn ours_to_hash(input: &[u8]) -> [u8; 20] {
    let document = Document::parse_lenient(black_box(input), Limits::TORRENT).expect("our own input");
    let info = document.root().as_dict().and_then(|root| root.get(b"info")).expect("our own input");
    Sha1::digest(info.raw()).into()
}

fn librqbit_to_hash(input: &[u8]) -> [u8; 20] {
    librqbit_core::torrent_metainfo::torrent_from_bytes(black_box(input)).expect("our own input").info_hash.0
}

fn allocations(work: impl Fn()) -> usize {
    work();
    let region = Region::new(crate::ALLOCATOR);
    work();
    let change = region.change();
    change.allocations + change.reallocations
}

fn row(name: &str, time: Duration, ours: Duration, allocations: Option<usize>) {
    let allocations = allocations.map_or(String::new(), |count| format!("{count:>9} allocations"));
    let micros = time.as_nanos() as f64 / 1000.0;
    println!("  {name:<38} {micros:>12.2} µs {:>8.2} × ours{allocations}", ratio(time, ours));
}

fn verdict(verdicts: &mut Vec<String>, input: &Input, what: &str, found: f64, target: f64, at_least: bool) {
    let met = if at_least { found >= target } else { found <= target };
    let met = if met { "met   " } else { "MISSED" };
    verdicts.push(format!("{met} ({}) {found:>6.3} {what} {target}", input.letter));
}

fn target(targets: &[(char, f64)], input: &Input) -> Option<f64> {
    targets.iter().find(|(letter, _)| *letter == input.letter).map(|&(_, target)| target)
}

fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}
