"""Seeds torrents with libtorrent until stdin ends. For each line of it, says how many connections there are."""

import argparse
import sys

import libtorrent

POLICIES = {"forced": 0, "enabled": 1, "disabled": 2}

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--encryption", choices=POLICIES, default="enabled")
parser.add_argument("--check", action="store_true", help="have only what is in the folder")
parser.add_argument("--super-seeding", action="store_true", help="hide what it has")
parser.add_argument("--paused", action="store_true")
parser.add_argument("--secret", action="store_true", help="tell no tracker")
parser.add_argument("--without", metavar="FIRST-LAST", help="connect to none of these addresses")
parser.add_argument("--bound", action="store_true", help="connect from its own address")
parser.add_argument("--utp", action="store_true", help="take connections over uTP")
parser.add_argument("--node", action="append", default=[], help="a node of the DHT, which is off without any")
parser.add_argument("address")
parser.add_argument("folder")
parser.add_argument("torrents", nargs="+", help="files or links")
options = parser.parse_args()

session = libtorrent.session({
    "listen_interfaces": options.address,
    "outgoing_interfaces": options.address.rsplit(":", 1)[0] if options.bound else "",
    "in_enc_policy": POLICIES[options.encryption],
    "out_enc_policy": POLICIES[options.encryption],
    # By default it pauses what is more than five.
    "active_seeds": 100,
    "active_limit": 100,
    "enable_dht": bool(options.node),
    "dht_bootstrap_nodes": "",
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_incoming_utp": options.utp,
    "enable_outgoing_utp": options.utp,
})
for node in options.node:
    host, port = node.rsplit(":", 1)
    session.add_dht_node((host.strip("[]"), int(port)))
if options.without:
    strangers = libtorrent.ip_filter()
    strangers.add_rule(*options.without.split("-"), 1)
    session.set_ip_filter(strangers)
for torrent in options.torrents:
    is_link = torrent.startswith("magnet:")
    if is_link:
        parameters = libtorrent.parse_magnet_uri(torrent)
    else:
        parameters = libtorrent.add_torrent_params()
        parameters.ti = libtorrent.torrent_info(torrent)
    parameters.save_path = options.folder
    flags = libtorrent.torrent_flags
    if not options.check and not is_link:
        parameters.flags |= flags.seed_mode
    if options.super_seeding:
        parameters.flags |= flags.super_seeding
    if options.paused:
        parameters.flags |= flags.paused
        parameters.flags &= ~flags.auto_managed
    if options.secret:
        parameters.flags |= flags.override_trackers
    session.add_torrent(parameters)
for _ in sys.stdin:
    session.pop_alerts()
    session.post_session_stats()
    stats = None
    while stats is None:
        session.wait_for_alert(1000)
        stats = next((alert.values for alert in session.pop_alerts() if hasattr(alert, "values")), None)
    # Of all states of a uTP connection.
    utp = sum(number for name, number in stats.items() if name.startswith("utp.num_utp_"))
    print(utp + sum(len(torrent.get_peer_info()) for torrent in session.get_torrents()), flush=True)
