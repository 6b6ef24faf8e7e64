"""Mastodon.py against the real program: signing in, posting, threads and reactions."""

import io

import pytest
import requests
from mastodon import Mastodon
from mastodon.errors import (
    MastodonAPIError,
    MastodonIllegalArgumentError,
    MastodonNotFoundError,
    MastodonUnauthorizedError,
)
from PIL import Image

from support import OOB, SCOPES, URL, WORLD, Browser, client, code_for, ids, person, picture, uploaded


@pytest.fixture(scope="module")
def app():
    return Mastodon.create_app("Tests", scopes=SCOPES, redirect_uris=[OOB, "https://client.example/done"], api_base_url=URL)


# Sign-in


def test_instance_tells_who_it_is():
    api = Mastodon(api_base_url=URL)
    instance = api.instance_v2()
    assert instance.domain == WORLD["domain"]
    assert instance.configuration.statuses.max_characters >= 500
    assert "image/jpeg" in instance.configuration.media_attachments.supported_mime_types
    assert api.instance_v1().uri == WORLD["domain"]
    assert api.stream_healthy()
    assert api.instance_nodeinfo().software.name == "noren"


def test_oauth_code_flow_out_of_band(app):
    client_id, secret = app
    api = Mastodon(client_id, secret, api_base_url=URL)
    url = api.auth_request_url(scopes=SCOPES, redirect_uris=OOB, allow_http=True)
    token = api.log_in(code=code_for(url, "alice"), redirect_uri=OOB, scopes=SCOPES, allow_http=True)
    assert len(token) >= 32
    me = api.me()
    assert (me.username, me.acct) == ("alice", "alice")
    assert api.app_verify_credentials().name == "Tests"
    api.revoke_access_token(allow_http=True)
    again = Mastodon(access_token=token, api_base_url=URL)
    with pytest.raises(MastodonUnauthorizedError):
        again.me()


def test_oauth_code_flow_with_redirect_and_state(app):
    client_id, secret = app
    redirect = "https://client.example/done"
    api = Mastodon(client_id, secret, api_base_url=URL)
    url = api.auth_request_url(scopes=["read"], redirect_uris=redirect, state="a b&c", allow_http=True)
    browser = Browser().open(url).sign_in(person("bob")["email"], person("bob")["password"]).allow()
    query = browser.redirect_query()
    assert query["state"] == "a b&c"
    api.log_in(code=query["code"], redirect_uri=redirect, scopes=["read"], allow_http=True)
    assert api.me().username == "bob"
    with pytest.raises(MastodonAPIError, match="scope"):
        api.status_post("not allowed")
    twice = Mastodon(client_id, secret, api_base_url=URL)
    with pytest.raises(MastodonIllegalArgumentError, match="invalid_grant"):
        twice.log_in(code=query["code"], redirect_uri=redirect, scopes=["read"], allow_http=True)


def test_oauth_refused_by_the_person(app):
    api = Mastodon(*app, api_base_url=URL)
    url = api.auth_request_url(scopes=["read"], redirect_uris="https://client.example/done", state="s", allow_http=True)
    query = Browser().open(url).sign_in(person("bob")["email"], person("bob")["password"]).deny().redirect_query()
    assert query["error"] == "access_denied" and query["state"] == "s" and "code" not in query


def test_wrong_password_and_foreign_redirect(app):
    client_id, _ = app
    api = Mastodon(*app, api_base_url=URL)
    url = api.auth_request_url(scopes=["read"], redirect_uris=OOB, allow_http=True)
    browser = Browser().open(url).sign_in(person("alice")["email"], "not the password")
    assert browser.form_with("input[type=password]"), "the sign-in form is shown again"
    bad = f"{URL}/oauth/authorize?response_type=code&client_id={client_id}&redirect_uri=https://evil.example/"
    answer = requests.get(bad, allow_redirects=False, timeout=30)
    assert 400 <= answer.status_code < 500 and "evil.example" not in answer.headers.get("Location", "")


def test_userinfo_and_discovery():
    about = requests.get(f"{URL}/.well-known/oauth-authorization-server", timeout=30).json()
    assert about["code_challenge_methods_supported"] == ["S256"]
    headers = {"Authorization": f"Bearer {person('alice')['token']}"}
    info = requests.get(about["userinfo_endpoint"], headers=headers, timeout=30).json()
    assert info["preferred_username"] == "alice"


# Posting


def test_post_with_a_picture(alice):
    photo = picture(1600, 1200, turned=True)
    media = uploaded(alice, photo, description="A sloping grey", focus=(0.5, -0.25))
    assert media.type == "image" and media.blurhash
    status = alice.status_post("Look at this #picture", media_ids=[media])
    (shown,) = status.media_attachments
    assert shown.description == "A sloping grey"
    assert (shown.meta.focus.x, shown.meta.focus.y) == (0.5, -0.25)
    # A phone's picture stands upright, and nobody learns where it was taken.
    assert (shown.meta.original.width, shown.meta.original.height) == (1200, 1600)
    for url, size in ((shown.url, (1200, 1600)), (shown.preview_url, None)):
        answer = requests.get(url, timeout=30)
        assert answer.status_code == 200 and b"the secret place" not in answer.content
        image = Image.open(io.BytesIO(answer.content))
        assert size is None or image.size == size
        assert image.height > image.width
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    read_back = client("bob").status(status.id)
    assert read_back.media_attachments[0].url == shown.url


def test_media_description_can_change_before_posting(alice):
    media = uploaded(alice)
    changed = alice.media_update(media, description="later", focus=(-1, 1))
    assert changed.description == "later" and changed.meta.focus.x == -1
    status = alice.status_post("changed", media_ids=[media])
    assert status.media_attachments[0].description == "later"


def test_broken_picture_is_refused(alice):
    with pytest.raises(MastodonAPIError):
        uploaded(alice, b"\xff\xd8\xff\xe0 nothing")


def test_content_warning_and_language(alice):
    status = alice.status_post("the end", spoiler_text="A film", language="en")
    assert status.sensitive and status.spoiler_text == "A film" and status.language == "en"


def test_text_becomes_html(alice, bob):
    status = alice.status_post("Hi @bob, see https://example.com/a/rather/long/path/to/a/page & #東京 <b>")
    assert 'class="u-url mention"' in status.content and "&lt;b&gt;" in status.content
    assert 'class="invisible"' in status.content and 'rel="' in status.content
    assert [mention.acct for mention in status.mentions] == ["bob"]
    assert [tag.name for tag in status.tags] == ["東京"]
    assert status.id in ids(bob.timeline_hashtag("東京"))


def test_visibilities(alice, bob):
    bob.account_unfollow(alice.me())
    posts = {v: alice.status_post(f"for {v}", visibility=v) for v in ("public", "unlisted", "private", "direct")}
    to_bob = alice.status_post("@bob psst", visibility="direct")
    nobody = Mastodon(api_base_url=URL)
    for visibility, status in posts.items():
        assert status.visibility == visibility
        for reader in (bob, nobody):
            if visibility in ("public", "unlisted"):
                assert reader.status(status.id).id == status.id
            else:
                with pytest.raises(MastodonNotFoundError):
                    reader.status(status.id)
    assert bob.status(to_bob.id).id == to_bob.id
    public = ids(nobody.timeline_public(limit=40))
    assert posts["public"].id in public and posts["unlisted"].id not in public
    bob.account_follow(alice.me())
    assert bob.status(posts["private"].id).id == posts["private"].id
    bob.account_unfollow(alice.me())


def test_idempotency_key_posts_once(alice):
    first = alice.status_post("once", idempotency_key="a-key")
    assert alice.status_post("once", idempotency_key="a-key").id == first.id


def test_empty_and_too_long_posts_are_refused(alice):
    for text in ("", "x" * 10_000):
        with pytest.raises(MastodonAPIError):
            alice.status_post(text)


# Threads and reactions


def test_reply_and_context(alice, bob):
    root = alice.status_post("What is for dinner?")
    reply = bob.status_post("@alice Soup", in_reply_to_id=root.id)
    last = alice.status_post("@bob Fine", in_reply_to_id=reply.id)
    assert reply.in_reply_to_account_id == alice.me().id
    context = bob.status_context(reply.id)
    assert ids(context.ancestors) == [root.id] and ids(context.descendants) == [last.id]
    assert alice.status(root.id).replies_count == 1


def test_boost_favourite_bookmark_pin(alice, bob):
    status = alice.status_post("Good news")
    boost = bob.status_reblog(status.id)
    assert boost.reblog.id == status.id and boost.reblog.reblogged and boost.reblog.reblogs_count == 1
    assert bob.status_favourite(status.id).favourited
    assert bob.status_bookmark(status.id).bookmarked
    assert [a.acct for a in alice.status_reblogged_by(status.id)] == ["bob"]
    assert [a.acct for a in alice.status_favourited_by(status.id)] == ["bob"]
    assert status.id in ids(bob.favourites()) and status.id in ids(bob.bookmarks())
    assert alice.status_pin(status.id).pinned
    assert ids(bob.account_statuses(alice.me(), pinned=True)) == [status.id]
    assert not alice.status_unpin(status.id).pinned
    assert not bob.status_unbookmark(status.id).bookmarked
    assert not bob.status_unfavourite(status.id).favourited
    assert not bob.status_unreblog(status.id).reblogged
    counts = alice.status(status.id)
    assert (counts.reblogs_count, counts.favourites_count) == (0, 0)


def test_edit_history_source(alice):
    media = uploaded(alice, description="one")
    status = alice.status_post("Frist", media_ids=[media])
    attributes = [alice.generate_media_edit_attributes(media, description="two")]
    edited = alice.status_update(status.id, "First", spoiler_text="cw", media_attributes=attributes)
    assert edited.edited_at and "First" in edited.content
    assert edited.media_attachments[0].description == "two"
    source = alice.status_source(status.id)
    assert (source.text, source.spoiler_text) == ("First", "cw")
    history = alice.status_history(status.id)
    assert ["Frist" in history[0].content, "First" in history[-1].content, len(history)] == [True, True, 2]


def test_delete_gives_back_what_a_redraft_needs(alice, bob):
    media = uploaded(alice)
    status = alice.status_post("A #tpyo", media_ids=[media])
    deleted = alice.status_delete(status.id)
    assert deleted.text == "A #tpyo" and deleted.media_attachments[0].id == media.id
    with pytest.raises(MastodonNotFoundError):
        bob.status(status.id)
    again = alice.status_post("A #typo", media_ids=[media])
    assert again.media_attachments[0].id == media.id


def test_nobody_changes_what_belongs_to_another(alice, bob):
    status = alice.status_post("mine")
    for act in (bob.status_delete, lambda id: bob.status_update(id, "yours"), bob.status_pin):
        with pytest.raises(MastodonAPIError):
            act(status.id)
    assert alice.status(status.id).edited_at is None
