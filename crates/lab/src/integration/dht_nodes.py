"""Nodes of the DHT by libtorrent, which say when they are up and what is announced to them, until stdin ends."""

import argparse
import select
import sys
import time

import libtorrent

# How long others are asked, and how often, in seconds. They start later, and a client whose first lookup finds no node tries again after a
# quarter of an hour.
MEET, AGAIN = 60, 1

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--other", action="append", default=[], help="a node that may know none of these")
parser.add_argument("node", nargs="+", help="its addresses, separated by commas")
options = parser.parse_args()


def endpoint(address):
    host, port = address.rsplit(":", 1)
    return host.strip("[]"), int(port)


sessions = [
    libtorrent.session({
        "listen_interfaces": node,
        "alert_mask": libtorrent.alert.category_t.dht_notification,
        "enable_dht": True,
        "dht_bootstrap_nodes": "",
        # By default it drops what exceeds 8,000 bytes a second.
        "dht_upload_rate_limit": 1_000_000,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
    })
    for node in options.node
]
for session in sessions:
    for address in ",".join(options.node).split(","):
        session.add_dht_node(endpoint(address))
print("up", flush=True)
begun, due, told = time.monotonic(), 0, set()
while not select.select([sys.stdin], [], [], 0.1)[0]:
    now = time.monotonic() - begun
    if due <= now < MEET:
        due += AGAIN
        for session in sessions[:2]:
            for node in options.other:
                session.add_dht_node(endpoint(node))
    for session in sessions:
        for alert in session.pop_alerts():
            if isinstance(alert, libtorrent.dht_announce_alert):
                ip = f"[{alert.ip}]" if ":" in str(alert.ip) else alert.ip
                line = f"{alert.info_hash} {ip}:{alert.port}"
                if line not in told:
                    told.add(line)
                    print(f"after {now:.1f} s: {line}", flush=True)
