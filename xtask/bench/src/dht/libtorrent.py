"""Lookups of libtorrent's Python binding: see side.rs for the lines. It never says that one is at its end."""

import sys

import libtorrent

session, at = None, None
print("ready", flush=True)
for line in sys.stdin:
    port, target, *nodes = line.split()
    if at != port:
        at = port
        session = libtorrent.session({
            "listen_interfaces": "43.255.255.1:" + port,
            "dht_bootstrap_nodes": ",".join(node.split("/")[0] for node in nodes),
            "enable_dht": True,
            "enable_lsd": False,
            "enable_natpmp": False,
            "enable_upnp": False,
            "alert_mask": 0,
        })
    session.dht_get_peers(libtorrent.sha1_hash(bytes.fromhex(target)))
