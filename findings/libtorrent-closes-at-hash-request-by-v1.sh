#!/bin/sh
# libtorrent 2.1.1, a seed of a hybrid torrent (BEP 52), closes a connection that was made by the v1 info-hash at its first hash request;
# the same request is answered in a connection by the v2 hash. So the piece layers of a hybrid cannot be had in a v1 conversation.
# Needs python3 with venv, ip and unshare, and root or a kernel that lets users make network namespaces. Exits with 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check libtorrent==2.1.1 2>pip.log || { cat pip.log; exit 2; }

cat >seed.py <<'PYTHON'
"""A seed of a hybrid torrent on loopback, and one hash request to it by each of its hashes."""
import socket
import struct
import sys
import time

import libtorrent

PIECE = 32 * 1024
PIECES = 4
HASH_REQUEST, HASHES = 21, 22

with open("data", "wb") as data:
    data.write(bytes(range(256)) * (PIECE * PIECES // 256))
files = libtorrent.file_storage()
libtorrent.add_files(files, "data")
creator = libtorrent.create_torrent(files, PIECE)
libtorrent.set_piece_hashes(creator, ".")
torrent = libtorrent.torrent_info(creator.generate())
print("libtorrent", libtorrent.__version__)
session = libtorrent.session({
    "listen_interfaces": "127.0.0.1:6881",
    "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
})
handle = session.add_torrent({"ti": torrent, "save_path": "."})
deadline = time.monotonic() + 20
while not handle.status().is_seeding and time.monotonic() < deadline:
    time.sleep(0.05)


def received(stream, length):
    """So many bytes, or fewer if the other side closes."""
    read = b""
    while len(read) < length:
        part = stream.recv(length - len(read))
        if not part:
            break
        read += part
    return read


def ending(info_hash):
    """What follows a hash request on a connection by this hash."""
    request = torrent.files().root(0).to_bytes() + struct.pack(">IIII", 1, 0, PIECES, 0)
    with socket.create_connection(("127.0.0.1", 6881), 5) as stream:
        stream.settimeout(5)
        stream.sendall(b"\x13BitTorrent protocol" + bytes(8) + info_hash + b"-XX0000-" + b"x" * 12)
        received(stream, 68)
        stream.sendall(struct.pack(">IB", 1 + len(request), HASH_REQUEST) + request)
        try:
            while head := received(stream, 4):
                message = received(stream, *struct.unpack(">I", head))
                if message[:1] == bytes([HASHES]):
                    return f"{(len(message) - 1 - len(request)) // 32} hashes"
        except ConnectionResetError:
            pass
        return "closed"


hashes = torrent.info_hashes()
answers = {"v1": ending(hashes.v1.to_bytes()), "v2": ending(hashes.v2.to_bytes()[:20])}
print(answers)
sys.exit(0 if answers == {"v1": "closed", "v2": f"{PIECES} hashes"} else 1)
PYTHON
rights=
[ "$(id -u)" = 0 ] || rights=--map-root-user
unshare --net $rights sh -c 'ip link set lo up && venv/bin/python -W ignore seed.py'
echo "as described: closed by the v1 hash, answered by the v2 hash"
