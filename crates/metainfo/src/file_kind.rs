//! Files of other kinds that are saved as `.torrent`: web pages, archives, links.

use bencode::{Dict, Value};
use std::fmt;

/// A kind of file that is not a torrent, recognised by its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileKind {
    /// A web page, perhaps with a torrent behind it.
    Html,
    /// The reply of a web server, including its head.
    HttpReply,
    /// JSON.
    Json,
    /// XML of no other kind.
    Xml,
    /// RSS or Atom.
    Feed,
    /// An index of Usenet articles.
    Nzb,
    /// A Metalink, which names torrents.
    Metalink,
    /// A magnet link.
    MagnetLink,
    /// A URL, or a shortcut to one.
    Url,
    /// An info-hash.
    InfoHash,
    /// A torrent in Base64.
    Base64,
    /// Other text.
    Text,
    /// An archive or compressed file: its format.
    Packed(&'static str),
    /// A document, media file, disk image or program: its format.
    Content(&'static str),
    /// `._NAME`, metadata that macOS writes beside a file.
    AppleDouble,
    /// Only zeros.
    Zeros,
    /// A torrent with other bytes before it, such as a byte-order mark.
    Preceded,
    /// A torrent that was converted as if it were text, which replaced bytes.
    Mangled,
    /// A client's resume data for a torrent.
    Resume,
    /// A tracker's reply.
    TrackerReply,
    /// An info dictionary without the torrent around it.
    InfoAlone,
}

use FileKind::{AppleDouble, Content, Packed};

/// Offset, bytes and kind.
const MAGIC: &[(usize, &[u8], FileKind)] = &[
    (0, b"\x1f\x8b", Packed("gzip")),
    (0, b"\x1f\x9d", Packed("compress")),
    (0, b"PK\x03\x04", Packed("ZIP")),
    (0, b"PK\x05\x06", Packed("ZIP")),
    (0, b"\xfd7zXZ\0", Packed("xz")),
    (0, b"\x28\xb5\x2f\xfd", Packed("Zstandard")),
    (0, b"7z\xbc\xaf\x27\x1c", Packed("7z")),
    (0, b"Rar!\x1a\x07", Packed("RAR")),
    (0, b"BZh", Packed("bzip2")),
    (0, b"LZIP", Packed("lzip")),
    (0, b"\x04\x22\x4d\x18", Packed("LZ4")),
    (257, b"ustar", Packed("tar")),
    (0, b"\0\x05\x16\x07", AppleDouble),
    (0, b"\0\x05\x16\0", AppleDouble),
    (0, b"%PDF-", Content("PDF")),
    (0, b"\x89PNG\r\n\x1a\n", Content("PNG")),
    (0, b"\xff\xd8\xff", Content("JPEG")),
    (0, b"GIF8", Content("GIF")),
    (0, b"RIFF", Content("RIFF")),
    (0, b"\x1a\x45\xdf\xa3", Content("Matroska")),
    (4, b"ftyp", Content("MPEG-4")),
    (0, b"ID3", Content("MP3")),
    (0, b"fLaC", Content("FLAC")),
    (0, b"OggS", Content("Ogg")),
    (0, b"\x7fELF", Content("ELF")),
    (0, b"MZ\x90\0", Content("Windows executable")),
    (0, b"SQLite format 3\0", Content("SQLite")),
    (0x8001, b"CD001", Content("ISO 9660")),
];

/// How torrents begin: their first keys.
const TORRENT_BEGINS: [&[u8]; 5] =
    [b"d8:announce", b"d13:announce-list", b"d4:infod", b"d7:comment", b"d10:created by"];
/// The same in Base64, up to the last digit that does not depend on later bytes.
const TORRENT_IN_BASE64: [&str; 3] = ["ZDg6YW5ub3VuY2", "ZDEzOmFubm91bmNl", "ZDQ6aW5mb2"];
/// The replacement character, which converters write for a byte that is not text, in UTF-8.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();
/// Replacement characters from which on a torrent counts as converted: a name may have one, converted hashes have many.
const FEWEST_REPLACED: usize = 5;

impl FileKind {
    /// The kind of a file that does not begin as a torrent; `None` if unknown.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let begins = |at: usize, magic: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(magic));
        if let Some((.., kind)) = MAGIC.iter().find(|(at, magic, _)| begins(*at, magic)) {
            return Some(*kind);
        }
        if !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0) {
            return Some(Self::Zeros);
        }
        let marked = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let looked_at = marked.get(..LOOKED_AT).unwrap_or(marked);
        let head = String::from_utf8_lossy(looked_at);
        let preceded =
            || TORRENT_BEGINS.iter().any(|begin| looked_at.windows(begin.len()).any(|bytes| bytes == *begin));
        markup(&head)
            .or_else(|| preceded().then_some(Self::Preceded))
            .or_else(|| is_text(&head).then(|| text(head.trim())))
            .or_else(|| matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]).then_some(Self::Text))
    }

    /// The kind of a dictionary without an info dictionary.
    pub(crate) fn of_dict(root: Dict<'_>) -> Option<Self> {
        let has = |key: &str| root.get(key.as_bytes()).is_some();
        let format = root.get(b"file-format").and_then(Value::as_bytes);
        if format.is_some_and(|format| format.starts_with(b"libtorrent resume file"))
            || RESUME_KEYS.iter().any(|keys| keys.iter().all(|key| has(key)))
        {
            return Some(Self::Resume);
        }
        if has("failure reason") || has("interval") && has("peers") {
            return Some(Self::TrackerReply);
        }
        (has("piece length") && (has("pieces") || has("file tree"))).then_some(Self::InfoAlone)
    }

    /// Whether a torrent was converted as if it were text.
    pub(crate) fn is_mangled(bytes: &[u8]) -> bool {
        bytes.windows(REPLACEMENT.len()).filter(|three| *three == REPLACEMENT).take(FEWEST_REPLACED).count()
            == FEWEST_REPLACED
    }
}

/// Bytes of a text that are examined.
const LOOKED_AT: usize = 4096;
/// Keys of resume files that have no `file-format`: Transmission, rTorrent, µTorrent.
const RESUME_KEYS: [&[&str]; 3] = [&["added-date", "destination"], &["chunks_done", "directory"], &[".fileguard"]];

/// Markup languages, and HTTP replies.
fn markup(head: &str) -> Option<FileKind> {
    let head = head.trim_start().to_ascii_lowercase();
    let has = |tag: &str| head.contains(tag);
    if head.starts_with("http/1.") || head.starts_with("http/2") {
        return Some(FileKind::HttpReply);
    }
    let tagged = head
        .strip_prefix('<')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || "!?/".contains(c)));
    Some(match () {
        () if has("<html") || has("<!doctype html") => FileKind::Html,
        () if !tagged => return None,
        () if has("<nzb") => FileKind::Nzb,
        () if has("<metalink") => FileKind::Metalink,
        () if has("<rss") || has("<feed") => FileKind::Feed,
        () if head.starts_with("<?xml") => FileKind::Xml,
        () => FileKind::Html,
    })
}

/// Whether all of it is text; the last character may be incomplete.
fn is_text(head: &str) -> bool {
    let odd = |c: char| c == char::REPLACEMENT_CHARACTER || c.is_control() && !c.is_ascii_whitespace();
    let whole = head.strip_suffix(char::REPLACEMENT_CHARACTER).unwrap_or(head);
    !whole.is_empty() && !whole.contains(odd)
}

fn text(text: &str) -> FileKind {
    let lower = text.to_ascii_lowercase();
    let word = text.split_whitespace().next().unwrap_or_default();
    let is_hash = |digits: usize| word.len() == digits && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let json = |open: char, inside: &str| {
        let rest = text.strip_prefix(open).map(str::trim_start);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| inside.contains(c)))
    };
    match () {
        () if lower.starts_with("magnet:") => FileKind::MagnetLink,
        () if json('{', "\"}") || json('[', "[{\"]-0123456789") => FileKind::Json,
        () if lower.contains("magnet:?xt=") => FileKind::MagnetLink,
        () if ["http://", "https://", "ftp://", "[internetshortcut]", "[desktop entry]"]
            .iter()
            .any(|begin| lower.starts_with(begin)) =>
        {
            FileKind::Url
        }
        () if is_hash(40) || is_hash(64) => FileKind::InfoHash,
        () if TORRENT_IN_BASE64.iter().any(|begin| text.starts_with(begin)) => FileKind::Base64,
        () => FileKind::Text,
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Html => "a web page (HTML)",
            Self::HttpReply => "the reply of a web server, including its head (HTTP)",
            Self::Json => "JSON",
            Self::Xml => "XML",
            Self::Feed => "a news feed (RSS or Atom)",
            Self::Nzb => "an NZB, an index of Usenet articles",
            Self::Metalink => "a Metalink",
            Self::MagnetLink => "a magnet link in a file",
            Self::Url => "a URL in a file",
            Self::InfoHash => "an info-hash in a file",
            Self::Base64 => "a torrent in Base64",
            Self::Text => "plain text",
            Packed(format) => return write!(f, "a {format} file"),
            Content(format) => return write!(f, "a file in the format {format}"),
            AppleDouble => "an AppleDouble file, metadata that macOS writes beside another file",
            Self::Zeros => "nothing but zeros",
            Self::Preceded => "a torrent with other bytes before it",
            Self::Mangled => "a torrent that was converted as if it were text, which replaced bytes of it",
            Self::Resume => "a client's resume file",
            Self::TrackerReply => "a tracker's reply",
            Self::InfoAlone => "an info dictionary without the torrent around it",
        })
    }
}
