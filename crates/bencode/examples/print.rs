//! Prints the contents of a bencoded file, such as a torrent or a tracker's reply:
//! `cargo run -p bencode --example print -- FILE`

use bencode::{Document, Limits, Value};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: print FILE")?;
    let bytes = std::fs::read(path)?;
    let document = Document::parse_lenient(&bytes, Limits::TORRENT)?;
    print("", document.root(), 0);
    for deviation in document.deviations().first() {
        println!("not canonical: {} at byte {}", deviation.kind, deviation.offset);
    }
    Ok(())
}

/// Prints a value after its label, and its contents indented. The limits bound the depth, so recursion is safe.
fn print(label: &str, value: Value<'_>, indent: usize) {
    print!("{:indent$}{label}", "");
    if let Some(bytes) = value.as_bytes() {
        println!("{}", text(bytes));
    } else if let Some(list) = value.as_list() {
        println!("list");
        list.iter().for_each(|item| print("- ", item, indent + 2));
    } else if let Some(dict) = value.as_dict() {
        println!("dictionary");
        dict.iter().for_each(|(key, item)| print(&format!("{}: ", text(key)), item, indent + 2));
    } else {
        println!("{}", value.as_int().map_or("beyond 64 bits".to_owned(), |number| number.to_string()));
    }
}

fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| format!("{} bytes", bytes.len()), |text| format!("{text:?}"))
}
