"""Makes a v2 or a hybrid torrent and prints its info-hashes, the one of v2 truncated: KIND TRACKER PAYLOAD TORRENT"""

import os
import sys

import libtorrent

kind, tracker, payload, torrent = sys.argv[1:]
files = libtorrent.file_storage()
libtorrent.add_files(files, payload)
# Without flags it is a hybrid.
flags = {"v2": libtorrent.create_torrent.v2_only, "hybrid": 0}[kind]
creator = libtorrent.create_torrent(files, piece_size=16384, flags=flags)
creator.add_tracker(tracker)
libtorrent.set_piece_hashes(creator, os.path.dirname(payload))
content = libtorrent.bencode(creator.generate())
with open(torrent, "wb") as file:
    file.write(content)
hashes = libtorrent.torrent_info(torrent).info_hashes()
assert hashes.has_v2() and hashes.has_v1() == (kind == "hybrid")
print(*[str(hashes.v1)] * hashes.has_v1(), str(hashes.v2)[:40])
