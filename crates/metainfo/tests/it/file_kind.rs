//! Files of other kinds that are saved as `.torrent`.

use metainfo::FileKind::{self, AppleDouble, Content, Packed};
use metainfo::{Error, Torrent};

const INFO: &str = "d6:lengthi7e4:name1:x12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaae";

fn kind(bytes: &[u8]) -> Option<FileKind> {
    match Torrent::parse(bytes) {
        Err(Error::FileKind(kind)) => Some(kind),
        _ => None,
    }
}

#[test]
fn known_kinds_are_recognised_by_their_beginning() {
    let torrent = format!("d8:announce8:http://a4:info{INFO}e");
    let tar = [&[b'x'; 257][..], b"ustar", &[0; 99]].concat();
    for (bytes, expected) in [
        (&b"<!DOCTYPE html>\n<html><head><title>Just a moment...</title></head>"[..], FileKind::Html),
        (b"\xef\xbb\xbf  <HTML lang=de>", FileKind::Html),
        (format!("<br />\n<b>Warning</b>:  reset() expects<br />\n{torrent}").as_bytes(), FileKind::Html),
        (b"<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC \"-//W3C\"><html>", FileKind::Html),
        (b"Notice: Undefined index\n<html><body>", FileKind::Html),
        (b"<div class=error>log in</div>", FileKind::Html),
        (b"HTTP/1.1 200 OK\r\nContent-Type: application/x-bittorrent\r\n\r\nd8:announce", FileKind::HttpReply),
        (b"<?xml version=\"1.0\"?>\n<!DOCTYPE nzb PUBLIC \"x\">\n<nzb xmlns=\"x\">", FileKind::Nzb),
        (b"<nzb>", FileKind::Nzb),
        (b"<?xml version=\"1.0\"?><error code=\"100\" description=\"Incorrect\"/>", FileKind::Xml),
        (b"<?xml version=\"1.0\"?><rss version=\"2.0\">", FileKind::Feed),
        (b"<metalink xmlns=\"urn:ietf:params:xml:ns:metalink\">", FileKind::Metalink),
        (b"{\"error\": \"not logged in\"}", FileKind::Json),
        (b"[{\"id\":1}]\n", FileKind::Json),
        (b"{\"link\":\"magnet:?xt=urn:btih:x\"}", FileKind::Json),
        (b"magnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567\n", FileKind::MagnetLink),
        (b"# links\nmagnet:?xt=urn:btih:0123456789abcdef0123456789abcdef01234567\n", FileKind::MagnetLink),
        (b"https://example.org/x.torrent\n", FileKind::Url),
        (b"[InternetShortcut]\r\nURL=https://example.org/\r\n", FileKind::Url),
        (b"0123456789abcdef0123456789abcdef01234567\n", FileKind::InfoHash),
        (b"ZDg6YW5ub3VuY2U4Omh0dHA6Ly9h", FileKind::Base64),
        (b"hello", FileKind::Text),
        (b"download failed: quota", FileKind::Text),
        ("Zugriff verweigert für Gäste".as_bytes(), FileKind::Text),
        (b"\xff\xfeh\0e\0", FileKind::Text),
        (b"\x1f\x8b\x08\0", Packed("gzip")),
        (b"PK\x03\x04\x14\0", Packed("ZIP")),
        (b"\xfd7zXZ\0\0\x04", Packed("xz")),
        (b"\x28\xb5\x2f\xfd\x04", Packed("Zstandard")),
        (b"7z\xbc\xaf\x27\x1c\0", Packed("7z")),
        (&tar, Packed("tar")),
        (b"%PDF-1.7", Content("PDF")),
        (b"\0\0\0\x20ftypisom", Content("MPEG-4")),
        (b"\0\x05\x16\x07\0\x02\0\0Mac OS X        ", AppleDouble),
        (&[0; 300], FileKind::Zeros),
        (format!("\u{feff}{torrent}").as_bytes(), FileKind::Preceded),
        (format!("\n\n{torrent}").as_bytes(), FileKind::Preceded),
        (b"d11:file-format22:libtorrent resume file12:file-versioni1e4:name1:xe", FileKind::Resume),
        (b"d10:added-datei1e11:destination4:/tmp10:downloadedi1ee", FileKind::Resume),
        (b"d14:failure reason7:unknowne", FileKind::TrackerReply),
        (b"d8:intervali1800e5:peers0:e", FileKind::TrackerReply),
        (INFO.as_bytes(), FileKind::InfoAlone),
        (format!("d4:infod6:pieces20:{}ee", "\u{fffd}".repeat(20)).as_bytes(), FileKind::Mangled),
    ] {
        assert_eq!(kind(bytes), Some(expected), "{}", bytes.escape_ascii());
        assert!(!expected.to_string().is_empty());
    }
}

#[test]
fn unknown_bytes_have_no_kind() {
    for bytes in [&b""[..], b"\x80\x81\x82", b"\x01\x02 text", b"de", b"le", b"d4:infoi1ee", b"d1:a"] {
        assert_eq!(kind(bytes), None, "{}", bytes.escape_ascii());
    }
}
