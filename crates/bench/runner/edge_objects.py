"""What the edge serves in its benchmark: objects as a server's media are, lists of what is asked for, a certificate."""

import hashlib
import itertools
import json
import math
import random
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from server import Failure
from sites import note

SEED = 20_000
KILO, MEGABYTE = 1_000, 1_000_000
OBJECTS = 2_000
# How many of a hundred are between how many bytes: avatars and previews, pictures, big pictures and short videos.
SIZES = [(60, 4 * KILO, 40 * KILO), (30, 40 * KILO, 400 * KILO), (10, 400 * KILO, 2 * MEGABYTE)]
SMALL = 40 * KILO
VIDEOS = [size * MEGABYTE for size in (20, 22, 25, 28, 32, 36, 42, 50, 60, 200)]
# Objects of 2 MB that nobody has asked for yet: one for each crowd.
CROWDS = 36
LIST = 20_000
COLD_LIST = 4_000
PART = MEGABYTE
# Changes when what is made here does.
EDITION = 2


@dataclass
class Object:
    path: str
    size: int
    digest: str


class Objects:
    """The files, in the order of their popularity, and where their origin finds them."""

    def __init__(self, base: Path):
        self.folder = base / f"objects-{EDITION}"
        facts = self.folder / "facts.json"
        if not facts.exists():
            note(f"making {OBJECTS} objects and {len(VIDEOS)} videos: kept in {self.folder}")
            make(self.folder)
        found = [Object(**one) for one in json.loads(facts.read_text())]
        self.common = [one for one in found if one.path.startswith("/o/")]
        self.videos = [one for one in found if one.path.startswith("/v/")]
        self.crowds = [one for one in found if one.path.startswith("/c/")]

    @property
    def files(self) -> Path:
        return self.folder / "files"

    def warm(self) -> list[Object]:
        return self.common + self.videos


def _sizes(chance: random.Random) -> list[int]:
    """Sizes spread evenly over their logarithms."""
    sizes = []
    for share, least, most in SIZES:
        spread = (math.exp(chance.uniform(math.log(least), math.log(most))) for _ in range(OBJECTS * share // 100))
        sizes += [int(size) for size in spread]
    chance.shuffle(sizes)
    return sizes


def make(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    chance = random.Random(SEED)
    wanted = [(f"/o/{place:04}.jpg", size) for place, size in enumerate(_sizes(chance))]
    wanted += [(f"/v/{place:02}.mp4", size) for place, size in enumerate(VIDEOS)]
    wanted += [(f"/c/{place:02}.jpg", 2 * MEGABYTE) for place in range(CROWDS)]
    made = []
    for path, size in wanted:
        file = folder / "files" / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with file.open("wb") as out:
            for start in range(0, size, 4 * MEGABYTE):
                piece = chance.randbytes(min(4 * MEGABYTE, size - start))
                digest.update(piece)
                out.write(piece)
        made.append({"path": path, "size": size, "digest": digest.hexdigest()})
    (folder / "facts.json").write_text(json.dumps(made))


def popular(objects: list[Object], length: int) -> list[Object]:
    """A list in which the object at place n comes up 1/n times as often as the first one (Zipf's law)."""
    weights = list(itertools.accumulate(1 / (place + 1) for place in range(len(objects))))
    return random.Random(SEED + 1).choices(objects, cum_weights=weights, k=length)


def parts(videos: list[Object], length: int) -> list[tuple[Object, str]]:
    """A part of PART bytes at any place of any video, as players ask for it after a jump."""
    chance = random.Random(SEED + 2)
    wanted = []
    for video in chance.choices(videos, k=length):
        start = chance.randrange(video.size - PART)
        wanted.append((video, f"bytes={start}-{start + PART - 1}"))
    return wanted


def certificate(folder: Path) -> tuple[Path, Path]:
    """One that signs itself, for localhost: the chain and its key."""
    chain, key = folder / "chain.pem", folder / "key.pem"
    if not chain.exists():
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                   "3650", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                   "-keyout", key, "-out", chain]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"openssl cannot make a certificate: {done.stderr.strip()}")
    return chain, key
