"""Makes a hybrid torrent and prints its v1 and its truncated v2 info-hash: TRACKER PAYLOAD TORRENT"""

import os
import sys

import libtorrent

tracker, payload, torrent = sys.argv[1:]
files = libtorrent.file_storage()
libtorrent.add_files(files, payload)
# Without flags it is a hybrid.
creator = libtorrent.create_torrent(files, piece_size=16384)
creator.add_tracker(tracker)
libtorrent.set_piece_hashes(creator, os.path.dirname(payload))
content = libtorrent.bencode(creator.generate())
with open(torrent, "wb") as file:
    file.write(content)
hashes = libtorrent.torrent_info(torrent).info_hashes()
assert hashes.has_v1() and hashes.has_v2()
print(hashes.v1, str(hashes.v2)[:40])
