"""What the Python tests share: the world that run.py made, pictures, and a person with a browser."""

import io
import json
import os
import time
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import requests
from bs4 import BeautifulSoup
from mastodon import Mastodon
from PIL import Image

WORLD = json.loads(Path(os.environ["NOREN_WORLD"]).read_text())
URL = WORLD["url"]
OOB = "urn:ietf:wg:oauth:2.0:oob"
SCOPES = ["read", "write", "follow", "push"]


def person(name):
    return WORLD["people"][name]


def picture(width=640, height=480, kind="JPEG", turned=False):
    """A picture with a gradient, so that blurhash has something to see. `turned` is how a phone held
    upright says it: the pixels lie on their side, and a tag says turn me."""
    across = Image.linear_gradient("L").resize((width, height))
    down = across.transpose(Image.Transpose.ROTATE_180)
    image = Image.merge("RGB", (across, down, Image.new("L", (width, height), 128)))
    exif = Image.Exif()
    if turned:
        exif[0x0112] = 6
    exif[0x010E] = "the secret place"
    out = io.BytesIO()
    image.save(out, kind, exif=exif)
    return out.getvalue()


def client(name):
    """Mastodon.py with the token that this person was given on the command line."""
    return Mastodon(access_token=person(name)["token"], api_base_url=URL, request_timeout=30)


def uploaded(api, data=None, **options):
    """Uploads and waits; the client's own way to wait looks every ten seconds only."""
    media = api.media_post(io.BytesIO(data or picture()), mime_type="image/jpeg", **options)
    if not media.url:
        media = eventually(lambda: (ready := api.media(media)).url and ready)
    return media


def ids(statuses):
    return [status.id for status in statuses]


def eventually(check, seconds=15):
    """Waits until `check` answers something true, and answers that."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {check}"
        time.sleep(0.1)
    return found


class Browser:
    """A person at a browser without scripts: opens pages, fills in forms, presses buttons."""

    def __init__(self):
        self.session = requests.Session()
        self.answer = None

    @property
    def page(self):
        return BeautifulSoup(self.answer.text, "html.parser")

    def open(self, url):
        self.answer = self.session.get(url, timeout=30)
        return self

    def press(self, form, button, **fields):
        """Submits a form as a browser does: hidden fields, the person's, and the pressed button."""
        data = {}
        for field in form.find_all(["input", "select", "textarea"]):
            kind = field.get("type", "text")
            if not field.get("name") or kind in ("submit", "button", "image"):
                continue
            if kind in ("checkbox", "radio") and not field.has_attr("checked"):
                continue
            data[field["name"]] = field.get("value", "on" if kind == "checkbox" else "")
        data |= fields
        if button is not None and button.get("name"):
            data[button["name"]] = button.get("value", "")
        url = urljoin(self.answer.url, (button is not None and button.get("formaction")) or form.get("action") or "")
        method = form.get("method", "get").lower()
        headers = {"Origin": URL, "Referer": self.answer.url}
        body = {"params": data} if method == "get" else {"data": data}
        # A client's own address is where the person's browser would leave us: we read it, no more.
        self.answer = self.session.request(method, url, headers=headers, allow_redirects=False, timeout=30, **body)
        while self.answer.is_redirect and urljoin(self.answer.url, self.answer.headers["Location"]).startswith(URL):
            self.open(urljoin(self.answer.url, self.answer.headers["Location"]))
        return self

    def form_with(self, selector):
        for form in self.page.find_all("form"):
            if form.select_one(selector):
                return form
        raise AssertionError(f"no form with {selector} at {self.answer.url}:\n{self.answer.text[:3000]}")

    def sign_in(self, email, password):
        form = self.form_with("input[type=password]")
        secret = form.select_one("input[type=password]")["name"]
        kinds = "input[type=email], input[type=text], input:not([type])"
        name = form.select_one(kinds)["name"]
        return self.press(form, form.select_one("button, input[type=submit]"), **{name: email, secret: password})

    def decide(self, *words):
        """Presses the button that carries one of these words."""
        for form in self.page.find_all("form"):
            for button in form.select("button, input[type=submit]"):
                label = f"{button.get_text()} {button.get('value', '')} {button.get('name', '')}".lower()
                if any(word in label for word in words):
                    return self.press(form, button)
        raise AssertionError(f"no button {words} at {self.answer.url}:\n{self.answer.text[:3000]}")

    def allow(self):
        return self.decide("authorize", "authorise", "allow", "approve", "accept")

    def deny(self):
        return self.decide("deny", "cancel", "refuse", "reject")

    def redirect_query(self):
        """What a client is told at its own address."""
        assert self.answer.is_redirect, f"{self.answer.status_code} at {self.answer.url}:\n{self.answer.text[:3000]}"
        query = parse_qs(urlsplit(self.answer.headers["Location"]).query)
        return {key: values[0] for key, values in query.items()}

    def shown_code(self):
        """The code on the page that out-of-band clients ask for."""
        place = self.page.select_one("code, input[readonly], output, #code")
        assert place is not None, f"no code at {self.answer.url}:\n{self.answer.text[:3000]}"
        return (place.get("value") or place.get_text()).strip()


def code_for(url, name):
    """Signs in with a fresh browser, allows what the address asks for, and answers the shown code."""
    browser = Browser().open(url).sign_in(person(name)["email"], person(name)["password"])
    return browser.allow().shown_code()
