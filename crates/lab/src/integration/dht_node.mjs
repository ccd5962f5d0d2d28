// A node of the DHT by bittorrent-dht, which announces torrents at its own address, until stdin ends: ADDRESS NODES HASH..
import DHT from 'bittorrent-dht'

const [address, nodes, ...hashes] = process.argv.slice(2)
const [host, port] = address.split(':')
const dht = new DHT({ bootstrap: nodes.split(',') })
const announce = (hash) => dht.announce(hash, Number(port), (error) => {
  // Other nodes may not be up yet, and later come others that are closer.
  setTimeout(announce, error ? 1000 : 60000, hash)
})
dht.on('ready', () => hashes.forEach(announce))
dht.on('error', (error) => console.log(error.message))
dht.listen(Number(port), host)
process.stdin.resume()
process.stdin.on('end', () => process.exit())
