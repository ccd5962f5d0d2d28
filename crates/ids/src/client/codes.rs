//! The two characters that name the client in an Azureus-style id.
//!
//! The source of each is BEP 20, the list that BEP 20 was made from (wiki.theory.org), the client itself, libtorrent,
//! Transmission or BiglyBT, or sightings in swarms; the golden table in the fixtures says which. If two clients have the same
//! code and cannot be told apart, both are named.

use super::version::Spelling::{
    self, Build, Deluge, Dotted, Four, FreeDownloadManager, Hundredths, PaddedLast, Pairs, Thousandths, Three,
    Transmission, Two, Unversioned, WideLast, WideMiddle,
};

/// Sorted by code. Versions of the µTorrent family, of KTorrent and KGet, and of rTorrent since 0.15 have rules of their own.
pub(super) const CODES: &[(&[u8; 2], &str, Spelling)] = &[
    (b"7T", "aTorrent", Dotted),
    (b"AB", "AnyEvent::BitTorrent", Dotted),
    (b"AD", "Advanced Download Manager", Three),
    (b"AE", "Aria2Explorer", Dotted),
    (b"AG", "Ares", Four),
    (b"AN", "Ares", Four),
    (b"AR", "Arctic", Dotted),
    (b"AT", "Artemis", Four),
    (b"AV", "Avicora", Dotted),
    (b"AX", "BitPump", Hundredths),
    (b"AZ", "Azureus", Four),
    (b"A~", "Ares", Three),
    (b"BB", "BitBuddy", Thousandths),
    (b"BC", "BitComet", Hundredths),
    (b"BE", "BitTorrent SDK", Dotted),
    (b"BF", "Bitflu", Unversioned),
    (b"BG", "BTG", Four),
    (b"BH", "BitZilla", Dotted),
    (b"BI", "BiglyBT", Four),
    (b"BL", "BitBlinder", Dotted),
    (b"BM", "BitMagnet", Dotted),
    (b"BN", "Baidu Netdisk", Unversioned),
    (b"BP", "BitTorrent Pro", Dotted),
    (b"BR", "BitRocket", Build),
    (b"BS", "BTSlave", Dotted),
    (b"BT", "BitTorrent", Three),
    (b"BU", "BigUp", Dotted),
    (b"BW", "BitTorrent Web", Three),
    (b"BX", "Bittorrent X", Dotted),
    (b"Bt", "Bt", Dotted),
    (b"CB", "Shareaza Plus", Four),
    (b"CD", "Enhanced CTorrent", Pairs),
    (b"CS", "Spyware Terminator", Unversioned),
    (b"CT", "CTorrent", Dotted),
    (b"DE", "Deluge", Deluge),
    (b"DP", "Propagate Data Client", Dotted),
    (b"DT", "dt/torrent", Unversioned),
    (b"EB", "EBit", Dotted),
    (b"ES", "Electric Sheep", Three),
    (b"FC", "FileCroc", Four),
    (b"FD", "Free Download Manager", FreeDownloadManager),
    (b"FE", "irontide", Unversioned),
    (b"FG", "FlashGet", Hundredths),
    (b"FL", "Folx or Flud", Unversioned),
    (b"FT", "FoxTorrent", Dotted),
    (b"FW", "FrostWire", Three),
    (b"FX", "Freebox BitTorrent", Dotted),
    (b"GP", "Gopeed", Unversioned),
    (b"GR", "GetRight", Two),
    (b"GS", "GSTorrent", Dotted),
    // Its number changes with its behaviour and is not a version.
    (b"GT", "anacrolix/torrent", Unversioned),
    (b"HK", "Hekate", Dotted),
    (b"HL", "Halite", Three),
    (b"HM", "hMule", Dotted),
    (b"HN", "Hydranode", Dotted),
    (b"HP", "hp/torrent", Unversioned),
    (b"HS", "bt-handshake", Dotted),
    (b"IL", "iLivid", Three),
    (b"JS", "JSTorrent or Justseed.it", Unversioned),
    (b"JT", "JavaTorrent", Dotted),
    (b"KC", "Koinonein", Dotted),
    (b"KG", "KGet", Dotted),
    (b"KT", "KTorrent", Three),
    (b"LC", "LeechCraft", Dotted),
    (b"LH", "LH-ABC", Dotted),
    (b"LK", "Linkage", Three),
    (b"LP", "Lphant", Hundredths),
    (b"LT", "libtorrent", Dotted),
    // The number is the version of the protocol, not of the client.
    (b"LW", "LimeWire", Unversioned),
    (b"Lr", "LibreTorrent", Three),
    (b"MG", "MediaGet", Two),
    (b"MK", "Meerkat", Dotted),
    (b"ML", "MLDonkey", Dotted),
    (b"MO", "MonoTorrent", Dotted),
    (b"MP", "MooPolice", Three),
    (b"MR", "Miro", Dotted),
    (b"MT", "MoonlightTorrent", Dotted),
    (b"NB", "Net::BitTorrent", Dotted),
    (b"NE", "BT Next Evolution", Three),
    (b"NX", "Net Transport", Dotted),
    (b"OS", "OneSwarm", Four),
    (b"OT", "OmegaTorrent", Dotted),
    (b"PB", "Protocol::BitTorrent", Dotted),
    (b"PD", "Pando", Dotted),
    (b"PE", "PeerProject", Dotted),
    (b"PI", "PicoTorrent", WideMiddle),
    (b"PO", "Porla", Unversioned),
    (b"PT", "Popcorn Time or PHPTracker", Unversioned),
    (b"PY", "yap-torrent", PaddedLast),
    (b"QD", "QQDownload", Dotted),
    (b"QT", "Qt Torrent example", Dotted),
    (b"RS", "Rufus", Dotted),
    (b"RT", "Retriever", Dotted),
    (b"RZ", "RezTorrent", Dotted),
    (b"SB", "Swiftbit", Dotted),
    (b"SD", "Xunlei", Dotted),
    (b"SG", "GSTorrent", Four),
    (b"SK", "Spark", Dotted),
    (b"SM", "SoMud", Dotted),
    (b"SN", "ShareNET", Dotted),
    (b"SP", "BitSpirit", Three),
    // BEP 20 assigns the code to SwarmScope, which has not been seen for two decades.
    (b"SS", "superseedr", PaddedLast),
    (b"ST", "SymTorrent", Hundredths),
    (b"SZ", "Shareaza", Four),
    (b"S~", "Shareaza (beta)", Four),
    (b"TB", "Torch", Unversioned),
    (b"TE", "terasaur Seed Bank", Dotted),
    (b"TL", "Tribler", Dotted),
    (b"TN", "Torrent.NET", Dotted),
    (b"TR", "Transmission", Transmission),
    (b"TS", "TorrentStorm", Dotted),
    (b"TT", "TuoTu", Three),
    (b"TX", "Torrex", Four),
    (b"UE", "µTorrent Embedded", Three),
    (b"UL", "uLeecher!", Dotted),
    (b"UM", "µTorrent Mac", Three),
    (b"UT", "µTorrent", Three),
    (b"UW", "µTorrent Web", Three),
    (b"VG", "Vagaa", Four),
    (b"VT", "vortex", Pairs),
    (b"WD", "WebTorrent Desktop", Pairs),
    (b"WS", "HTTP Seed", Unversioned),
    (b"WT", "BitLet", Dotted),
    (b"WW", "WebTorrent", Pairs),
    (b"WY", "FireTorrent", Dotted),
    (b"XC", "Xtorrent", Dotted),
    (b"XF", "Xfplay", WideLast),
    (b"XL", "Xunlei", Dotted),
    (b"XS", "XSwifter", Dotted),
    (b"XT", "XanTorrent", Dotted),
    (b"XX", "Xtorrent", Dotted),
    (b"ZO", "Zona", Four),
    (b"ZT", "ZipTorrent", Dotted),
    (b"bk", "BitKitten", Dotted),
    (b"eM", "eMule", Unversioned),
    // Before 0.15 the version is that of the library only.
    (b"lt", "rTorrent/libTorrent", Dotted),
    (b"pX", "pHoeniX", Dotted),
    (b"pb", "pbTorrent", Three),
    (b"qB", "qBittorrent", Dotted),
    (b"rQ", "rqbit", Dotted),
    (b"st", "sharktorrent", Dotted),
    (b"tT", "tTorrent", Four),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_for_binary_search() {
        assert!(CODES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn every_code_is_in_the_golden_table() {
        let table = include_str!("../../../../fixtures/ids/clients.tsv");
        for (code, name, _) in CODES {
            let code = str::from_utf8(*code).unwrap();
            let shown = |row: &str| row.starts_with(&format!("-{code}")) && row.split('\t').nth(1) == Some(name);
            assert!(table.lines().any(shown), "{code} {name}");
        }
    }

    #[test]
    fn names_are_short_and_trimmed() {
        for (code, name, _) in CODES {
            assert!(!name.is_empty() && name.trim() == *name && name.len() < 40, "{}", code.escape_ascii());
        }
    }
}
