#!/bin/sh
# libtorrent 2.1.1 as a node of the DHT (BEP 5) answers no query from 17 networks of the form N.0.0.0/8, among them 3/8 and 34/8, most of
# which is Amazon's and Google's today. Its setting `dht_ignore_dark_internet`, on by default, takes them for networks without public hosts.
# Needs python3 with venv, ip and unshare, and root or a kernel that lets users make network namespaces. Exits with 0 while it is so.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check libtorrent==2.1.1 2>pip.log || { cat pip.log; exit 2; }

cat >node.py <<'PYTHON'
"""A node in a network namespace, and a ping of it from one address of each network."""
import socket
import subprocess
import sys
import time

import libtorrent

NODE = ("23.22.1.1", 6881)
NETWORKS = [number for number in range(1, 224) if number not in (10, 127)]
DEAF_TO = [3, 6, 7, 9, 11, 19, 21, 22, 25, 26, 28, 29, 30, 33, 34, 48, 56]
PING = b"d1:ad2:id20:" + b"x" * 20 + b"e1:q4:ping1:t4:abcd1:y1:qe"


def answers(number):
    """Whether one of three pings from a network is answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as prober:
        prober.bind((f"{number}.51.1.1", 0))
        prober.settimeout(0.2)
        for _ in range(3):
            prober.sendto(PING, NODE)
            try:
                return prober.recv(2048).endswith(b"1:y1:re")
            except TimeoutError:
                pass
    return False


lines = ["link set lo up", "address add 23.22.1.1/32 dev lo"]
lines += [f"address add {number}.51.1.1/32 dev lo" for number in NETWORKS]
subprocess.run(["ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)
print("libtorrent", libtorrent.__version__)
settings = {"listen_interfaces": "%s:%d" % NODE, "dht_bootstrap_nodes": "", "enable_lsd": False}
session = libtorrent.session(settings | {"enable_upnp": False, "enable_natpmp": False})
deadline = time.monotonic() + 10
while not answers(23) and time.monotonic() < deadline:
    pass
deaf = [number for number in NETWORKS if not answers(number)]
print("no answer to:", *(f"{number}/8" for number in deaf))
sys.exit(0 if deaf == DEAF_TO else 1)
PYTHON
rights=
[ "$(id -u)" = 0 ] || rights=--map-root-user
unshare --net $rights venv/bin/python node.py
echo "as described: 3/8, 34/8 and 15 more are not answered"
