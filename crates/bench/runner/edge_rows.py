"""What is measured at the edge, in the order of the table."""

import signal
import subprocess
from dataclasses import dataclass, field
from typing import Callable

import edge_load
import profiles
from edge_load import Found, Load, Result
from edge_objects import COLD_LIST, LIST, SMALL, Objects, parts, popular
from edge_servers import Cache
from server import Failure

PROTOCOLS = {"http": "http, HTTP/1.1", "https": "https, HTTP/1.1", "h2": "https, HTTP/2"}
CROWD = 1_000


@dataclass
class Row:
    """A line of the table for each protocol and server."""

    name: str
    title: str
    # (cache, protocol, seconds) → what was found; the caller watches the cache meanwhile.
    work: Callable[[Cache, str, int], Found]
    protocols: tuple[str, ...] = tuple(PROTOCOLS)
    # Cold rows are about what nobody has asked for before.
    cold: bool = False
    # The cache has to be emptied for each round.
    emptied: bool = False


@dataclass
class Lists:
    """What is asked for in each row."""

    objects: Objects
    crowds: int = 0
    small: list = field(init=False)
    mix: list = field(init=False)
    parts: list = field(init=False)

    def __post_init__(self) -> None:
        common, videos = self.objects.common, self.objects.videos
        self.small = [(one, "") for one in popular([one for one in common if one.size < SMALL], LIST)]
        self.mix = [(one, "") for one in popular(common, LIST)]
        self.large = [(videos[0], "")]
        self.parts = parts(videos, LIST)
        self.cold = popular(common, COLD_LIST)

    def rows(self) -> list[Row]:
        return [
            Row("cold", f"cold mix: {COLD_LIST:,} requests to an empty cache, 64 at once", self._cold, cold=True,
                emptied=True),
            Row("crowd", f"{CROWD:,} clients, one cold object of 2 MB", self._crowd, cold=True),
            Row("small", "small: below 40 KB, 64 connections", self._steady("small", 64, 4)),
            Row("mix", "mix: 4 KB to 2 MB, 64 connections", self._steady("mix", 64, 4)),
            Row("large", "large: 20 MB, 8 connections", self._steady("large", 8, 1)),
            Row("seek", "seek: 1 MB anywhere in ten videos, 8 connections", self._steady("parts", 8, 1),
                protocols=("http", "https")),
        ]

    def _steady(self, name: str, clients: int, streams: int) -> Callable[[Cache, str, int], Found]:
        def work(cache: Cache, protocol: str, seconds: int) -> Found:
            load = Load(protocol, clients, streams if protocol == "h2" else 1)
            return edge_load.steady(cache, load, getattr(self, name), seconds)

        return work

    def _cold(self, cache: Cache, protocol: str, _seconds: int) -> Found:
        return edge_load.once(cache, Load(protocol, 64), self.cold)

    def next_crowd(self) -> None:
        """The next crowd comes for something else."""
        self.crowds += 1
        if self.crowds >= len(self.objects.crowds):
            raise Failure(f"too many rounds: there are {len(self.objects.crowds)} objects for crowds, one for each")

    def _crowd(self, cache: Cache, protocol: str, _seconds: int) -> Found:
        return edge_load.crowd(cache, Load(protocol, CROWD), self.objects.crowds[self.crowds])


def named(rows: list[Row], names: str | None) -> list[Row]:
    """The rows of a list such as `small,mix`; all without one."""
    wanted = names.split(",") if names else [row.name for row in rows]
    unknown = set(wanted) - {row.name for row in rows}
    if unknown:
        raise Failure(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(row.name for row in rows)}")
    return [row for row in rows if row.name in wanted]


def rounds(lists: Lists, row: Row, protocol: str, caches: list[Cache], options) -> dict[str, list[Result]]:
    """Server → rounds. The caches take turns, and take turns at being first."""
    found: dict[str, list[Result]] = {cache.name: [] for cache in caches}
    for cache in caches:
        # None inherits another row's memory.
        cache.stop()
        cache.start()
        if not row.cold:
            row.work(cache, protocol, 1)
    for number in range(options.rounds):
        for cache in caches if number % 2 == 0 else reversed(caches):
            if row.emptied:
                cache.empty()
            work = lambda: row.work(cache, protocol, options.seconds)
            if options.perf:
                work = watched(cache, work)
            found[cache.name].append(edge_load.measure(cache, work))
        if row.name == "crowd":
            lists.next_crowd()
    return found


def watched(cache: Cache, work: Callable[[], Found]) -> Callable[[], Found]:
    """The same, and afterwards it is printed where the time of the cache went."""

    def watching() -> Found:
        data = cache.folder / "perf.data"
        pids = ",".join(map(str, cache.pids()))
        command = ["perf", "record", "--quiet", *profiles.EVENT, "--output", data, "--pid", pids]
        perf = subprocess.Popen(command)
        try:
            return work()
        finally:
            perf.send_signal(signal.SIGINT)
            perf.wait()
            print(f"\n= {cache.name}")
            profiles.show(data)

    return watching
