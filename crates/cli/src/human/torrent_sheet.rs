//! What a torrent says, on a sheet: for `show`.

use crate::human::files::path;
use crate::human::rows::Rows;
use crate::human::style::{BOLD, DIM};
use crate::human::words::name;
use crate::input::{Contents, Input};
use crate::text::{Line, Page, binary_size, plural, size};
use guard::{escape, escape_bytes};
use metainfo::{Diagnostics, File, Magnet, Torrent};
use std::io::{self, Write};
use std::time::{Duration, UNIX_EPOCH};

/// What to show beyond the usual.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TorrentSheet {
    /// The files, one a line.
    pub(crate) files: bool,
    pub(crate) show_secrets: bool,
    /// Whether there are others, which may have the same name.
    pub(crate) several: bool,
}

impl TorrentSheet {
    /// Writes the sheet; of the files, of which there may be a million, one after the other.
    pub(crate) fn write(self, input: &Input, page: Page, to: &mut impl Write) -> io::Result<()> {
        let mut rows = Rows::under(Line::new().styled(BOLD, name(input)));
        let hashes = input.torrent_ref.hashes;
        rows.some("info-hash", hashes.v1().map(|hash| hash.to_string()));
        rows.some("v2", hashes.v2().map(|hash| hash.to_string()));
        let is_file = self.several && *input.given != *hashes.primary().to_string();
        rows.some("given as", is_file.then(|| escape(&input.given).to_string()));
        rows.some("size", input.torrent_ref.total_size.map(exact_size));
        if let Some(torrent) = input.torrent() {
            content(torrent, &mut rows);
            self.details(input, torrent, &mut rows);
        }
        self.trackers(input, &mut rows);
        if let Contents::Magnet(magnet) = &input.contents {
            self.link(input, magnet, &mut rows);
        }
        if let Some(torrent) = input.torrent() {
            oddities(input, torrent, &mut rows);
            for file in &torrent.files {
                rows.write(page, to)?;
                file.issues().iter().for_each(|issue| rows.odd(&format!("{}: {issue}", path(input, &file.path))));
            }
            if self.files {
                rows.line(Line::new().styled(DIM, "files"));
            }
            for entry in torrent.named_files().filter(|_| self.files) {
                rows.write(page, to)?;
                rows.line(file(input, &entry));
            }
        }
        rows.write(page, to)
    }

    /// By tier (BEP 12).
    fn trackers(self, input: &Input, rows: &mut Rows) {
        for (n, tier) in input.tiers().iter().enumerate() {
            for url in tier {
                let shown = if self.show_secrets { (*url).to_owned() } else { guard::redact_url(url) };
                rows.add(&format!("tier {}", n + 1), shown_text(input, &shown));
            }
        }
    }

    fn details(self, input: &Input, torrent: &Torrent, rows: &mut Rows) {
        let details = &torrent.details;
        let text = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| escape_bytes(&input.text(bytes)).to_string());
        rows.some("comment", text(&details.comment));
        rows.some("created by", text(&details.created_by));
        rows.some("created", details.creation_date.map(date));
        rows.some("source", text(&details.source));
        rows.some(
            "encoding",
            details.encoding.map(|encoding| encoding.name()).filter(|name| *name != "UTF-8").map(str::to_owned),
        );
        self.seeds(input, "web seed", &details.web_seeds, rows);
        self.seeds(input, "HTTP seed", &details.http_seeds, rows);
        details.nodes.iter().for_each(|(host, port)| {
            rows.add("DHT node", node(&escape_bytes(&input.text(host)).to_string(), *port));
        });
        if details.ssl_certificate {
            rows.add("SSL", "peers must prove themselves with its certificate");
        }
    }

    /// Web seeds are public; only their userinfo and query values are hidden.
    fn seeds(self, input: &Input, name: &str, urls: &[String], rows: &mut Rows) {
        for url in urls {
            let shown = if self.show_secrets { url.clone() } else { guard::redact_web_seed(url) };
            rows.add(name, shown_text(input, &shown));
        }
    }

    /// What a magnet link names beside its trackers.
    fn link(self, input: &Input, magnet: &Magnet, rows: &mut Rows) {
        magnet.peers.iter().for_each(|peer| rows.add("peer", shown_text(input, &peer.to_string())));
        self.seeds(input, "web seed", &magnet.web_seeds, rows);
        diagnostics(input, &magnet.diagnostics, rows);
    }
}

/// Text of a torrent or a link, without secrets and escaped.
fn shown_text(input: &Input, text: &str) -> String {
    escape_bytes(&input.text(text.as_bytes())).to_string()
}

/// `1.0 MB (1000000 bytes)`.
fn exact_size(bytes: u64) -> String {
    if bytes < 1000 { size(bytes) } else { format!("{} ({bytes} bytes)", size(bytes)) }
}

fn content(torrent: &Torrent, rows: &mut Rows) {
    let files = torrent.files.content_len();
    let padding = torrent.named_files().filter(|file| file.attributes.padding).map(|file| file.length);
    let padding = match padding.fold((0, 0), |(count, bytes), length| (count + 1, bytes + length)) {
        (0, _) => String::new(),
        (count, bytes) => format!(", and {count} for padding, {bytes} bytes"),
    };
    rows.add("files", format!("{}{padding}", plural(files, "file")));
    rows.add("pieces", format!("{} of {}", torrent.pieces, binary_size(torrent.piece_length)));
    if torrent.private {
        rows.add("private", "yes: peers may come from its own trackers only (BEP 27)");
    }
}

/// What was wrong with it and did not matter.
fn diagnostics(input: &Input, diagnostics: &Diagnostics, rows: &mut Rows) {
    diagnostics.first().iter().for_each(|diagnostic| rows.odd(&shown_text(input, &diagnostic.to_string())));
    let more = diagnostics.total().saturating_sub(diagnostics.first().len());
    if more > 0 {
        rows.odd(&format!("and {more} more of the kind"));
    }
}

/// That, and what its name would do to a disk.
fn oddities(input: &Input, torrent: &Torrent, rows: &mut Rows) {
    diagnostics(input, &torrent.diagnostics, rows);
    torrent.name_issues.iter().for_each(|issue| rows.odd(&format!("its name: {issue}")));
}

fn file(input: &Input, file: &File<'_>) -> Line {
    let attributes = [
        (file.attributes.padding, "padding"),
        (file.attributes.executable, "executable"),
        (file.attributes.hidden, "hidden"),
    ];
    let attributes: Vec<&str> = attributes.iter().filter_map(|(has, name)| has.then_some(*name)).collect();
    let target = file.symlink.as_ref().map(|target| format!(" -> {}", path(input, target)));
    let line = Line::new().add(format!("  {:>10}  {}", size(file.length), path(input, &file.path)));
    let line = line.add(target.unwrap_or_default());
    if attributes.is_empty() { line } else { line.styled(DIM, format!("  ({})", attributes.join(", "))) }
}

/// Seconds since 1970, as a date (UTC).
fn date(seconds: u64) -> String {
    /// The first second of the year 10,000, which the form of a date has no room for.
    const END: u64 = 253_402_300_800;
    if seconds >= END {
        return format!("{seconds} seconds after 1970");
    }
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}

/// `HOST:PORT`, as `--dht-node` takes it: an IPv6 address is in brackets.
fn node(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_named_as_they_can_be_given() {
        for (host, shown) in [("2001:db8::1", "[2001:db8::1]:6881"), ("dht.example", "dht.example:6881")] {
            assert_eq!(node(host, 6881), shown);
        }
    }

    #[test]
    fn dates_and_what_is_none() {
        assert_eq!(date(0), "1970-01-01T00:00:00Z");
        assert_eq!(date(253_402_300_799), "9999-12-31T23:59:59Z");
        assert_eq!(date(u64::MAX), "18446744073709551615 seconds after 1970");
    }
}
