"""Writes Deluge's settings and its list of torrents, then becomes it."""

import json
import os
import pickle
import shutil
import sys

import deluge.core.torrentmanager
import libtorrent

folder, address, data, *torrents = sys.argv[1:]
host, port = address.rsplit(":", 1)
state = deluge.core.torrentmanager.TorrentManagerState()
os.makedirs(f"{folder}/state")
for torrent in torrents:
    info_hash = str(libtorrent.torrent_info(torrent).info_hash())
    shutil.copy(torrent, f"{folder}/state/{info_hash}.torrent")
    state.torrents.append(deluge.core.torrentmanager.TorrentState(
        torrent_id=info_hash, save_path=data, auto_managed=False, file_priorities=[], trackers=[], queue=len(state.torrents),
    ))
with open(f"{folder}/state/torrents.state", "wb") as file:
    pickle.dump(state, file)
settings = {
    "listen_ports": [int(port), int(port)],
    "listen_interface": host,
    "outgoing_interface": host,
    "random_port": False,
    **dict.fromkeys(["dht", "lsd", "natpmp", "upnp", "utpex"], False),
}
with open(f"{folder}/core.conf", "w") as file:
    file.write(json.dumps({"file": 1, "format": 1}) + json.dumps(settings))
os.execvp("deluged", ["deluged", "--do-not-daemonize", "--config", folder])
