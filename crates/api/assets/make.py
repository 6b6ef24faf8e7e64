#!/usr/bin/env python3
"""Draws avatar.png and header.png: what people without a picture of their own show. Standard library only."""

import math
import struct
import zlib
from pathlib import Path

NIGHT, INDIGO, PAPER = (38, 50, 84), (62, 84, 136), (226, 231, 242)


def mix(a, b, t):
    t = min(1.0, max(0.0, t))
    return tuple(x + (y - x) * t for x, y in zip(a, b))


def edge(distance):
    """How much of a pixel lies inside, `distance` pixels from the border (negative: inside)."""
    return min(1.0, max(0.0, 0.5 - distance))


def avatar(x, y, size):
    """A head and shoulders before a dyed curtain."""
    scale = size / 400
    colour = mix(INDIGO, NIGHT, y / size)
    head = math.hypot(x - 200 * scale, y - 158 * scale) - 66 * scale
    u, v = (x - 200 * scale) / (122 * scale), (y - 372 * scale) / (124 * scale)
    body = (math.hypot(u, v) - 1) * 122 * scale
    return mix(colour, PAPER, max(edge(head), edge(body)))


def header(x, y, width, height):
    """The curtain alone: long folds, a hem of waves (seigaiha) at the bottom."""
    fold = 0.5 + 0.5 * math.sin(x / width * math.tau * 6 + 0.9 * math.sin(y / height * 2))
    colour = mix(mix(INDIGO, NIGHT, y / height), NIGHT, fold * 0.35)
    radius = 44.0
    for row in range(3):
        centre_y = height + 24 - (2 - row) * radius * 0.5
        shift = radius if row % 2 else 0.0
        centre_x = round((x - shift) / (2 * radius)) * 2 * radius + shift
        distance = math.hypot(x - centre_x, y - centre_y)
        if distance > radius + 1:
            continue
        colour = mix(colour, NIGHT, edge(distance - radius))
        for ring in (radius - 3, radius - 15, radius - 27):
            colour = mix(colour, PAPER, 0.55 * edge(abs(distance - ring) - 1.5))
    return colour


def png(path, width, height, draw):
    rows = bytearray()
    previous = bytes(width * 3)
    for y in range(height):
        row = bytearray()
        for x in range(width):
            row += bytes(round(c) for c in draw(x + 0.5, y + 0.5))
        # Filter 2 (the difference to the row above) packs gradients best.
        rows.append(2)
        rows += bytes((a - b) & 255 for a, b in zip(row, previous))
        previous = bytes(row)

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(rows), 9)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b""))


if __name__ == "__main__":
    here = Path(__file__).parent
    png(here / "avatar.png", 400, 400, lambda x, y: avatar(x, y, 400))
    png(here / "header.png", 1500, 500, lambda x, y: header(x, y, 1500, 500))
