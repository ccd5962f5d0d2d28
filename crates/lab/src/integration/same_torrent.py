"""Prints the magnet link of a torrent; or fails unless another file has the same torrent, with all its piece layers: TORRENT [OTHER]"""

import sys

import libtorrent

known = libtorrent.torrent_info(sys.argv[1])
if len(sys.argv) == 2:
    print(libtorrent.make_magnet_uri(known))
    sys.exit()
ours, theirs = (libtorrent.bdecode(open(file, "rb").read()) for file in sys.argv[1:])
assert libtorrent.bencode(ours[b"info"]) == libtorrent.bencode(theirs[b"info"]), "another info dictionary"
assert ours[b"piece layers"] and ours[b"piece layers"] == theirs.get(b"piece layers"), "other piece layers"
assert libtorrent.torrent_info(sys.argv[2]).info_hashes() == known.info_hashes(), "another torrent"
