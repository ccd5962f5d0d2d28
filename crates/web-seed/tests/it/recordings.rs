//! Recorded answers of real web servers to the requests of this crate, each judged.
//!
//! `fixtures/http/understood.txt` has the results; `UPDATE_SNAPSHOTS=1` writes it again.

use crate::support::{Asked, Then, answered, tail, url};
use std::fmt::Write;
use std::path::Path;
use web_seed::ByteRange;

/// The bytes of the files that were served.
fn content(range: ByteRange) -> Vec<u8> {
    (range.first()..=range.last()).map(|at| b'a' + u8::try_from(at % 23).unwrap()).collect()
}

/// What was asked for in each recording: the end of a file, with its size by the torrent. The file there has 2,048.
fn asked(case: &str) -> ByteRange {
    match case {
        "whole" => tail(10, 10),
        "shorter" => tail(1024, 2100),
        "far_shorter" => tail(1024, 8192),
        "longer" => tail(1024, 2000),
        _ => tail(1024, 2048),
    }
}

#[tokio::test(start_paused = true)]
async fn every_recorded_answer_has_its_verdict() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/http");
    let entries = |folder: &Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let servers = entries(&folder).filter(|path| path.is_dir());
    let mut files: Vec<_> = servers.flat_map(|server| entries(&server).collect::<Vec<_>>()).collect();
    files.sort();
    let mut lines = String::new();
    for file in files {
        let (case, reply) = (file.file_stem().unwrap().to_str().unwrap(), std::fs::read(&file).unwrap());
        let server = file.parent().unwrap().file_name().unwrap().to_str().unwrap();
        // Python's server speaks HTTP/1.0.
        let then = if reply.starts_with(b"HTTP/1.0") { Then::Closes } else { Then::Waits };
        let range = asked(case);
        let whole = answered(&url(), Asked::Range(range), &reply, 60_000, then).await;
        match &whole.result {
            Ok(_) => assert_eq!(whole.bytes, content(range), "{server}/{case}"),
            Err(_) => assert_eq!(whole.bytes, b"", "{server}/{case}"),
        }
        for piece in [1, 50] {
            let split = answered(&url(), Asked::Range(range), &reply, piece, then).await;
            assert_eq!((split.line(), &split.bytes), (whole.line(), &whole.bytes), "{server}/{case} by {piece} bytes");
        }
        writeln!(lines, "{server}/{case}: {}", whole.line()).unwrap();
    }
    let snapshot = folder.join("understood.txt");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&snapshot, &lines).unwrap();
    }
    let expected = std::fs::read_to_string(&snapshot).unwrap();
    for (line, expected) in lines.lines().zip(expected.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(lines.lines().count(), expected.lines().count());
}
