#!/bin/sh
# libtorrent 2.0.13, whose port is free over TCP and taken over UDP by another program when it starts: it listens over TCP at that port and over uTP
# (BEP 29) at the next one, also once the port is free. To the tracker it names the port of TCP, so a peer that has its address from there does not
# reach it over uTP: where TCP is filtered it is unreachable, though it would answer. libtorrent 2.1.1 takes the next port for both.
# Needs python3 with venv, ip and unshare, and root or a kernel that lets users make network namespaces. Exits with 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 2.0.13 2.1.1; do
    python3 -m venv "$version"
    "$version/bin/pip" install --quiet --disable-pip-version-check "libtorrent==$version" 2>pip.log || { cat pip.log; exit 2; }
done

cat >seed.py <<'PYTHON'
"""A tracker on loopback, and a client of it whose port is taken over UDP while it starts."""
import http.server
import socket
import struct
import sys
import threading
import urllib.parse

import libtorrent

PORT = 6881
STATE, SYN = 2, 4
announced = []
heard = threading.Event()


class Tracker(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        announced.extend(int(port) for port in query.get("port", []))
        body = b"d8:intervali1800e5:peers0:e"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        heard.set()


def answers_over_tcp(port):
    with socket.socket() as peer:
        peer.settimeout(2)
        return peer.connect_ex(("127.0.0.1", port)) == 0


def answers_over_utp(port):
    """Whether a SYN has a SYN-ACK."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.settimeout(2)
        peer.connect(("127.0.0.1", port))
        peer.send(struct.pack(">BBHIIIHH", SYN << 4 | 1, 0, 1000, 0, 0, 1 << 20, 1, 0))
        try:
            return peer.recv(1500)[0] >> 4 == STATE
        except OSError:
            return False


print("libtorrent", libtorrent.__version__)
tracker = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Tracker)
threading.Thread(target=tracker.serve_forever, daemon=True).start()
taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
taken.bind(("127.0.0.1", PORT))
session = libtorrent.session({
    "listen_interfaces": f"127.0.0.1:{PORT}",
    "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
})
with open("data", "wb") as data:
    data.write(bytes(range(256)) * 256)
files = libtorrent.file_storage()
libtorrent.add_files(files, "data")
creator = libtorrent.create_torrent(files, 16 * 1024)
creator.add_tracker(f"http://127.0.0.1:{tracker.server_port}/announce")
libtorrent.set_piece_hashes(creator, ".")
session.add_torrent({"ti": libtorrent.torrent_info(creator.generate()), "save_path": "."})
heard.wait(20)
taken.close()
ports = range(PORT, PORT + 3)
tcp, utp = ([port for port in ports if answers(port)] for answers in (answers_over_tcp, answers_over_utp))
print(f"announced: {sorted(set(announced))}; over TCP it answers at {tcp}, over uTP at {utp}")
is_split = libtorrent.__version__.startswith("2.0.")
expected = PORT if is_split else PORT + 1
sys.exit(0 if (set(announced), tcp, utp) == ({expected}, [expected], [PORT + 1]) else 1)
PYTHON
rights=
[ "$(id -u)" = 0 ] || rights=--map-root-user
for version in 2.0.13 2.1.1; do
    unshare --net $rights sh -c 'ip link set lo up && "$1/bin/python" -W ignore seed.py' sh "$version"
done
echo "as described: the older one announces a port at which nothing answers over uTP"
