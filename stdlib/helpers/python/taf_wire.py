"""The pipes to the task: frames on the file descriptors 3 (in) and 4 (out), and the place of work in the file 5."""

import itertools
import json
import mmap
import os
import struct

_IN, _OUT, _PLACE = 3, 4, 5
_HEAD = struct.Struct("<BI")
_CHUNK = struct.Struct("<IIIB")
_BLOCK = ord("B")
_DESCRIBED = struct.Struct("<IIB")
FRAME = 1 << 20

# Two numbers that outlive this process: the block (or the key), and the record of the block.
place = memoryview(mmap.mmap(_PLACE, 16)).cast("Q")


def forked():
    """Part a copy of this process that the user's code made from the task: one of both may answer, and only once."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, _IN)
    os.dup2(nowhere, _OUT)
    os.close(nowhere)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forked)


def _exactly(size):
    data = os.read(_IN, min(size, 4 * FRAME))
    if len(data) == size:
        return data
    parts = [data]
    left = size - len(data)
    while left:
        data = os.read(_IN, min(left, 4 * FRAME))
        if not data:
            os._exit(0)  # the task is gone
        parts.append(data)
        left -= len(data)
    return b"".join(parts)


def read():
    """The next frame: its type and its payload; of a block what stands before the records, and the records."""
    kind, size = _HEAD.unpack(_exactly(_HEAD.size))
    if kind == _BLOCK:
        # Read apart, so that taking the block apart copies each record once.
        return "B", (_exactly(_DESCRIBED.size), _exactly(size - _DESCRIBED.size))
    return chr(kind), _exactly(size) if size else b""


def send(kind, payload):
    """Send a frame; a payload that is no bytes is sent as JSON."""
    if not isinstance(payload, bytes):
        payload = json.dumps(payload).encode()
    data = memoryview(_HEAD.pack(ord(kind), len(payload)) + payload)
    while data:
        data = data[os.write(_OUT, data):]


def ack(number, asked=False):
    """Tell that a block or a frame of pairs is done, and whether values of records were asked for."""
    send("A", struct.pack("<I?", number, asked))


def send_lines(data):
    """Send lines in frames of about a megabyte."""
    while len(data) > FRAME:
        end = data.rfind(b"\n", 0, FRAME) + 1 or data.index(b"\n", FRAME) + 1
        send("P", data[:end])
        data = data[end:]
    if data:
        send("P", data)


def block(payload):
    """Take a block apart: its number, whether records are key TAB value, whether a number has 19 digits or more, the records, and their
    values for marshal, None where there is none."""
    described, data = payload
    number, count, flags = _DESCRIBED.unpack(described)
    values = itertools.repeat(None)
    if flags & 8:
        data, values = _apart(data, count)
    if flags & 1:
        records = data.split(b"\n")
        records.pop()  # behind the last newline
        return number, bool(flags & 2), bool(flags & 4), records, values
    sizes = struct.unpack_from("<%dI" % count, data)
    at = 4 * count
    records = []
    for size in sizes:
        records.append(data[at:at + size])
        at += size + 1
    return number, bool(flags & 2), bool(flags & 4), records, values


def _apart(data, count):
    """Part the records of a block from their values, whose sizes stand before the records."""
    sizes = struct.unpack_from("<%dI" % count, data)
    whole = memoryview(data)
    at = end = len(data) - sum(sizes)
    values = []
    for size in sizes:
        values.append(whole[at:at + size] if size else None)
        at += size
    return data[4 * count:end], values


def chunks():
    """All values of all keys, in pieces: (first of its key, last of its key, key, values separated by commas)."""
    while True:
        kind, payload = read()
        if kind == "Z":
            return
        (number,) = struct.unpack_from("<I", payload)
        at = 4
        while at < len(payload):
            key_size, _, size, flags = _CHUNK.unpack_from(payload, at)
            at += _CHUNK.size
            values = at + key_size
            yield flags & 1, flags & 2, payload[at:values], payload[values:values + size]
            at = values + size
        ack(number)
