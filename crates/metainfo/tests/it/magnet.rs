//! Magnet links as libtorrent 2.1.1 reads them (recorded from its `parse_magnet_uri`), and the differences.

use metainfo::Magnet;

const V1: &str = "46aae77116837bf0a0bbd95862b6696d07324c32";
const BASE32: &str = "I2VOO4IWQN57BIF33FMGFNTJNUDTETBS";
const V2: &str = "caf1e1c30e81cb361b9ee167c4aa64228a7fa4fa9f6105232b28ad099f3a302e";

/// What is read from a link, in one line; of the trackers only those that libtorrent would keep.
fn read(link: &str) -> String {
    let link = link
        .replace("{X}", "xt=urn:btih:{V1}")
        .replace("{V1}", V1)
        .replace("{UP}", &V1.to_uppercase())
        .replace("{B}", BASE32)
        .replace("{b}", &BASE32.to_lowercase())
        .replace("{V2}", V2);
    let Ok(magnet) = Magnet::parse(&link) else { return "none".to_owned() };
    let v1 = magnet.hashes.v1().map(|hash| hash.to_string().replace(V1, "V1"));
    let v2 = magnet.hashes.v2().map(|hash| hash.to_string().replace(V2, "V2"));
    let name = magnet.name.map(|name| format!("dn={name}"));
    let trackers = magnet.trackers.iter().filter(|tracker| tracker.kind.is_known());
    let trackers = trackers.map(|tracker| format!("tr={}", tracker.url));
    let peers = magnet.peers.iter().map(|peer| format!("pe={peer}"));
    let web_seeds = magnet.web_seeds.iter().map(|url| format!("ws={url}"));
    let parts = v1.into_iter().chain(v2).chain(name).chain(trackers).chain(peers).chain(web_seeds);
    parts.collect::<Vec<_>>().join(" ")
}

#[test]
fn links_are_read_as_libtorrent_reads_them() {
    for (link, expected) in [
        ("magnet:?{X}", "V1"),
        ("magnet:?xt=urn:btih:{UP}", "V1"),
        ("magnet:?xt=urn:btih:{B}", "V1"),
        ("magnet:?xt=urn:btih:{b}", "V1"),
        ("magnet:?xt=urn:btmh:1220{V2}", "V2"),
        ("magnet:?xt=urn:btmh:1220CAF1E1C30E81CB361B9EE167C4AA64228A7FA4FA9F6105232B28AD099F3A302E", "V2"),
        ("magnet:?xt=urn:btmh:1320{V2}", "none"),
        ("magnet:?xt=urn:btmh:1220caf1e1c30e81cb361b9ee167c4aa64228a7fa4fa9f6105232b28ad099f3a30", "none"),
        ("magnet:?{X}&xt=urn:btmh:1220{V2}", "V1 V2"),
        ("magnet:?xt.1=urn:btih:{V1}&xt.2=urn:btmh:1220{V2}", "V1 V2"),
        ("magnet:?xt.1=urn:btih:{V1}", "V1"),
        ("magnet:?{X}&{X}", "V1"),
        ("magnet:?XT=urn:btih:{V1}", "V1"),
        ("magnet:?xt=urn%3Abtih%3A{V1}", "V1"),
        ("magnet:?xt=urn:btih:46aae77116837bf0a0bbd95862b6696d07324c3", "none"),
        ("magnet:?{X}0", "none"),
        ("magnet:?xt=urn:btih:gggggggggggggggggggggggggggggggggggggggg", "none"),
        ("magnet:?xt=urn:sha1:{B}", "none"),
        ("magnet:?xt=urn:sha1:{B}&{X}", "V1"),
        ("magnet:?xt=urn:btih:46aae77116837bf0a0bbd95862b6696d07324c3&{X}", "none"),
        ("magnet:?xt=urn:btih:gggggggggggggggggggggggggggggggggggggggg&{X}", "none"),
        ("magnet:{X}", "none"),
        ("magnet://?{X}", "none"),
        ("magnet:?", "none"),
        ("magnet:", "none"),
        ("", "none"),
        ("magnet:?dn=a", "none"),
        ("http://a/?{X}", "none"),
        ("magnet:?{X}#frag", "none"),
        ("magnet:?a=b?{X}", "none"),
        ("magnet:?{X}?dn=a", "none"),
        ("magnet:?{X}&dn=a+b", "V1 dn=a b"),
        ("magnet:?{X}&dn=a%20b", "V1 dn=a b"),
        ("magnet:?{X}&dn=a%2Bb", "V1 dn=a+b"),
        ("magnet:?{X}&dn=%C3%A9", "V1 dn=é"),
        ("magnet:?{X}&dn=é", "V1 dn=é"),
        ("magnet:?{X}&dn=", "V1"),
        ("magnet:?{X}&dn", "V1"),
        ("magnet:?{X}&dn=a&dn=b", "V1 dn=b"),
        ("magnet:?{X}&dn=a&dn=", "V1"),
        ("magnet:?{X}&dn=a=b", "V1 dn=a=b"),
        ("magnet:?{X}&dn=%00%1b", "V1 dn=\0\x1b"),
        ("magnet:?{X}&dn.1=a", "V1 dn=a"),
        ("magnet:?{X}&DN=a", "V1 dn=a"),
        ("magnet:?{X};dn=a", "none"),
        ("magnet:?{X}&dn=../..", "V1 dn=../.."),
        ("magnet:?dn=a&{X}", "V1 dn=a"),
        ("magnet:?{X}&tr=http://a/announce", "V1 tr=http://a/announce"),
        ("magnet:?{X}&tr=http%3A%2F%2Fa%2Fannounce%3Fk%3D1%262", "V1 tr=http://a/announce?k=1&2"),
        ("magnet:?{X}&tr=http://a/&tr=http://b/&tr=http://a/", "V1 tr=http://a/ tr=http://b/ tr=http://a/"),
        ("magnet:?{X}&tr.1=http://a/&tr.2=http://b/", "V1 tr=http://a/ tr=http://b/"),
        ("magnet:?{X}&tr.=http://a/", "V1 tr=http://a/"),
        ("magnet:?{X}&tr.x=http://a/", "V1"),
        ("magnet:?{X}&tr-1=http://a/", "V1"),
        ("magnet:?{X}&tr=", "V1"),
        ("magnet:?{X}&tr=nonsense", "V1"),
        ("magnet:?{X}&tr=wss://a/", "V1 tr=wss://a/"),
        ("magnet:?{X}&tr=http://a/%zz", "V1"),
        ("magnet:?{X}&tr=http%3A%2F%2Fa%2F%2520", "V1 tr=http://a/%20"),
        ("magnet:?{X}&tr=%FF", "V1"),
        ("magnet:?{X}&tr=http://a/x%20y", "V1"),
        ("magnet:?{X}&tr=http://a/%0a", "V1"),
        ("magnet:?{X}&tr=udp://a:1&tr=%zz&tr=http://b/", "V1 tr=udp://a:1 tr=http://b/"),
        ("magnet:?{X}&x.pe=1.2.3.4:5", "V1 pe=1.2.3.4:5"),
        ("magnet:?{X}&x.pe=[::1]:5", "V1 pe=[::1]:5"),
        ("magnet:?{X}&x.pe=::1:5", "V1"),
        ("magnet:?{X}&x.pe=1.2.3.4", "V1"),
        ("magnet:?{X}&x.pe=1.2.3.4:0", "V1"),
        ("magnet:?{X}&x.pe=1.2.3.4:70000", "V1"),
        ("magnet:?{X}&x.pe=1.2.3.4:-1", "V1"),
        ("magnet:?{X}&x.pe=1.2.3.4:5&x.pe=1.2.3.4:5", "V1 pe=1.2.3.4:5 pe=1.2.3.4:5"),
        ("magnet:?{X}&x.pe=0.0.0.0:5", "V1 pe=0.0.0.0:5"),
        ("magnet:?{X}&x.pe=1.2.3.4:+5", "V1"),
        ("magnet:?{X}&x.pe=1.2.3.4:5&x.pe=bad&x.pe=1.2.3.5:6", "V1 pe=1.2.3.4:5 pe=1.2.3.5:6"),
        ("magnet:?{X}&x.pe=", "V1"),
        ("magnet:?{X}&ws=http://w/", "V1 ws=http://w/"),
        ("magnet:?{X}&ws=http%3A%2F%2Fw%2Fa%20b", "V1 ws=http://w/a b"),
        ("magnet:?{X}&ws=http://w/&ws=http://w/", "V1 ws=http://w/"),
        ("magnet:?{X}&ws=nonsense", "V1 ws=nonsense"),
        ("magnet:?{X}&ws.1=http://w/", "V1 ws=http://w/"),
        ("magnet:?{X}&ws=%zz", "V1"),
        ("magnet:?{X}&as=http://w/", "V1"),
        ("magnet:?{X}&so=0,2,4,6-8", "V1"),
        ("magnet:?{X}&dht=1.2.3.4:5", "V1"),
        ("magnet:?{X}&xt=urn:btih:{B}", "V1"),
        ("magnet:?xt=urn:btmh:{V2}", "none"),
        ("magnet:?xt.01=urn:btih:{V1}", "V1"),
        ("magnet:?xt.=urn:btih:{V1}", "V1"),
        ("magnet:?xt.a=urn:btih:{V1}", "none"),
        ("magnet:?xt=urn:btih:%6aae77116837bf0a0bbd95862b6696d07324c32", "none"),
        ("magnet:?xt=urn:btih:46aae77116837bf0a0bbd95862b6696d07324c%33%32", "V1"),
        ("magnet:?xt=urn:btih:I2VOO4IWQN57BIF33FMGFNTJNUDTETB=", "none"),
        ("magnet:?{X}/x", "none"),
        ("magnet:?&xt=urn:btmh:1220{V2}&xt=urn:btih:46aae77116837bf0a0bbd95862b6696d07324c3", "none"),
        ("magnet:?{X}&x.pe=%3a%3a1:5", "V1"),
        (
            "magnet:?{X}&tr=udp%3A%2F%2Ft%3A80&tr=HTTP://t&dn=n&ws=http://w/&x.pe=[2001:db8::1]:6881&x.pe=1.2.3.4:80&so=1&xl=5",
            "V1 dn=n tr=udp://t:80 tr=HTTP://t pe=[2001:db8::1]:6881 pe=1.2.3.4:80 ws=http://w/",
        ),
        ("magnet:?{X}&tr=dht://h", "V1"),
        ("magnet:?{X}&tr=http://u@h/a", "V1"),
        ("magnet:?{X}&tr=http://h:80a/", "V1"),
        ("magnet:?{X}&tr=http://a_b/", "V1"),
        ("magnet:?{X}&tr=http://t/?passkey=a%26b", "V1 tr=http://t/?passkey=a&b"),
        ("magnet:?tr=http://t&{X}&tr.7=http://u", "V1 tr=http://t tr=http://u"),
        ("magnet:?{X}&dn=%E3%83%86", "V1 dn=テ"),
        ("magnet:?{X}&xl=10&kt=a+b&mt=x&as=y", "V1"),
        ("magnet:?xt.1=urn:btih:{V1}&xt.2=urn:btih:{V1}", "V1"),
        ("magnet:?xt=urn:btmh:1220{V2}&dn=x", "V2 dn=x"),
        ("magnet:?xt=urn:ed2k:1&xt=urn:btmh:1220{V2}", "V2"),
    ] {
        assert_eq!(read(link), expected, "{link}");
    }
}

#[test]
fn differences_from_libtorrent_are_these() {
    for (link, libtorrent, ours) in [
        // RFC 3986, 3.1: "schemes are case-insensitive".
        ("MAGNET:?{X}", "none", "V1"),
        // RFC 8141, 2: so are the namespaces of URNs.
        ("magnet:?xt=URN:BTIH:{V1}", "none", "V1"),
        // Pasted links have whitespace around them.
        (" magnet:?{X}", "none", "V1"),
        ("magnet:?{X} ", "none", "V1"),
        ("magnet:?{X}\n", "none", "V1"),
        // Links copied from HTML, escaped once or twice.
        ("magnet:?{X}&amp;dn=a&amp;tr=http://a/", "V1", "V1 dn=a tr=http://a/"),
        ("magnet:?dn=a&#38;{X}&#x26;tr=http://a/", "none", "V1 dn=a tr=http://a/"),
        ("magnet:?{X}&amp;amp;dn=a", "V1", "V1 dn=a"),
        // A link percent-encoded inside another.
        ("magnet%3A%3Fxt%3Durn%3Abtih%3A{V1}%26dn%3Da%2520b", "none", "V1 dn=a b"),
        ("magnet:?xt%3Durn%3Abtih%3A{V1}%26dn%3Da", "none", "V1 dn=a"),
        ("magnet%253A%253Fxt%253Durn%253Abtih%253A{V1}", "none", "none"),
        // An empty field is ignored.
        ("magnet:?&{X}&&", "none", "V1"),
        // Of two torrents libtorrent takes the last.
        (
            "magnet:?{X}&xt=urn:btih:1111111111111111111111111111111111111111",
            "1111111111111111111111111111111111111111",
            "none",
        ),
        ("magnet:?xt=urn:btih:1111111111111111111111111111111111111111&{X}", "V1", "none"),
        (
            "magnet:?xt=urn:btmh:1220{V2}&xt=urn:btmh:12201111111111111111111111111111111111111111111111111111111111111111",
            "1111111111111111111111111111111111111111111111111111111111111111",
            "none",
        ),
        // The digit 1 does not occur in base32; libtorrent reads it as I.
        ("magnet:?xt=urn:btih:11111111111111111111111111111111", "4210842108421084210842108421084210842108", "none"),
        // To libtorrent, a hash of zeros means that there is none.
        (
            "magnet:?xt=urn:btih:0000000000000000000000000000000000000000",
            "none",
            "0000000000000000000000000000000000000000",
        ),
        // A broken escape in a name is kept as text; libtorrent ends the name there. It keeps bytes that are not UTF-8, in
        // URLs too.
        ("magnet:?{X}&dn=a%zz", "V1 dn=a", "V1 dn=a%zz"),
        ("magnet:?{X}&dn=a%4", "V1 dn=a", "V1 dn=a%4"),
        ("magnet:?{X}&dn=%", "V1", "V1 dn=%"),
        ("magnet:?{X}&dn=%FFx", "V1 dn=\\xffx", "V1 dn=\u{fffd}x"),
        ("magnet:?{X}&tr=http://a/%ff%25", "V1 tr=http://a/\\xff%", "V1"),
        // A `+` in a URL is a `+`; libtorrent reads a space, and therefore drops the URL.
        ("magnet:?{X}&tr=http://a/+b", "V1", "V1 tr=http://a/+b"),
        // Spaces before a URL are removed, as libtorrent does in torrents.
        ("magnet:?{X}&tr=%20http://a/", "V1", "V1 tr=http://a/"),
        // BEP 9 has host names, and a colon may be escaped.
        ("magnet:?{X}&x.pe=host.example:5", "V1", "V1 pe=host.example:5"),
        ("magnet:?{X}&x.pe=%5B::1%5D%3A5", "V1", "V1 pe=[::1]:5"),
        // All fields may have a number.
        ("magnet:?{X}&x.pe.1=1.2.3.4:5", "V1", "V1 pe=1.2.3.4:5"),
        // An invalid port, and an empty URL.
        ("magnet:?{X}&x.pe=1.2.3.4:5x", "V1 pe=1.2.3.4:5", "V1"),
        ("magnet:?{X}&ws=", "V1 ws=", "V1"),
    ] {
        assert_eq!(read(link), ours, "{link}, which libtorrent reads as {libtorrent}");
    }
}

#[test]
fn errors_say_what_is_wrong_with_the_link() {
    for (link, expected) in [
        ("magnet:?dn=a", "names no torrent: neither `xt=urn:btih:` nor `xt=urn:btmh:`"),
        (
            "magnet:?xt=urn:ed2k:1",
            "names no torrent: its `xt` is of another network, neither `urn:btih:` nor `urn:btmh:`",
        ),
        (
            "magnet:?xt=urn:btih:{V2}",
            "a v2 info-hash stands after `urn:btih:`, where a v1 one belongs; it belongs after `urn:btmh:1220`",
        ),
        (
            "magnet:?xt=urn:btih:1220{V2}",
            "a v2 info-hash stands after `urn:btih:`, where a v1 one belongs; it belongs after `urn:btmh:1220`",
        ),
        (
            "magnet:?xt=urn:btmh:{V1}",
            "a v1 info-hash stands after `urn:btmh:`, where a v2 one belongs; it belongs after `urn:btih:`",
        ),
        (
            "magnet:?xt=urn:btih:7e27ddfe8322958feab2084b5fdd82208046db1",
            "expected 40 hexadecimal or 32 base32 digits after `urn:btih:`, found 39 digits",
        ),
        (
            "magnet:?xt=urn:btih:7e27ddfe8322958feab2\n084b5fdd82208046db12",
            "expected 40 hexadecimal or 32 base32 digits after `urn:btih:`, found whitespace at position 21",
        ),
        ("magnet:?xt=urn:btmh:{V2}", "expected 1220 and 64 hexadecimal digits after `urn:btmh:`, found 64 digits"),
    ] {
        let link = link.replace("{V1}", V1).replace("{V2}", V2);
        assert_eq!(Magnet::parse(&link).unwrap_err().to_string(), expected, "{link}");
    }
    let html = Magnet::parse(&format!("magnet:?xt=urn:btih:{V1}&amp;dn=a&amp;tr=http://a/")).unwrap();
    let notes: Vec<String> = html.diagnostics.first().iter().map(ToString::to_string).collect();
    assert_eq!(notes, ["`&amp;` was read as `&`: the link was copied from HTML (at byte 61)"]);
}
