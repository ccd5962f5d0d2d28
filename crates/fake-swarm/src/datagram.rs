//! What a UDP tracker was asked.

use std::net::SocketAddr;

/// One datagram, as it came: a question of BEP 15 or anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Datagram {
    /// All of it.
    pub bytes: Vec<u8>,
    /// Where it came from.
    pub remote: SocketAddr,
}

/// The fields of an announce (BEP 15). The byte strings are as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UdpAnnounce {
    /// The torrent.
    pub info_hash: [u8; 20],
    /// The announcing peer's id.
    pub peer_id: [u8; 20],
    /// Bytes it says it has downloaded.
    pub downloaded: u64,
    /// Bytes it says it lacks.
    pub left: u64,
    /// Bytes it says it has uploaded.
    pub uploaded: u64,
    /// 0 none, 1 completed, 2 started, 3 stopped.
    pub event: u32,
    /// The address it would be listed by; zero for the one it announces from.
    pub ip: [u8; 4],
    /// What tells it from others behind the same address.
    pub key: [u8; 4],
    /// How many peers it wants; all ones for no wish.
    pub numwant: [u8; 4],
    /// Where it says it listens.
    pub port: u16,
    /// Path and query of the tracker's URL, put together from the options of BEP 41; empty without them.
    pub url_data: Vec<u8>,
}

impl Datagram {
    /// The connection id, which is the magic constant in a connect.
    #[must_use]
    pub fn connection(&self) -> Option<[u8; 8]> {
        self.field(0)
    }

    /// 0 connect, 1 announce, 2 scrape.
    #[must_use]
    pub fn action(&self) -> Option<u32> {
        self.field(8).map(u32::from_be_bytes)
    }

    /// What the reply has to repeat.
    #[must_use]
    pub fn transaction(&self) -> Option<[u8; 4]> {
        self.field(12)
    }

    /// The fields, when it is an announce and all of them are there.
    #[must_use]
    pub fn announce(&self) -> Option<UdpAnnounce> {
        if self.action() != Some(1) {
            return None;
        }
        Some(UdpAnnounce {
            info_hash: self.field(16)?,
            peer_id: self.field(36)?,
            downloaded: self.field(56).map(u64::from_be_bytes)?,
            left: self.field(64).map(u64::from_be_bytes)?,
            uploaded: self.field(72).map(u64::from_be_bytes)?,
            event: self.field(80).map(u32::from_be_bytes)?,
            ip: self.field(84)?,
            key: self.field(88)?,
            numwant: self.field(92)?,
            port: self.field(96).map(u16::from_be_bytes)?,
            url_data: url_data(self.bytes.get(98..)?),
        })
    }

    /// The torrents asked about, when it is a scrape.
    #[must_use]
    pub fn scrape(&self) -> Option<Vec<[u8; 20]>> {
        let hashes = self.bytes.get(16..).filter(|_| self.action() == Some(2))?;
        Some(hashes.as_chunks().0.to_vec())
    }

    /// `N` bytes from this offset.
    fn field<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        self.bytes.get(offset..)?.first_chunk().copied()
    }
}

/// What the options after an announce (BEP 41) say of the URL: 0 ends them, 1 is nothing, 2 is a length and that many
/// bytes. At the first that makes no sense the reading ends.
fn url_data(mut options: &[u8]) -> Vec<u8> {
    let mut url = Vec::new();
    loop {
        options = match options {
            [1, rest @ ..] => rest,
            [2, length, rest @ ..] => {
                let Some((data, rest)) = rest.split_at_checked(usize::from(*length)) else { return url };
                url.extend(data);
                rest
            }
            _ => return url,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(parts: &[&[u8]]) -> Datagram {
        Datagram { bytes: parts.concat(), remote: SocketAddr::from(([127, 0, 0, 1], 4000)) }
    }

    #[test]
    fn an_announce_byte_by_byte() {
        let bytes = datagram(&[
            b"CCCCCCCC\0\0\0\x01TTTT",
            &[b'h'; 20],
            b"-HS0100-abcdefghijkl",
            b"\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x03",
            b"\0\0\0\x02\0\0\0\0KKKK\xff\xff\xff\xff\x1a\xe1",
            b"\x02\x04/ann\x01\x02\x03?a=\0rest",
        ]);
        assert_eq!(bytes.connection(), Some(*b"CCCCCCCC"));
        assert_eq!(bytes.transaction(), Some(*b"TTTT"));
        let announce = UdpAnnounce {
            info_hash: [b'h'; 20],
            peer_id: *b"-HS0100-abcdefghijkl",
            downloaded: 1,
            left: 2,
            uploaded: 3,
            event: 2,
            ip: [0; 4],
            key: *b"KKKK",
            numwant: [0xff; 4],
            port: 6881,
            url_data: b"/ann?a=".to_vec(),
        };
        assert_eq!(bytes.announce(), Some(announce));
        assert_eq!(bytes.scrape(), None);
    }

    #[test]
    fn a_scrape_names_its_torrents() {
        let scrape = datagram(&[b"CCCCCCCC\0\0\0\x02TTTT", &[1; 20], &[2; 20], &[3; 7]]);
        assert_eq!(scrape.scrape(), Some(vec![[1; 20], [2; 20]]));
        assert_eq!(scrape.announce(), None);
    }

    #[test]
    fn what_is_cut_short_has_no_fields() {
        let whole = [b"CCCCCCCC\0\0\0\x01TTTT".as_slice(), &[0; 82]].concat();
        for length in 0..whole.len() {
            assert_eq!(datagram(&[&whole[..length]]).announce(), None, "{length}");
        }
        assert!(datagram(&[&whole]).announce().is_some());
        assert_eq!(datagram(&[b"CCCCCCCC\0\0\0"]).action(), None);
        assert_eq!(url_data(b"\x02\x09/short"), b"");
    }
}
