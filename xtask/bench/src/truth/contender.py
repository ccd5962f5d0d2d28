"""A download by libtorrent's Python binding, aria2, rqbit or demagnetize, each at its best settings, and what it says of its peers, in lines of JSON:
`start`, and a `peer` each time that it knows more of one. It ends with its stdin."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request

name, program, torrent, folder, v4, v6 = sys.argv[1:]
content = open(torrent, "rb").read()
known = {}
server = None


def end():
    sys.stdin.read()
    if server:
        server.kill()
    os._exit(0)


def tell(address, port, transport, encryption, role):
    address = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    line = {"address": address, "transport": transport, "encryption": encryption, "role": role}
    if known.get(address) != line:
        known[address] = line
        print(json.dumps({"type": "peer", "outcome": "ok"} | line), flush=True)


def ask(url, data=None):
    with urllib.request.urlopen(url, data) as answer:
        return json.load(answer)


def serve(arguments, is_ready):
    """Starts a server, and returns when this can be called."""
    global server
    server = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", program] + arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while server.poll() is None:
        try:
            return is_ready()
        except OSError:
            time.sleep(0.05)
    sys.exit(name + " did not start")


def begin():
    print(json.dumps({"type": "start"}), flush=True)


def aria2():
    def call(method, *parameters):
        question = {"jsonrpc": "2.0", "id": 1, "method": "aria2." + method, "params": parameters}
        return ask("http://127.0.0.1:6800/jsonrpc", json.dumps(question).encode())["result"]

    serve(["--no-conf", "--quiet", "--enable-rpc", "--rpc-listen-port=6800", "--enable-dht=false", "--enable-dht6=false",
           "--bt-enable-lpd=false", "--bt-max-peers=0", "--bt-request-peer-speed-limit=100M", "--dir=" + folder,
           "--file-allocation=none", "--listen-port=6881"], lambda: call("getVersion"))
    begin()
    number = call("addTorrent", base64.b64encode(content).decode())

    def look():
        for peer in call("getPeers", number):
            # Those without an id have not shaken hands. It has TCP alone, and does not say whether a conversation is encrypted.
            if peer["peerId"].replace("%00", ""):
                yield peer["ip"], peer["port"], "tcp", None, "seed" if peer["seeder"] == "true" else "leech"
    return look


def rqbit():
    interface = "http://127.0.0.1:3030/torrents"
    serve(["--disable-dht", "--disable-lsd", "--disable-upnp-port-forward", "--experimental-enable-utp-listen", "--peer-limit=20000",
           "--peer-connect-timeout=3s", "--http-api-listen-addr=127.0.0.1:3030", "server", "start", folder], lambda: ask(interface))
    begin()
    number = ask(interface + "?overwrite=true", content)["id"]

    def look():
        for address, peer in ask(f"{interface}/{number}/peer_stats")["peers"].items():
            address, port = address.rsplit(":", 1)
            # It has no encryption, and does not say what a peer has.
            yield address.strip("[]"), port, (peer["conn_kind"] or "").lower() or None, "none", None
    return look


def demagnetize():
    """It reads metadata, and is at its end with the first peer's. What it says of the others is in its log."""
    config = folder + "/config"
    with open(config, "w") as file:
        file.write("[general]\nencrypt = \"if-required\"\n[peers]\njobs-per-magnet = 5000\nhandshake-timeout = 8\ndh-exchange-timeout = 1\n[trackers]\nnumwant = 5000\n"
                   "[dht]\nbootstrap-nodes = [\"127.0.0.1:9\"]\nquery-timeout = 1\n")
    info_hash = hashlib.sha1(content[content.index(b"4:info") + 6:-1]).hexdigest()
    tracker = re.search(rb"http:.*?/announce", content)[0].decode().replace(":", "%3A").replace("/", "%2F")
    begin()
    arguments = ["--config", config, "--log-level", "TRACE", "get", "--outfile", folder + "/it"]
    client = subprocess.Popen([program] + arguments + [f"magnet:?xt=urn:btih:{info_hash}&tr={tracker}"], stderr=subprocess.PIPE, text=True)
    encrypted = set()
    for line in client.stderr:
        if met := re.search("Encryption handshake with <Peer (.*)> complete", line):
            encrypted.add(met[1])
        if met := re.search("<Peer (.*)> sent handshake", line):
            address, port = met[1].rsplit(":", 1)
            tell(address.strip("[]"), port, "tcp", "rc4" if met[1] in encrypted else "none", None)
    print(json.dumps({"type": "summary"}), flush=True)
    os._exit(0)


def libtorrent():
    import libtorrent

    session = libtorrent.session({
        "listen_interfaces": f"{v4}:6881,[{v6}]:6881",
        "enable_dht": False, "enable_lsd": False, "enable_natpmp": False, "enable_upnp": False,
        "enable_outgoing_utp": name == "libtorrent", "enable_incoming_utp": name == "libtorrent",
        "out_enc_policy": int(libtorrent.enc_policy.pe_enabled), "in_enc_policy": int(libtorrent.enc_policy.pe_enabled),
        "connection_speed": 2000, "connections_limit": 20000, "half_open_limit": 20000, "torrent_connect_boost": 255,
        # The best of those tried: 2, 3, 7 and 15 s; 0.7, 1 and 3 s; 1 and 2.
        "peer_connect_timeout": 3, "utp_connect_timeout": 1000, "utp_syn_resends": 1, "min_reconnect_time": 1, "smooth_connects": False,
        "allow_multiple_connections_per_ip": True, "allow_multiple_connections_per_pid": True, "close_redundant_connections": False,
        "alert_mask": libtorrent.alert.category_t.peer_notification | libtorrent.alert.category_t.connect_notification,
    })
    what = libtorrent.add_torrent_params()
    what.ti = libtorrent.torrent_info(torrent)
    what.save_path = folder
    what.flags &= ~(libtorrent.torrent_flags.auto_managed | libtorrent.torrent_flags.paused)
    time.sleep(0.2)
    begin()
    handle = session.add_torrent(what)
    kind = libtorrent.peer_info
    # It has no name in the binding, and is the bit after this one.
    utp_socket = int(kind.i2p_socket) << 1

    def look():
        for alert in session.pop_alerts():
            # One that it lets go because it knows the client already has shaken hands.
            if isinstance(alert, libtorrent.peer_disconnected_alert) and "duplicate peer" in alert.message():
                yield *alert.endpoint, None, None, None
        for peer in handle.get_peer_info():
            if not peer.flags & (kind.connecting | kind.handshake):
                encryption = "rc4" if peer.flags & kind.rc4_encrypted else "header" if peer.flags & kind.plaintext_encrypted else "none"
                over = "utp" if peer.flags & utp_socket else "tcp"
                yield *peer.ip, over, encryption, "seed" if peer.flags & kind.seed else "leech"
    return look


threading.Thread(target=end, daemon=True).start()
look = {"aria2": aria2, "rqbit": rqbit, "demagnetize": demagnetize}.get(name, libtorrent)()
while True:
    try:
        for peer in look():
            tell(*peer)
    except OSError:
        # rqbit has no answer while it begins.
        pass
    time.sleep(0.05)
