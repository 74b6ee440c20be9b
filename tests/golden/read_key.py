#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a key file as docs/key.md describes it, without snnsim: read_key.py FILE [PASSPHRASE] prints it as JSON.

A key in clear needs Python's standard library alone; a sealed one calls libsodium for Argon2id and XChaCha20-Poly1305. What this prints is
compared with `snnsim key show --positions --json` (tests/cli/key.bats). (A passphrase on a command line is for tests only.)
"""

import ctypes
import ctypes.util
import hashlib
import json
import struct
import sys

LINE = b"snnsim key: tells which bits of a model are encrypted (secret).\n"
ENCODING = ["sign_magnitude", "twos_complement", "offset_binary"]


def unseal(data, passphrase, passes, memory):
    sodium = ctypes.CDLL(ctypes.util.find_library("sodium"))
    key, out = ctypes.create_string_buffer(32), ctypes.create_string_buffer(len(data) - 144 - 16)
    salt, nonce, head, body = data[96:112], data[112:136], data[:144], data[144:]
    argon2id = 2
    assert sodium.crypto_pwhash(key, ctypes.c_ulonglong(32), passphrase, ctypes.c_ulonglong(len(passphrase)), salt,
                                ctypes.c_ulonglong(passes), ctypes.c_size_t(memory), argon2id) == 0
    opened = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(out, None, None, body, ctypes.c_ulonglong(len(body)), head,
                                                               ctypes.c_ulonglong(len(head)), nonce, key)
    assert opened == 0, "wrong passphrase, or changed"
    return out.raw


def read(data, passphrase=None):
    assert data[:64] == LINE
    version, form, _, zero, passes, memory = struct.unpack_from("<IIIIQQ", data, 64)
    size, = struct.unpack_from("<Q", data, 136)
    assert version == 2 and zero == 0 and size % 4096 == 0
    if form == 0:
        assert hashlib.blake2b(data[:144 + size], digest_size=32).digest() == data[144 + size:]
        payload = data[144:144 + size]
    else:
        assert len(data) == 144 + size + 16
        payload = unseal(data, passphrase, passes, memory)
    assert payload[:8] == b"xor\0\0\0\0\0"
    seed, plain, encrypted = struct.unpack_from("<Q32s32s", payload, 8)
    tensors, zero, bits = struct.unpack_from("<IIQ", payload, 80)
    network, gone, versions, zero = struct.unpack_from("<32sQII", payload, 96)
    assert zero == 0
    layers, addresses, at = [], [], 144
    for _ in range(tensors):
        name, encoding, width, weights, keyed, zero = struct.unpack_from("<32sIIQQQ", payload, at)
        layers.append({"name": name.rstrip(b"\0").decode(), "encoding": ENCODING[encoding], "bits": width, "weights": weights,
                       "keyed": keyed})
        at += 64
    for _ in range(bits + gone):
        tensor, bit, index = struct.unpack_from("<IIQ", payload, at)
        addresses.append({"layer": layers[tensor]["name"], "index": index, "bit": bit})
        at += 16
    assert not any(payload[at:])
    return {"scheme": "xor", "bits": bits, "layers": layers, "plain": plain.hex(), "encrypted": encrypted.hex(),
            "network": network.hex(), "earlier_keys": versions, "retired_bits": gone, "seed": str(seed), "positions": addresses[:bits],
            "retired": addresses[bits:]}


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        print(json.dumps(read(file.read(), sys.argv[2].encode() if len(sys.argv) > 2 else None)))
