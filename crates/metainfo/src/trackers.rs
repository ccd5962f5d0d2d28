//! The tiers of trackers (BEP 12).

use bencode::{Dict, Value};

/// URLs by tier, as written but for surrounding blanks, repeated ones too. `announce` counts only when `announce-list` names
/// none: BEP 12: "If the client is compatible with the multitracker specification, and if the announce-list key is
/// present, the client will ignore the announce key". Whether a URL can be used is for its reader to judge.
pub(crate) fn parse(root: Dict<'_>) -> Vec<Vec<String>> {
    let mut tiers: Vec<Vec<String>> = Vec::new();
    if let Some(list) = root.get(b"announce-list").and_then(Value::as_list) {
        for tier in list {
            let tier: Vec<String> = tier.as_list().into_iter().flatten().filter_map(url).collect();
            if !tier.is_empty() {
                tiers.push(tier);
            }
        }
    }
    if tiers.is_empty() {
        tiers.extend(root.get(b"announce").and_then(url).map(|url| vec![url]));
    }
    tiers
}

fn url(value: Value<'_>) -> Option<String> {
    let text = String::from_utf8_lossy(value.as_bytes()?);
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
