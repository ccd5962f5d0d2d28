// Seeds a torrent with WebTorrent until stdin ends. For each line of it, says how many connections there are.
import WebTorrent from "webtorrent"

const [port, folder, ...torrents] = process.argv.slice(2)
const client = new WebTorrent({ torrentPort: Number(port), dht: false, lsd: false, tracker: false, utPex: false, natUpnp: false, natPmp: false })
client.on("error", error => { throw error })
for (const torrent of torrents) client.add(torrent, { path: folder })
// A peer whose stream is gone may stay in the list that `numPeers` counts.
const connections = torrent => Object.values(torrent._peers).filter(peer => peer.conn && !peer.conn.destroyed).length
process.stdin.on("data", () => console.log(client.torrents.reduce((all, torrent) => all + connections(torrent), 0)))
process.stdin.on("end", () => process.exit())
