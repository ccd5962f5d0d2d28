// bittorrent-tracker 11 until stdin ends: PORT [dual-stack]. On loopback, IPv4 over HTTP and UDP with IPv6 over UDP in one
// server, IPv6 over HTTP in another: one server has one HTTP address. Dual-stack, HTTP at all addresses of both families.
import Server from 'bittorrent-tracker/server'

const [port, mode] = [Number(process.argv[2]), process.argv[3]]
const options = { ws: false, interval: 60000, stats: false, http: true }
const servers = mode === 'dual-stack'
  ? [[{ udp: false }, { http: '::' }]]
  : [[{ udp: true }, { http: '127.0.0.1', udp: '127.0.0.1', udp6: '::1' }], [{ udp: false }, { http: '::1' }]]
for (const [transports, addresses] of servers) {
  const server = new Server({ ...options, ...transports })
  server.on('error', error => { console.error(error); process.exit(1) })
  server.on('warning', warning => console.error(warning.message))
  server.listen(port, addresses)
}
process.stdin.on('end', () => process.exit()).resume()
