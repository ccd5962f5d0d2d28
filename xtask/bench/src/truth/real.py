"""Peers of libtorrent's Python binding: a session for each argument, which is `ADDRESS:PORT:MODE`, with a torrent and its folder
before them. It ends with its stdin."""

import sys

import libtorrent

torrent, folder, *peers = sys.argv[1:]
sessions = []
for peer in peers:
    address, port, mode = peer.split(":")
    session = libtorrent.session({
        "listen_interfaces": address + ":" + port,
        "enable_dht": False, "enable_lsd": False, "enable_natpmp": False, "enable_upnp": False,
        "in_enc_policy": int(libtorrent.enc_policy.pe_forced if mode == "encrypted" else libtorrent.enc_policy.pe_enabled),
        "upload_rate_limit": 20000,
        "alert_mask": 0,
    })
    what = libtorrent.add_torrent_params()
    what.ti = libtorrent.torrent_info(torrent)
    what.save_path = folder + "/none" if mode == "leech" else folder
    what.flags &= ~(libtorrent.torrent_flags.auto_managed | libtorrent.torrent_flags.paused)
    what.flags |= libtorrent.torrent_flags.disable_pex
    if mode != "leech":
        what.flags |= libtorrent.torrent_flags.seed_mode
    session.add_torrent(what)
    sessions.append(session)
print("ready", flush=True)
sys.stdin.read()
