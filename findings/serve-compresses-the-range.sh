#!/bin/sh
# serve 14.2.7 (npm) compresses a byte range: 206, with the Content-Range of the plain file and a body of other bytes.
# RFC 9110, 8.1 and 14.1.2: positions count bytes of the representation as it is encoded, so they should be those of the bytes
# that are sent. Needs node, npm and curl. Exits with 0 while it is so.
set -eu

folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT

cd "$folder"
npm install --silent --no-fund --no-audit --no-save serve@14.2.7 >npm.log 2>&1 || { cat npm.log; exit 2; }
node -p '"serve " + require("./node_modules/serve/package.json").version'
mkdir files
node -e 'process.stdout.write("0123456789abcdef".repeat(256))' >files/file.txt

port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
node node_modules/serve/build/main.js --no-clipboard --listen "tcp://127.0.0.1:$port" files >serve.log 2>&1 &
server=$!
ask() {
    curl --silent --retry 20 --retry-connrefused --retry-delay 1 --max-time 10 \
        --range 1024-3071 "$@" "http://127.0.0.1:$port/file.txt"
}

ask --dump-header plain.head --output plain.body
ask --header 'Accept-Encoding: gzip' --dump-header gzip.head --output gzip.body
for kind in plain gzip; do
    echo "--- $kind: 2,048 bytes asked for, $(wc -c <$kind.body) came"
    grep -i -E '^(HTTP|content-range|content-encoding|content-length|transfer-encoding)' $kind.head
done

# The plain part is as it should be, and the other one is that part, compressed, under the same Content-Range.
head -n 1 plain.head | grep -q ' 206 '
head -n 1 gzip.head | grep -q ' 206 '
[ "$(wc -c <plain.body)" -eq 2048 ]
[ "$(wc -c <gzip.body)" -lt 2048 ]
grep -q -i '^content-encoding: gzip' gzip.head
grep -q -i '^content-range: bytes 1024-3071/4096' gzip.head
gzip -dc <gzip.body | cmp - plain.body
echo "as described: the range was taken from the plain file and compressed afterwards"
