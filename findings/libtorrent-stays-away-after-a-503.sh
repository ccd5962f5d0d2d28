#!/bin/sh
# libtorrent 2.1.1: a single-file torrent whose one source is a web seed (BEP 19) stays where it is after one 503 with
# "Retry-After: 2": no second request in 100 s, though the seed would answer it. RFC 9110, 10.2.3: Retry-After is how long the
# client ought to wait. Needs python3 with venv. Takes two minutes. Exits with 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check libtorrent==2.1.1 2>pip.log || { cat pip.log; exit 2; }

cat >seed.py <<'PYTHON'
"""A web seed on loopback, and libtorrent as its only client: once it answers at once, once only after a 503."""
import hashlib
import http.server
import sys
import threading
import time

import libtorrent

CONTENT = bytes(range(256)) * 256
PIECE = 16384
busy = False
requests = []
begun = time.monotonic()


class Seed(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        global busy
        status, busy = (503 if busy else 206), False
        requests.append(status)
        print(f"{time.monotonic() - begun:6.1f} s: GET {self.path}, {self.headers['Range']}: {status}", flush=True)
        self.send_response(status)
        if status == 503:
            self.send_header("Retry-After", "2")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        first, last = (int(number) for number in self.headers["Range"].removeprefix("bytes=").split("-"))
        part = CONTENT[first : last + 1]
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)


def fetched(torrent, folder, seconds):
    """Whether libtorrent has everything within this time."""
    # The seed is on loopback and nothing else is to be asked.
    off = dict.fromkeys(["enable_dht", "enable_lsd", "enable_upnp", "enable_natpmp", "ssrf_mitigation"], False)
    session = libtorrent.session({"listen_interfaces": "127.0.0.1:0", **off})
    parameters = libtorrent.add_torrent_params()
    parameters.ti, parameters.save_path = libtorrent.torrent_info(torrent), folder
    handle = session.add_torrent(parameters)
    end = time.monotonic() + seconds
    while not handle.status().is_seeding and time.monotonic() < end:
        session.wait_for_alert(200)
        session.pop_alerts()
    return handle.status().is_seeding


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Seed)
threading.Thread(target=server.serve_forever, daemon=True).start()
pieces = b"".join(hashlib.sha1(CONTENT[at : at + PIECE]).digest() for at in range(0, len(CONTENT), PIECE))
info = {b"length": len(CONTENT), b"name": b"file.bin", b"piece length": PIECE, b"pieces": pieces}
torrent = {b"info": info, b"url-list": b"http://127.0.0.1:%d/file.bin" % server.server_port}

print("libtorrent", libtorrent.__version__)
at_once = fetched(torrent, "at-once", 30)
before = len(requests)
busy = True
after_503 = fetched(torrent, "after-503", 100)
print(f"fetched from a seed that answers at once: {at_once}; from one that answers the first request with 503: {after_503}")
sys.exit(0 if at_once and not after_503 and requests[before:] == [503] else 1)
PYTHON
venv/bin/python -W ignore seed.py
echo "as described: no second request"
