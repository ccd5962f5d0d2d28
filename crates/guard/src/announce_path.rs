//! Whether the path of a URL leads to a tracker, whatever a server makes of it.
//!
//! Servers differ in what they undo before they look a path up: percent-encoding, once or twice; backslashes; dots; what
//! follows a semicolon in a segment. All of it is undone here.
//!
//! libtorrent, whose rule this is, asks of a tracker at a local address that its path begins with `/announce`, as text:
//! `/announce.php` of trackers in PHP is let through, and so are `/announce-admin` and `/announce/../admin`. Here it is the
//! first segment that counts, so that none of the latter is; a file extension behind it is the name of the same thing.

use crate::redact::decode;

/// Times that a path may be percent-encoded. What is encoded more often is no tracker's.
const MOST_DECODINGS: usize = 3;

/// Whether the path of `target`, which may have a query, is `/announce`, `/announce.php` or the like, or below it, and no
/// other folder stands first on its way.
pub(crate) fn is_announce(target: &str) -> bool {
    let path = target.split('?').next().unwrap_or_default();
    let Some(path) = decoded(path).filter(|path| path.starts_with('/') && !path.contains(char::is_control)) else {
        return false;
    };
    let mut kept: Vec<&str> = Vec::new();
    // A path parameter is dropped by servers that know them, and the segment looked at without it: `..;x` is `..`.
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

/// `path` with all percent-encoding undone and slashes for backslashes; `None` if that does not come to an end.
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

/// `announce`, also with an extension, as trackers in PHP have it.
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
    fn a_path_is_judged_as_any_server_may_read_it() {
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
