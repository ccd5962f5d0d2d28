// bittorrent-tracker 11 on loopback until stdin ends: PORT. IPv4 over HTTP and UDP with IPv6 over UDP in one server,
// IPv6 over HTTP in another: one server has one HTTP address.
import Server from 'bittorrent-tracker/server'

const port = Number(process.argv[2])
const options = { ws: false, interval: 60000, stats: false }
const both = new Server({ ...options, http: true, udp: true })
both.listen(port, { http: '127.0.0.1', udp: '127.0.0.1', udp6: '::1' })
const v6 = new Server({ ...options, http: true, udp: false })
v6.listen(port, { http: '::1' })
for (const server of [both, v6]) {
  server.on('error', error => { console.error(error); process.exit(1) })
  server.on('warning', warning => console.error(warning.message))
}
process.stdin.on('end', () => process.exit()).resume()
