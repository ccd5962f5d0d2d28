"""Seeds torrents with libtorrent until stdin ends: ADDRESS:PORT FOLDER TORRENT..."""

import sys

import libtorrent

address, folder, *torrents = sys.argv[1:]
session = libtorrent.session({
    "listen_interfaces": address,
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
})
for torrent in torrents:
    parameters = libtorrent.add_torrent_params()
    parameters.ti = libtorrent.torrent_info(torrent)
    parameters.save_path = folder
    parameters.flags |= libtorrent.torrent_flags.seed_mode
    session.add_torrent(parameters)
sys.stdin.read()
