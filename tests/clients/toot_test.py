"""The command line client toot against the real program."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support import URL, WORLD, Browser, eventually, person, picture

TOOT = Path(sys.executable).with_name("toot")


class Toot:
    """One person's toot, with a configuration folder of its own."""

    def __init__(self, name):
        self.name = name
        self.env = os.environ | {"XDG_CONFIG_HOME": str(Path(WORLD["folder"]) / f"toot-{name}"), "NO_COLOR": "1"}

    def start(self, *arguments):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen([TOOT, *arguments], env=self.env, text=True, **pipes)

    def __call__(self, *arguments):
        process = self.start(*arguments)
        out, _ = process.communicate("", timeout=60)
        assert process.returncode == 0, out
        return out

    def json(self, *arguments):
        out = self(*arguments, "--json")
        # Uploads are announced in words before the JSON.
        return json.loads(out[re.search(r"^[\[{]", out, re.MULTILINE).start() :])

    def log_in(self):
        """What a person does: toot prints an address, the browser shows a code, toot is given it."""
        process = self.start("login", "--instance", URL)
        address = None
        while line := process.stdout.readline():
            if line.startswith("http"):
                address = line.strip()
                break
        assert address, "toot printed no address"
        who = person(self.name)
        code = Browser().open(address).sign_in(who["email"], who["password"]).allow().shown_code()
        out, _ = process.communicate(f"n\n{code}\n", timeout=60)
        assert process.returncode == 0, out


@pytest.fixture(scope="module")
def alice():
    toot = Toot("alice")
    toot.log_in()
    return toot


@pytest.fixture(scope="module")
def bob():
    toot = Toot("bob")
    toot.log_in()
    return toot


@pytest.fixture(scope="module")
def photo(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "slope.jpg"
    path.write_bytes(picture())
    return str(path)


def test_who_am_i(alice):
    assert f"alice@{WORLD['domain']}" in alice("auth")
    assert "alice" in alice("whoami")
    assert alice.json("instance")["domain" if "domain" in alice.json("instance") else "uri"] == WORLD["domain"]


def test_post_read_and_delete(alice, bob):
    status = alice.json("post", "A toot from toot #toot", "--spoiler-text", "careful", "--language", "en")
    assert status["spoiler_text"] == "careful"
    assert "A toot from toot" in bob("status", status["id"])
    assert status["id"] in [s["id"] for s in bob.json("timelines", "public", "--local")]
    assert status["id"] in [s["id"] for s in bob.json("timelines", "tag", "toot")]
    alice("delete", status["id"])
    assert status["id"] not in [s["id"] for s in bob.json("timelines", "public", "--local")]


def test_upload_and_post_with_picture(alice, photo):
    uploaded = alice.json("upload", photo, "--description", "A slope")
    assert uploaded["type"] == "image" and uploaded["description"] == "A slope"
    status = alice.json("post", "with a picture", "--media", photo, "--description", "Another slope")
    (media,) = status["media_attachments"]
    assert media["description"] == "Another slope" and media["url"].startswith("http")


def test_follow_home_thread_and_reactions(alice, bob):
    bob("follow", "alice")
    assert "alice" in bob("following", "bob")
    status = alice.json("post", "for my followers", "--visibility", "private")
    assert status["id"] in [s["id"] for s in bob.json("timelines", "home")]
    bob("favourite", status["id"])
    bob("bookmark", status["id"])
    assert "for my followers" in bob("bookmarks")
    reply = bob.json("post", "@alice heard", "--reply-to", status["id"])
    thread = alice("thread", status["id"])
    assert "for my followers" in thread and "heard" in thread
    public = alice.json("post", "boost me")
    bob("reblog", public["id"])
    assert "bob" in alice("reblogged-by", public["id"])
    eventually(lambda: {n["type"] for n in alice.json("notifications")} >= {"mention", "reblog", "favourite", "follow"})
    assert reply["in_reply_to_id"] == status["id"]


def test_search(alice, bob):
    status = alice.json("post", "夕方は京都で友達に会う")
    found = alice.json("search", "京都")
    assert status["id"] in [s["id"] for s in found["statuses"]]
    assert "alice" in bob("search", "alice")


def test_mute_and_block(alice, bob):
    bob("mute", "alice")
    assert "alice" in bob("muted")
    bob("unmute", "alice")
    bob("block", "alice")
    assert "alice" in bob("blocked")
    bob("unblock", "alice")


def test_profile(alice, photo):
    alice("update-account", "--display-name", "Alice of toot", "--avatar", photo, "--note", "Hello")
    out = alice("whois", "alice")
    assert "Alice of toot" in out and "Hello" in out


def test_a_bad_id_is_an_error_not_a_crash(alice):
    process = alice.start("status", "999")
    out, _ = process.communicate("", timeout=60)
    assert process.returncode != 0 and re.search("not found", out, re.IGNORECASE)
