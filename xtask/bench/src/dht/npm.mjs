// Lookups of npm's bittorrent-dht: see side.rs for the lines.
import DHT from 'bittorrent-dht'
import readline from 'readline'

let node = null
let at = null
const lines = readline.createInterface({ input: process.stdin })
lines.on('close', () => process.exit())
lines.on('line', line => {
  const [port, target, ...nodes] = line.split(' ')
  const lookUp = () => node.lookup(target, () => console.log('done'))
  if (at === port) return lookUp()
  if (node) node.destroy()
  at = port
  node = new DHT({ bootstrap: nodes.map(word => word.split('/')[0]) })
  node.on('error', error => console.error(error))
  node.listen(Number(port), lookUp)
})
console.log('ready')
