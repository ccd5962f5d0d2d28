//! The replies of a web seed that end in order, so that another request may follow.

use std::borrow::Cow;

use crate::request::Request;
use crate::web_site::{WebFile, WebSeedScript};

/// A reply: its head, with the empty line, and its body.
pub(super) struct Reply<'s> {
    pub(super) head: String,
    pub(super) body: Body<'s>,
}

/// A part of a file, with zeros after the file's end.
pub(super) struct Body<'s> {
    pub(super) file: Cow<'s, WebFile>,
    /// The first byte, counted from zero.
    pub(super) first: u64,
    /// Number of bytes.
    pub(super) count: u64,
}

/// The reply by a script to a request for this file; `None` for a script that does not end in order.
pub(super) fn of<'s>(script: &WebSeedScript, file: Option<&'s WebFile>, request: &Request) -> Option<Reply<'s>> {
    if let WebSeedScript::Reply { status, headers, body } = script {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        return Some(reply(status, &headers, bytes(body)));
    }
    let from_file = matches!(
        script,
        WebSeedScript::Ranges
            | WebSeedScript::Whole
            | WebSeedScript::ContentRange(_)
            | WebSeedScript::BodyOf(_)
            | WebSeedScript::Pieces { .. }
    );
    if !from_file {
        return None;
    }
    let Some(file) = file else { return Some(reply("404 Not Found", "", bytes(b"no such file\n"))) };
    if let WebSeedScript::Pieces { piece_length } = script {
        return Some(piece(file, *piece_length, request));
    }
    let whole = || reply("200 OK", "", part(file, 0, file.length()));
    let range = request.header("range").and_then(parse_range).filter(|_| *script != WebSeedScript::Whole);
    // An empty file has no range that could be served, and servers send all of it.
    let Some((first, last)) = range.filter(|_| file.length() > 0) else { return Some(whole()) };
    if first >= file.length() {
        return Some(reply("416 Range Not Satisfiable", &content_range(&format!("*/{}", file.length())), bytes(b"")));
    }
    let last = last.unwrap_or(u64::MAX).min(file.length() - 1);
    let (first, last, length) = (first, last.max(first), file.length());
    let right = format!("{first}-{last}/{length}");
    let mut body = part(file, first, last - first + 1);
    let header = match script {
        WebSeedScript::ContentRange(None) => String::new(),
        WebSeedScript::ContentRange(Some(lie)) => {
            let numbers = [("{first}", first), ("{last}", last), ("{length}", length)];
            let lie =
                numbers.into_iter().fold(lie.clone(), |text, (name, value)| text.replace(name, &value.to_string()));
            format!("Content-Range: {lie}\r\n")
        }
        WebSeedScript::BodyOf(count) => {
            body.count = *count;
            content_range(&right)
        }
        _ => content_range(&right),
    };
    Some(reply("206 Partial Content", &header, body))
}

/// By BEP 17: `ranges`, within a `piece`.
fn piece<'s>(file: &'s WebFile, piece_length: u64, request: &Request) -> Reply<'s> {
    let number = |text: &str| text.parse::<u64>().ok();
    let asked = || {
        let begin = number(&request.query("piece")?)?.checked_mul(piece_length)?;
        let ranges = request.query("ranges")?;
        let (first, last) = ranges.split_once('-')?;
        let (first, last) = (begin.checked_add(number(first)?)?, begin.checked_add(number(last)?)?);
        (first <= last && last < file.length()).then_some((first, last))
    };
    match asked() {
        Some((first, last)) => reply("200 OK", "", part(file, first, last - first + 1)),
        None => reply("404 Not Found", "", bytes(b"no such piece\n")),
    }
}

/// The first and, if it is there, the last byte of one range of bytes (RFC 9110, 14.1.2).
fn parse_range(value: &str) -> Option<(u64, Option<u64>)> {
    let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
    Some((first.parse().ok()?, if last.is_empty() { None } else { Some(last.parse().ok()?) }))
}

fn content_range(value: &str) -> String {
    format!("Content-Range: bytes {value}\r\n")
}

fn reply<'s>(status: &str, headers: &str, body: Body<'s>) -> Reply<'s> {
    Reply { head: format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.count), body }
}

fn part(file: &WebFile, first: u64, count: u64) -> Body<'_> {
    Body { file: Cow::Borrowed(file), first, count }
}

fn bytes(bytes: &[u8]) -> Body<'static> {
    Body { file: Cow::Owned(WebFile::Bytes(bytes.to_vec())), first: 0, count: bytes.len() as u64 }
}
