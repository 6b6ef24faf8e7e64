"""What is measured, in the order of the table."""

import json
from dataclasses import dataclass
from typing import Callable

from load import Request
from server import Failure, Server
from sites import Site

Facts = dict


@dataclass
class Row:
    """A line of the table: what is asked, and what GoToSocial took for the same."""

    name: str
    title: str
    request: Callable[[Site], Request]
    # Requests per second and CPU seconds per 1000 of the peer; None when it has nothing like it.
    peer: tuple[float, float] | None = None
    # CPU seconds per 1000 that are wanted.
    goal: float | None = None


def _home(site: Site) -> Request:
    facts = site.facts
    path = f"/api/v1/timelines/home?limit=20&max_id={facts['home_max_id']}"
    return Request(path, facts["reader_token"])


def _status(site: Site) -> Request:
    return Request(f"/api/v1/statuses/{site.facts['status_id']}", site.facts["reader_token"])


def _post(clients: int) -> Callable[[Site], Request]:
    return lambda site: Request("/api/v1/statuses", site.facts["author_token"], "post.lua", clients=clients)


def _upload(clients: int) -> Callable[[Site], Request]:
    def request(site: Site) -> Request:
        files = tuple(str(site.samples / name) for name in site.facts["samples"])
        token = site.facts["author_token"]
        return Request("/api/v2/media", token, "upload.lua", files, clients=clients, uploads=True)

    return request


ROWS = [
    Row("instance", "GET /api/v1/instance", lambda _: Request("/api/v1/instance"), (26442, 0.062)),
    Row("instance2", "GET /api/v2/instance", lambda _: Request("/api/v2/instance")),
    Row("home", "GET home timeline, limit 20, max_id after 1100 newer", _home, (1020, 1.90), 0.38),
    Row("status", "GET one status, signed in", _status, (13736, 0.123), 0.061),
    Row("page", "public profile page, HTML", lambda site: Request(site.facts["public_page"]), (16, 41)),
    Row("media", "GET stored media, 204 KB", lambda site: Request(site.facts["media_path"]), (7935, 0.18)),
    Row("post1", "POST status, one client", _post(1), (41, 46), 1.2),
    Row("post8", "POST status, eight clients", _post(8), (30, 65), 1.2),
    Row("upload1", "upload of a 1600x1200 JPEG, 393 KB, one client", _upload(1), (9.8, 108), 54),
    Row("upload4", "the same, four clients", _upload(4), (18.3, 108), 54),
]


def named(names: str | None) -> list[Row]:
    """The rows of a list such as `home,status`; all without one."""
    if not names:
        return ROWS
    wanted = names.split(",")
    unknown = set(wanted) - {row.name for row in ROWS}
    if unknown:
        raise Failure(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(row.name for row in ROWS)}")
    return [row for row in ROWS if row.name in wanted]


def check(site: Site, server: Server, rows: list[Row]) -> dict[str, int]:
    """Asks everything that can be read once; the bytes of each answer. What is wrong here would be fast and worthless."""
    sizes = {}
    for row in rows:
        request = row.request(site)
        if request.script == "report.lua":
            body = server.get(request.path, request.token)
            sizes[row.name] = len(body)
            if row.name == "home":
                _check_home(json.loads(body))
            if row.name == "media" and len(body) != site.facts["media_bytes"]:
                raise Failure(f"the stored file has {len(body)} bytes")
    return sizes


def _check_home(entries: list[dict]) -> None:
    pictures = sum(bool((entry["reblog"] or entry)["media_attachments"]) for entry in entries)
    if len(entries) != 20 or pictures != 11:
        raise Failure(f"the home timeline has {len(entries)} entries, {pictures} with a picture: not 20 and 11")
