//! Whether the path of a URL leads to a tracker, however a server normalises it.
//!
//! Servers differ in how they normalise a path before they look it up: percent-encoding, once or twice; backslashes; dots;
//! parameters after a semicolon in a segment. All of these are undone here.
//!
//! libtorrent, whose rule this is, requires that the path of a tracker at a local address begins with the text `/announce`:
//! that lets `/announce.php` of trackers in PHP through, but also `/announce-admin` and `/announce/../admin`. Here the first
//! segment is compared, so the last two are refused; a file extension after `announce` is allowed.

use crate::redact::decode;

/// How often a path may be percent-encoded over and over. More is refused: no tracker needs it.
const MOST_DECODINGS: usize = 3;

/// Whether the path of `target`, which may have a query, is `/announce`, `/announce.php` or the like, or below it, and
/// passes through no other top-level folder on the way.
pub(crate) fn is_announce(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    let Some(path) = decoded(path).filter(|path| path.starts_with('/') && !path.contains(char::is_control)) else {
        return false;
    };
    let mut kept: Vec<&str> = Vec::new();
    // Servers that know path parameters drop them before they look at the segment: `..;x` is `..`.
    for segment in path.split('/').map(|segment| segment.split(';').next().unwrap_or_default()) {
        match segment {
            "" | "." => {}
            ".." => _ = kept.pop(),
            segment => kept.push(segment),
        }
        if kept.first().is_some_and(|first| !is_tracker(first)) {
            return false;
        }
    }
    !kept.is_empty()
}

/// `path` with all percent-encoding undone and slashes for backslashes; `None` if it is encoded more than
/// [`MOST_DECODINGS`] times.
fn decoded(path: &str) -> Option<String> {
    let mut path = path.to_owned();
    for _ in 0..=MOST_DECODINGS {
        let plain = decode(&path).replace('\\', "/");
        if plain == path {
            return Some(path);
        }
        path = plain;
    }
    None
}

/// `announce`, or `announce` with a file extension, as trackers in PHP have it.
fn is_tracker(segment: &str) -> bool {
    let Some(rest) = segment.strip_prefix("announce") else { return false };
    let is_extension = |extension: &str| {
        matches!(extension.len(), 1..=4) && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    rest.is_empty() || rest.strip_prefix('.').is_some_and(is_extension)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_paths_below_announce_are_accepted_however_they_are_encoded() {
        for (target, expected) in [
            ("/announce", true),
            ("/announce?passkey=../x", true),
            ("/announce/", true),
            ("/announce/passkey", true),
            ("/announce.php?x=1", true),
            ("/announce.php/passkey", true),
            ("//announce", true),
            ("/./announce", true),
            ("/%61nnounce", true),
            ("/announce/x/../y", true),
            ("/announce;jsessionid=1", true),
            ("", false),
            ("/", false),
            ("announce", false),
            ("/admin", false),
            ("/admin/announce", false),
            ("/admin/../announce", false),
            ("/announcements", false),
            ("/announce-admin", false),
            ("/announce.", false),
            ("/announce.action", false),
            ("/Announce", false),
            ("/announce/..", false),
            ("/announce/../admin?delete=1", false),
            ("/announce/%2e%2e/admin", false),
            ("/announce/.%2E/admin", false),
            ("/announce%2f..%2fadmin", false),
            ("/announce/..%2fadmin", false),
            ("/announce\\..\\admin", false),
            ("/announce/..%5cadmin", false),
            ("/announce/%252e%252e/admin", false),
            ("/announce/%25252e%25252e/admin", false),
            ("/announce/%2525252525252e%2e/admin", false),
            ("/announce/../../cgi-bin/reboot", false),
            ("/announce/..;/admin", false),
            ("/announce/..;x=y/admin", false),
            ("/announce/..%3b/admin", false),
            ("/announce%00/../admin", false),
            ("/announce%3f/../admin", false),
            ("/announce/x/../../admin/announce", false),
        ] {
            assert_eq!(is_announce(target), expected, "{target}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_paths_never_panic(target in "/(announce)?[./%25ceEf;\\\\?a-z]{0,30}") {
            if is_announce(&target) {
                prop_assert!(!is_announce(&format!("/x{target}")), "{}", target);
            }
        }
    }
}
