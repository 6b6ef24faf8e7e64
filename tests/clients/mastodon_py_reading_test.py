"""Mastodon.py against the real program: timelines, search, people, live events, bad input."""

import io
import queue
import threading
import time

import pytest
import requests
from mastodon import StreamListener
from mastodon.errors import MastodonAPIError
from PIL import Image

from support import URL, client, eventually, ids, person, picture

def test_timelines_page_by_link(alice, bob):
    bob.account_follow(alice.me())
    posted = [alice.status_post(f"number {n}", visibility="unlisted").id for n in range(7)]
    newest_first = posted[::-1]
    page = bob.timeline_home(limit=3)
    assert ids(page) == newest_first[:3]
    older = bob.fetch_next(page)
    assert ids(older) == newest_first[3:6]
    assert ids(bob.fetch_previous(older)) == newest_first[:3]
    assert ids(bob.timeline_home(min_id=posted[0], limit=2)) == [posted[2], posted[1]]
    assert ids(bob.timeline_home(since_id=posted[0], limit=2)) == newest_first[:2]
    mine = bob.account_statuses(alice.me(), limit=4)
    assert ids(mine) == newest_first[:4] and ids(bob.fetch_next(mine))[:3] == newest_first[4:]


def test_favourites_page_by_link(alice, bob):
    for n in range(3):
        bob.status_favourite(alice.status_post(f"liked {n}").id)
    page = bob.favourites(limit=2)
    rest = bob.fetch_next(page)
    assert len(page) == 2 and rest and not set(ids(page)) & set(ids(rest))


def test_notifications(alice, bob):
    alice.notifications_clear()
    bob.account_unfollow(alice.me())
    status = alice.status_post("Notice me")
    bob.account_follow(alice.me())
    bob.status_favourite(status.id)
    bob.status_reblog(status.id)
    bob.status_post("@alice noticed", in_reply_to_id=status.id)
    wanted = ["mention", "reblog", "favourite", "follow"]
    seen = eventually(lambda: (n := alice.notifications()) and len(n) == 4 and n)
    assert [n.type for n in seen] == wanted
    assert {n.account.acct for n in seen} == {"bob"}
    assert [n.type for n in alice.notifications(types=["follow"])] == ["follow"]
    assert [n.type for n in alice.notifications(exclude_types=["follow", "mention"])] == ["reblog", "favourite"]
    assert alice.notifications(seen[0].id).type == "mention"
    alice.notifications_dismiss(seen[0].id)
    assert len(alice.notifications()) == 3
    alice.notifications_clear()
    assert not alice.notifications()


def test_search(alice, bob):
    status = alice.status_post("明日は東京タワーに行きます")
    for query in ("東京", "タワー", "東京タワー"):
        found = alice.search(query, result_type="statuses").statuses
        assert status.id in ids(found), query
    assert not alice.search("京都", result_type="statuses").statuses
    assert [a.acct for a in bob.search("alice", result_type="accounts").accounts] == ["alice"]
    assert bob.account_lookup("alice").id == alice.me().id
    alice.status_post("#Searchable")
    assert "searchable" in [tag.name.lower() for tag in bob.search("searchab", result_type="hashtags").hashtags]
    secret = alice.status_post("東京の秘密", visibility="private")
    bob.account_unfollow(alice.me())
    assert secret.id not in ids(bob.search("秘密", result_type="statuses").statuses)


# People


def test_follow_mute_block(alice, bob):
    me = alice.me()
    assert bob.account_follow(me, reblogs=False, notify=True).following
    (relationship,) = bob.account_relationships(me)
    assert relationship.following and not relationship.showing_reblogs and relationship.notifying
    assert "bob" in [a.acct for a in alice.account_followers(me)]
    assert bob.account_mute(me).muting
    status = alice.status_post("unheard")
    assert status.id not in ids(bob.timeline_home())
    assert [a.acct for a in bob.mutes()] == ["alice"]
    assert not bob.account_unmute(me).muting
    assert alice.account_block(bob.me()).blocking
    (relationship,) = bob.account_relationships(me)
    assert not relationship.following and relationship.blocked_by
    with pytest.raises(MastodonAPIError):
        bob.account_follow(me)
    assert [a.acct for a in alice.blocks()] == ["bob"]
    assert not alice.account_unblock(bob.me()).blocking
    assert bob.account_follow(me).following
    assert not bob.account_unfollow(me).following


def test_locked_account_asks_first(alice, bob):
    alice.account_update_credentials(locked=True)
    try:
        bob.account_unfollow(alice.me())
        assert bob.account_follow(alice.me()).requested
    finally:
        bob.account_unfollow(alice.me())
        alice.account_update_credentials(locked=False)


def test_profile_with_avatar(alice):
    avatar = picture(600, 600, "PNG")
    changed = alice.account_update_credentials(
        display_name="Alice 🦊",
        note="I post. https://example.com/",
        avatar=avatar,
        avatar_mime_type="image/png",
        fields=[("Home", "Kyōto"), ("Web", "https://example.com/")],
        default_privacy="unlisted",
    )
    assert changed.display_name == "Alice 🦊" and '<a href="https://example.com/"' in changed.note
    assert [field.name for field in changed.fields] == ["Home", "Web"]
    assert changed.source.privacy == "unlisted" and changed.source.note == "I post. https://example.com/"
    assert alice.status_post("as set").visibility == "unlisted"
    alice.account_update_credentials(default_privacy="public")
    image = Image.open(io.BytesIO(requests.get(changed.avatar, timeout=30).content))
    assert image.size == (400, 400)
    assert alice.preferences()["posting:default:visibility"] == "public"


# Live


class Heard(StreamListener):
    def __init__(self):
        self.events = queue.Queue()

    def on_update(self, status):
        self.events.put(("update", status.id))

    def on_status_update(self, status):
        self.events.put(("edit", status.id))

    def on_delete(self, status_id):
        self.events.put(("delete", status_id))

    def on_notification(self, notification):
        self.events.put(("notification", notification.type))


def test_stream_over_server_sent_events(alice, bob):
    heard = Heard()
    bob.account_follow(alice.me())
    handle = bob.stream_user(heard, run_async=True, timeout=30)
    try:
        eventually(handle.is_alive)
        eventually(handle.is_receiving)
        status = alice.status_post("@bob live")
        assert sorted(heard.events.get(timeout=10) for _ in range(2)) == [("notification", "mention"), ("update", status.id)]
        alice.status_update(status.id, "@bob edited")
        assert heard.events.get(timeout=10) == ("edit", status.id)
        alice.status_delete(status.id)
        assert heard.events.get(timeout=10) == ("delete", status.id)
    finally:
        # It returns when the server next says something, which is up to its heart.
        threading.Thread(target=handle.close, daemon=True).start()
        bob.account_unfollow(alice.me())


# Bad input


def test_bad_requests_have_clear_errors():
    headers = {"Authorization": f"Bearer {person('alice')['token']}"}
    post = lambda path, **body: requests.post(f"{URL}{path}", headers=headers, timeout=30, **body)
    assert post("/api/v1/statuses", data=b"{", **{}).status_code in (400, 422)
    broken = requests.post(
        f"{URL}/api/v1/statuses", headers=headers | {"Content-Type": "application/json"}, data=b"{\"status\": \xff}", timeout=30
    )
    assert broken.status_code in (400, 422) and broken.json()["error"]
    assert post("/api/v1/statuses", json={"status": "x", "media_ids": ["12345"]}).status_code in (404, 422)
    assert post("/api/v1/statuses", json={"status": "x", "visibility": "nowhere"}).status_code == 422
    assert post("/api/v2/media").status_code == 422
    assert requests.get(f"{URL}/api/v1/statuses/not-a-number", headers=headers, timeout=30).status_code == 404
    assert requests.get(f"{URL}/api/v1/nothing", headers=headers, timeout=30).status_code == 404
    nobody = requests.get(f"{URL}/api/v1/timelines/home", timeout=30)
    assert nobody.status_code in (401, 422) and nobody.json()["error"]


def test_a_burst_of_posts_from_many_threads(alice):
    answers = queue.Queue()

    def post(n):
        answers.put(client("alice").status_post(f"burst {n}", visibility="unlisted").id)

    threads = [threading.Thread(target=post, args=(n,)) for n in range(16)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    posted = {answers.get_nowait() for _ in threads}
    assert len(posted) == 16 and time.monotonic() - started < 20
    assert posted <= set(ids(alice.account_statuses(alice.me(), limit=40)))
