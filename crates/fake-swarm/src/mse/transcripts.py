"""Whole MSE exchanges, reckoned by other means than the crate's: `python3 transcripts.py > transcripts.txt`.

One exchange a line: what is selected, the lengths of PadA, PadB, PadC, PadD and IA, all that the initiator says, and
all that the fake peer at 127.0.1.1 must answer, in hex. IA is the handshake or nothing; with nothing the handshake
follows. Each side then says one message: the initiator have_none, the peer have_all.
"""

import hashlib
import struct

P = int("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
        "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A63A36210000000000090563", 16)
SKEY = b"the torrent's hash.."
PRIVATE_A = bytes(range(1, 21))
PRIVATE_B = hashlib.sha1(b"private" + bytes([127, 0, 1, 1])).digest()


def sha1(*parts):
    return hashlib.sha1(b"".join(parts)).digest()


def rc4(key):
    s, j = list(range(256)), 0
    for i in range(256):
        j = (j + s[i] + key[i % len(key)]) % 256
        s[i], s[j] = s[j], s[i]
    i = j = 0
    while True:
        i = (i + 1) % 256
        j = (j + s[i]) % 256
        s[i], s[j] = s[j], s[i]
        yield s[(s[i] + s[j]) % 256]


def cipher(*key):
    stream = rc4(sha1(*key))
    for _ in range(1024):
        next(stream)
    return lambda data: bytes(byte ^ next(stream) for byte in data)


def key(number):
    return number.to_bytes(96, "big")


def handshake(reserved, peer_id):
    return b"\x13BitTorrent protocol" + reserved + SKEY + peer_id


def exchange(select, pad_a, pad_b, pad_c, pad_d, initial):
    a, b = int.from_bytes(PRIVATE_A, "big"), int.from_bytes(PRIVATE_B, "big")
    ya, yb = pow(2, a, P), pow(2, b, P)
    s = key(pow(ya, b, P))
    assert s == key(pow(yb, a, P))
    encrypt_a, encrypt_b = cipher(b"keyA", s, SKEY), cipher(b"keyB", s, SKEY)
    keep = (lambda data: data)
    hello_a = handshake(bytes(8), b"-XX0000-initiator000")
    hello_b = handshake(bytes([0, 0, 0, 0, 0, 0x10, 0, 5]), b"-qB4520-7f000101fake")
    ia = hello_a if initial else b""

    mark = bytes(x ^ y for x, y in zip(sha1(b"req2", SKEY), sha1(b"req3", s)))
    offer = bytes(8) + struct.pack(">IH", 3 if select == 1 else 2, pad_c) + bytes(pad_c) + struct.pack(">H", len(ia))
    said_a = key(ya) + b"\xaa" * pad_a + sha1(b"req1", s) + mark + encrypt_a(offer) + encrypt_a(ia)
    payload_a = encrypt_a if select == 2 else keep
    said_a += payload_a((b"" if initial else hello_a) + b"\0\0\0\x01\x0f")

    said_b = key(yb) + cipher(b"pad", PRIVATE_B)(bytes(pad_b))
    said_b += encrypt_b(bytes(8) + struct.pack(">IH", select, pad_d) + bytes(pad_d))
    payload_b = encrypt_b if select == 2 else keep
    said_b += payload_b(hello_b + b"\0\0\0\x01\x0e")
    return said_a, said_b


for select, *pads, initial in [
    (2, 0, 0, 0, 0, True),
    (2, 512, 512, 512, 512, True),
    (2, 1, 300, 0, 265, False),
    (1, 0, 0, 0, 0, True),
    (1, 100, 512, 17, 3, False),
]:
    said_a, said_b = exchange(select, *pads, initial)
    print(select, *pads, 68 if initial else 0, said_a.hex(), said_b.hex())
