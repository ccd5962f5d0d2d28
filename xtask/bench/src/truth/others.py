"""A download with aria2 or rqbit as a server, and what its interface says of its peers, in lines of JSON. It ends with its stdin."""

import base64
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request

name, program, torrent, folder, v4, v6 = sys.argv[1:]
known = {}


def ask(url, data=None):
    with urllib.request.urlopen(url, data) as answer:
        return json.load(answer)


def tell(address, port, role):
    address = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    if known.get(address, 0) != role:
        known[address] = role
        line = {"type": "peer", "address": address, "outcome": "ok", "transport": "tcp", "role": role}
        print(json.dumps(line), flush=True)


def aria2(method, *arguments):
    question = {"jsonrpc": "2.0", "id": 1, "method": "aria2." + method, "params": arguments}
    return ask("http://127.0.0.1:6800/jsonrpc", json.dumps(question).encode())["result"]


def start(arguments, is_ready):
    server = subprocess.Popen([program] + arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end():
        sys.stdin.read()
        server.kill()
        os._exit(0)

    threading.Thread(target=end, daemon=True).start()
    while True:
        try:
            is_ready()
            break
        except OSError:
            time.sleep(0.05)
    print(json.dumps({"type": "start"}), flush=True)


content = open(torrent, "rb").read()
if name == "aria2":
    start(["--no-conf", "--quiet", "--enable-rpc", "--rpc-listen-port=6800", "--enable-dht=false", "--enable-dht6=false",
           "--bt-enable-lpd=false", "--bt-max-peers=0", "--bt-request-peer-speed-limit=1G", "--dir=" + folder,
           "--file-allocation=none", "--listen-port=6881"], lambda: aria2("getVersion"))
    number = aria2("addTorrent", base64.b64encode(content).decode())
    while True:
        for peer in aria2("getPeers", number):
            tell(peer["ip"], peer["port"], "seed" if peer["seeder"] == "true" else "leech")
        time.sleep(0.05)
else:
    start(["--disable-dht", "--disable-lsd", "--disable-upnp-port-forward", "--http-api-listen-addr", "127.0.0.1:3030", "server",
           "start", folder], lambda: ask("http://127.0.0.1:3030/torrents"))
    number = ask("http://127.0.0.1:3030/torrents?overwrite=true", content)["id"]
    while True:
        for address, peer in ask(f"http://127.0.0.1:3030/torrents/{number}/peer_stats?state=all")["peers"].items():
            if peer["state"] == "live" or peer["counters"]["connections"]:
                tell(*address.rsplit(":", 1), None)
        time.sleep(0.05)
