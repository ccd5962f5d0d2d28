//! The documents to parse, generated here: the same bytes in every run, without a download.

/// A document, its letter and its description.
pub(crate) struct Input {
    pub(crate) letter: char,
    pub(crate) what: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// Whether it has an info dictionary, so that a torrent parser can read it.
    pub(crate) torrent: bool,
}

pub(crate) fn all() -> Vec<Input> {
    let input = |letter, what, bytes, torrent| Input { letter, what, bytes, torrent };
    vec![
        input('a', "torrent, 1 KB", single_file(40), true),
        input('b', "torrent, 20,000 pieces", single_file(20_000), true),
        input('c', "torrent, 50,000 files", many_files(50_000), true),
        input('d', "tracker reply, 200 compact peers", compact_peers(200), false),
        input('e', "tracker reply, 5,000 dictionary peers", dictionary_peers(5_000), false),
        input('f', "list of 1,000,000 small integers", small_integers(1_000_000), false),
    ]
}

/// Marsaglia's xorshift: bytes that do not compress and are the same in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[3]).collect()
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(format!("{}:", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
}

fn integer(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(format!("i{number}e").as_bytes());
}

/// The keys before the info dictionary, as mktorrent writes them.
fn head(out: &mut Vec<u8>) {
    out.push(b'd');
    string(out, b"announce");
    string(out, b"http://tracker.example.org:6969/announce");
    string(out, b"created by");
    string(out, b"mktorrent 1.1");
    string(out, b"creation date");
    integer(out, 1_700_000_000);
    string(out, b"info");
    out.push(b'd');
}

fn single_file(pieces: usize) -> Vec<u8> {
    let mut out = Vec::new();
    head(&mut out);
    string(&mut out, b"length");
    integer(&mut out, pieces as u64 * 262_144);
    string(&mut out, b"name");
    string(&mut out, b"debian-12.5.0-amd64-netinst.iso");
    string(&mut out, b"piece length");
    integer(&mut out, 262_144);
    string(&mut out, b"pieces");
    string(&mut out, &Noise(1).bytes(pieces * 20));
    out.extend_from_slice(b"ee");
    out
}

/// About 9 MB: names and sizes as in an archive of photographs, pieces of 1 MiB.
fn many_files(files: usize) -> Vec<u8> {
    let mut noise = Noise(2);
    let mut out = Vec::new();
    head(&mut out);
    string(&mut out, b"files");
    out.push(b'l');
    let mut total = 0;
    for file in 0..files {
        let length = noise.below(12_000_000);
        total += length;
        out.push(b'd');
        string(&mut out, b"length");
        integer(&mut out, length);
        string(&mut out, b"path");
        out.push(b'l');
        string(&mut out, format!("season {:02}", file / 5_000).as_bytes());
        string(&mut out, format!("chapter {}", file / 100).as_bytes());
        let name = format!("{file:06} {:x}.jpeg", noise.next() >> noise.below(48));
        string(&mut out, name.as_bytes());
        out.extend_from_slice(b"ee");
    }
    out.push(b'e');
    string(&mut out, b"name");
    string(&mut out, b"archive");
    string(&mut out, b"piece length");
    integer(&mut out, 1 << 20);
    string(&mut out, b"pieces");
    string(&mut out, &noise.bytes(total.div_ceil(1 << 20) as usize * 20));
    out.extend_from_slice(b"ee");
    out
}

fn reply_head(out: &mut Vec<u8>) {
    out.push(b'd');
    for (key, number) in [("complete", 120), ("incomplete", 80), ("interval", 1800), ("min interval", 900)] {
        string(out, key.as_bytes());
        integer(out, number);
    }
    string(out, b"peers");
}

fn compact_peers(peers: usize) -> Vec<u8> {
    let mut out = Vec::new();
    reply_head(&mut out);
    string(&mut out, &Noise(3).bytes(peers * 6));
    out.push(b'e');
    out
}

fn dictionary_peers(peers: usize) -> Vec<u8> {
    let mut noise = Noise(4);
    let mut out = Vec::new();
    reply_head(&mut out);
    out.push(b'l');
    for _ in 0..peers {
        let [a, b, c, d, ..] = noise.next().to_le_bytes();
        out.push(b'd');
        string(&mut out, b"ip");
        string(&mut out, format!("{a}.{b}.{c}.{d}").as_bytes());
        string(&mut out, b"peer id");
        string(&mut out, &[b"-TR3000-".as_slice(), &noise.bytes(12)].concat());
        string(&mut out, b"port");
        integer(&mut out, 1024 + noise.below(64_000));
        out.push(b'e');
    }
    out.extend_from_slice(b"ee");
    out
}

fn small_integers(count: usize) -> Vec<u8> {
    let mut noise = Noise(5);
    let mut out = vec![b'l'];
    for _ in 0..count {
        integer(&mut out, noise.below(1_000));
    }
    out.push(b'e');
    out
}
