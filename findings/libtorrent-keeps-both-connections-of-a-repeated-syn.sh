#!/bin/sh
# libtorrent 2.1.1 over uTP (BEP 29): a SYN that comes again, as after a lost SYN-ACK, begins a second connection under the same ids beside the
# first one. Which of the two has the packets that follow depends on whether a packet of another peer arrived in between: without one it is the
# second, with one the first. A packet that acknowledges the SYN-ACK of the other is dropped in silence. So a client that sends its SYN again does not
# know which SYN-ACK counts, and an id of its own for the second SYN is safer.
# Needs python3 with venv, ip and unshare, and root or a kernel that lets users make network namespaces. Exits with 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check libtorrent==2.1.1 2>pip.log || { cat pip.log; exit 2; }

cat >seed.py <<'PYTHON'
"""A seed on loopback, and a peer whose SYN comes twice."""
import socket
import struct
import sys
import time

import libtorrent

DATA, STATE, SYN = 0, 2, 4
SEED = ("127.0.0.1", 6881)

with open("data", "wb") as data:
    data.write(bytes(range(256)) * 256)
files = libtorrent.file_storage()
libtorrent.add_files(files, "data")
creator = libtorrent.create_torrent(files, 16 * 1024)
libtorrent.set_piece_hashes(creator, ".")
torrent = libtorrent.torrent_info(creator.generate())
print("libtorrent", libtorrent.__version__)
session = libtorrent.session({
    "listen_interfaces": "%s:%d" % SEED,
    "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
})
handle = session.add_torrent({"ti": torrent, "save_path": "."})
deadline = time.monotonic() + 20
while not handle.status().is_seeding and time.monotonic() < deadline:
    time.sleep(0.05)
handshake = b"\x13BitTorrent protocol" + bytes(8) + torrent.info_hashes().v1.to_bytes() + b"-XX0000-" + b"x" * 12


def packet(kind, id, seq, ack, payload=b""):
    return struct.pack(">BBHIIIHH", kind << 4 | 1, 0, id, 0, 0, 1 << 20, seq, ack) + payload


class Peer:
    """A peer with a socket of its own."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(1.5)

    def syn(self, id):
        """Sends a SYN, and gives the number of the SYN-ACK."""
        self.socket.sendto(packet(SYN, id, 1, 0), SEED)
        head, _, _, _, _, _, seq, _ = struct.unpack(">BBHIIIHH", self.socket.recv(1500)[:20])
        assert head >> 4 == STATE
        return seq

    def is_answered(self, id, syn_ack):
        """Whether a handshake that acknowledges this SYN-ACK has any answer."""
        self.socket.sendto(packet(DATA, id + 1, 2, syn_ack - 1 & 0xffff, handshake), SEED)
        try:
            return bool(self.socket.recv(1500))
        except TimeoutError:
            return False


def answered(is_busy, acknowledges_second):
    """One peer whose SYN comes twice, with a packet of another one behind the second or not."""
    peer, other, id = Peer(), Peer(), 1000
    first, second = peer.syn(id), peer.syn(id)
    if is_busy:
        other.syn(id)
    return first != second and peer.is_answered(id, second if acknowledges_second else first)


seen = {
    (between, which): answered(between == "another peer between", which == "second SYN-ACK")
    for between in ("nothing between", "another peer between")
    for which in ("first SYN-ACK", "second SYN-ACK")
}
for (between, which), is_answered in seen.items():
    print(f"{between}, the {which} acknowledged: {'answered' if is_answered else 'silence'}")
sys.exit(0 if list(seen.values()) == [False, True, True, False] else 1)
PYTHON
rights=
[ "$(id -u)" = 0 ] || rights=--map-root-user
unshare --net $rights sh -c 'ip link set lo up && venv/bin/python -W ignore seed.py'
echo "as described: which SYN-ACK counts depends on what other peers send"
