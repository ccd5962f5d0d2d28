"""A download with libtorrent's Python binding at its best settings, and what it knows of its peers, in lines of JSON. It ends with its
stdin."""

import json
import os
import sys
import threading
import time

import libtorrent

transport, torrent, folder, v4, v6 = sys.argv[1:]
session = libtorrent.session({
    "listen_interfaces": f"{v4}:6881,[{v6}]:6881",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_natpmp": False,
    "enable_upnp": False,
    "enable_outgoing_utp": transport == "utp",
    "enable_incoming_utp": transport == "utp",
    "out_enc_policy": int(libtorrent.enc_policy.pe_enabled),
    "in_enc_policy": int(libtorrent.enc_policy.pe_enabled),
    "allowed_enc_level": int(libtorrent.enc_level.pe_both),
    "connection_speed": 2000,
    "connections_limit": 20000,
    "half_open_limit": 20000,
    "torrent_connect_boost": 255,
    "smooth_connects": False,
    "peer_connect_timeout": int(os.environ.get("PEER_CONNECT_TIMEOUT", 7)),
    "min_reconnect_time": 1,
    "allow_multiple_connections_per_ip": True,
    "allow_multiple_connections_per_pid": True,
    "close_redundant_connections": False,
    "alert_mask": libtorrent.alert.category_t.peer_notification | libtorrent.alert.category_t.connect_notification,
})
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
what = libtorrent.add_torrent_params()
what.ti = libtorrent.torrent_info(torrent)
what.save_path = folder
what.flags &= ~(libtorrent.torrent_flags.auto_managed | libtorrent.torrent_flags.paused)
time.sleep(0.2)
print(json.dumps({"type": "start"}), flush=True)
handle = session.add_torrent(what)
known = {}


def tell(endpoint, transport, encryption, role):
    address, port = endpoint
    address = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    if known.get(address) != (transport, encryption, role):
        known[address] = transport, encryption, role
        line = {"type": "peer", "address": address, "outcome": "ok", "transport": transport, "encryption": encryption}
        print(json.dumps(line | {"role": role}))


kind = libtorrent.peer_info
while True:
    for alert in session.pop_alerts():
        # One that it lets go because it knows the client already has shaken hands.
        if isinstance(alert, libtorrent.peer_disconnected_alert) and "duplicate peer" in alert.message():
            tell(alert.endpoint, None, None, None)
    for peer in handle.get_peer_info():
        if not peer.flags & (kind.connecting | kind.handshake):
            encryption = "rc4" if peer.flags & kind.rc4_encrypted else "header" if peer.flags & kind.plaintext_encrypted else "none"
            over = "utp" if peer.flags & kind.utp_socket else "tcp"
            tell(peer.ip, over, encryption, "seed" if peer.flags & kind.seed else "leech")
    sys.stdout.flush()
    time.sleep(0.05)
