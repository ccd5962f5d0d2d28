"""Metadata by libtorrent's Python binding, for each line of stdin, which is a magnet link, until it is there."""

import os
import sys
import tempfile
import threading

import libtorrent

session = libtorrent.session({
    "listen_interfaces": "127.0.0.1:0",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_natpmp": False,
    "enable_upnp": False,
    "enable_outgoing_utp": False,
    "out_enc_policy": int(libtorrent.enc_policy.pe_disabled),
    "active_limit": 1000,
    "active_downloads": 1000,
    "active_tracker_limit": 1000,
    "connections_limit": 2000,
    "torrent_connect_boost": 30,
    "alert_mask": libtorrent.alert.category_t.status_notification,
})
folder = tempfile.mkdtemp()


def read():
    for line in sys.stdin:
        torrent = libtorrent.parse_magnet_uri(line.strip())
        torrent.save_path = folder
        torrent.flags &= ~libtorrent.torrent_flags.auto_managed
        torrent.flags &= ~libtorrent.torrent_flags.paused
        session.async_add_torrent(torrent)
    os._exit(0)


threading.Thread(target=read, daemon=True).start()
print("ready", flush=True)
while True:
    session.wait_for_alert(1000)
    for alert in session.pop_alerts():
        if isinstance(alert, libtorrent.metadata_received_alert):
            print("done", flush=True)
            session.remove_torrent(alert.handle)
