// The pages in a real browser, in the order in which a person meets them: first start, sign-in,
// consent, and a web client on another origin that then uses the API.

import assert from "node:assert/strict";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { fill, inspect, openPage, press, startChromium } from "./browser.mjs";
import { eventually, picture, world } from "./support.mjs";

const OWNER = { username: "hanako", email: "hanako@example.com", password: "correct horse battery" };
const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

let browser;
let client;
before(async () => {
  browser = await startChromium();
  client = createServer((_, answer) => {
    answer.setHeader("Content-Type", "text/html");
    answer.end("<!doctype html><title>A client</title><link rel=icon href=data:,><h1>A client</h1>");
  });
  await new Promise((resolve) => client.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  await browser?.close();
  client?.closeAllConnections?.();
  client?.close();
});

const callback = () => `http://127.0.0.1:${client.address().port}/callback`;

/** The address that the server printed for its owner to be. */
async function firstStartLink() {
  return eventually(() => {
    const log = readFileSync(world.log, "utf8");
    return log.match(/Noren is ready: (\S+)/)?.[1];
  });
}

async function signIn(page, who) {
  await fill(page, "input[type=email], input[type=text], input:not([type])", who.email);
  await fill(page, "input[type=password]", who.password);
  await page.locator("input[type=password]").first().press("Enter");
  await page.waitForLoadState();
}

async function registerApp(scopes, redirect) {
  const answer = await fetch(`${world.url}/api/v1/apps`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ client_name: "布の Client", redirect_uris: redirect, scopes, website: "https://client.example" }),
  });
  assert.equal(answer.status, 200);
  return answer.json();
}

function authorizeUrl(app, redirect, scope, more = {}) {
  const url = new URL("/oauth/authorize", world.url);
  const parameters = { response_type: "code", client_id: app.client_id, redirect_uri: redirect, scope, ...more };
  for (const [key, value] of Object.entries(parameters)) url.searchParams.set(key, value);
  return url.href;
}

test("the first start makes the owner and signs in", async () => {
  const link = await firstStartLink();
  assert.ok(link.startsWith(world.url), link);
  const page = await openPage(browser);
  await page.goto(link);
  await inspect(page, "1-first-start");

  await fill(page, "input[name*=user i]", "not a name!");
  await fill(page, "input[type=email]", OWNER.email);
  for (const field of await page.locator("input[type=password]").all()) await field.fill("short");
  await page.evaluate(() => document.querySelectorAll("form").forEach((form) => (form.noValidate = true)));
  await page.locator("input[type=password]").last().press("Enter");
  await page.waitForLoadState();
  assert.equal(await page.locator("input[type=password]").count() > 0, true, "wrong input shows the form again");
  await inspect(page, "2-first-start-refused");

  await fill(page, "input[name*=user i]", OWNER.username);
  await fill(page, "input[type=email]", OWNER.email);
  for (const field of await page.locator("input[type=password]").all()) await field.fill(OWNER.password);
  await page.locator("input[type=password]").last().press("Enter");
  await page.waitForLoadState();
  await eventually(async () => (await page.locator("input[type=password]").count()) === 0);
  await inspect(page, "3-first-start-done");
  assert.match(await page.locator("body").innerText(), /hanako/);
  const [session] = await page.context().cookies();
  assert.ok(session?.httpOnly, "the session's cookie is out of reach for scripts");
  assert.ok(["Lax", "Strict"].includes(session.sameSite));

  const again = await openPage(browser);
  const answer = await again.goto(link);
  assert.equal(await again.locator("input[name*=user i]").count(), 0, `once is enough: ${answer.status()}`);
});

test("the sign-in page refuses a wrong password and takes the right one, in Japanese too", async () => {
  const app = await registerApp("read", "urn:ietf:wg:oauth:2.0:oob");
  const page = await openPage(browser);
  await page.goto(authorizeUrl(app, "urn:ietf:wg:oauth:2.0:oob", "read"));
  await inspect(page, "4-sign-in");
  await signIn(page, { ...OWNER, password: "wrong password" });
  assert.ok(await page.locator("input[type=password]").count(), "still asks");
  assert.doesNotMatch(page.url(), /password/, "nothing secret in the address");
  await inspect(page, "5-sign-in-refused");
  await signIn(page, OWNER);
  assert.equal(await page.locator("input[type=password]").count(), 0);
  await press(page, /authori|allow|approve/i);
  await page.waitForLoadState();
  await inspect(page, "6-code");

  const japanese = await openPage(browser, { locale: "ja-JP" });
  await japanese.goto(authorizeUrl(app, "urn:ietf:wg:oauth:2.0:oob", "read"));
  await inspect(japanese, "7-sign-in-japanese");
});

test("a web client of another origin is let in and uses the API", async () => {
  const scope = "read write follow";
  const app = await registerApp(scope, callback());
  const verifier = base64url(randomBytes(32));
  const pkce = { code_challenge: base64url(createHash("sha256").update(verifier).digest()), code_challenge_method: "S256" };
  const page = await openPage(browser);
  await page.goto(authorizeUrl(app, callback(), scope, { ...pkce, state: "abc" }));
  await signIn(page, OWNER);
  await inspect(page, "8-consent");
  const words = await page.locator("body").innerText();
  assert.ok(words.includes("布の Client"), "the page names who asks");
  await press(page, /authori|allow|approve/i);
  await page.waitForURL(/\/callback\?/);
  const query = new URL(page.url()).searchParams;
  assert.equal(query.get("state"), "abc");

  const result = await page.evaluate(useTheApi, {
    url: world.url,
    token: {
      grant_type: "authorization_code",
      code: query.get("code"),
      client_id: app.client_id,
      client_secret: app.client_secret,
      redirect_uri: callback(),
      code_verifier: verifier,
    },
    picture: picture().toString("base64"),
  });
  assert.equal(result.me, OWNER.username);
  assert.equal(result.media, 200);
  assert.ok(result.link?.includes("max_id="), "Link is exposed to scripts");
  assert.ok(result.status.content.includes("from a browser"));
  assert.ok(result.live, "a live update came over the WebSocket");
  assert.equal(result.drawn, 320, "the picture can be drawn");
});

/** Runs inside the client's page. */
async function useTheApi({ url, token, picture }) {
  const json = { "Content-Type": "application/json" };
  const granted = await (await fetch(`${url}/oauth/token`, { method: "POST", headers: json, body: JSON.stringify(token) })).json();
  const headers = { Authorization: `Bearer ${granted.access_token}` };
  const me = await (await fetch(`${url}/api/v1/accounts/verify_credentials`, { headers })).json();
  const form = new FormData();
  form.append("file", new Blob([Uint8Array.from(atob(picture), (c) => c.charCodeAt(0))], { type: "image/png" }), "slope.png");
  form.append("description", "a slope");
  let media = await fetch(`${url}/api/v2/media`, { method: "POST", headers, body: form });
  const { id } = await media.json();
  for (let tries = 0; media.status !== 200 && tries < 100; tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    media = await fetch(`${url}/api/v1/media/${id}`, { headers });
  }
  const socket = new WebSocket(`${url.replace("http", "ws")}/api/v1/streaming?stream=user`, granted.access_token);
  await new Promise((resolve, reject) => Object.assign(socket, { onopen: resolve, onerror: reject }));
  const live = new Promise((resolve) => {
    socket.onmessage = ({ data }) => JSON.parse(data).event === "update" && resolve(true);
    setTimeout(() => resolve(false), 10_000);
  });
  const post = (text, media_ids) =>
    fetch(`${url}/api/v1/statuses`, {
      method: "POST",
      headers: { ...headers, ...json, "Idempotency-Key": text },
      body: JSON.stringify({ status: text, media_ids }),
    });
  // The handshake is done before the server has subscribed; a second post makes sure of one event.
  const status = await (await post("from a browser", [id])).json();
  setTimeout(() => post("and another"), 1000);
  const heard = await live;
  socket.close();
  const home = await fetch(`${url}/api/v1/timelines/home?limit=1`, { headers });
  const image = new Image();
  image.src = status.media_attachments[0].url;
  await image.decode();
  return { me: me.username, media: media.status, status, live: heard, link: home.headers.get("Link"), drawn: image.width };
}

test("saying no goes back to the client with the reason", async () => {
  const app = await registerApp("read", callback());
  const page = await openPage(browser);
  await page.goto(authorizeUrl(app, callback(), "read", { state: "xyz" }));
  await signIn(page, OWNER);
  await press(page, /deny|cancel|refuse|don.t/i);
  await page.waitForURL(/\/callback\?/);
  assert.equal(new URL(page.url()).searchParams.get("error"), "access_denied");
});

test("a wrong request for consent explains itself and sends nobody anywhere", async () => {
  const app = await registerApp("read", callback());
  const page = await openPage(browser);
  await page.goto(authorizeUrl(app, "https://evil.example/", "read"));
  assert.ok(page.url().startsWith(world.url));
  await inspect(page, "9-wrong-redirect");
});

test("a form posted from another site does nothing", async () => {
  const page = await openPage(browser);
  const app = await registerApp("read", callback());
  await page.goto(authorizeUrl(app, callback(), "read"));
  await signIn(page, OWNER);
  await page.goto(callback());
  await page.evaluate((action) => {
    const form = document.createElement("form");
    Object.assign(form, { method: "POST", action });
    document.body.append(form);
    form.submit();
  }, authorizeUrl(app, callback(), "read"));
  await page.waitForLoadState();
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.equal(new URL(page.url()).searchParams.get("code"), null);
});

test("the front page and a page that is not there", async () => {
  const page = await openPage(browser);
  const front = await page.goto(world.url);
  assert.ok(front.status() < 400, `the front page answers ${front.status()}`);
  await inspect(page, "10-front");
  const missing = await page.goto(`${world.url}/there/is/nothing`);
  assert.equal(missing.status(), 404);
});

/** What an authenticator app shows, from the secret alone (RFC 6238). */
function appCode(secret, at = Date.now()) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((letter) => letters.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigInt64BE(BigInt(Math.floor(at / 30_000)));
  const tag = createHmac("sha1", key).update(step).digest();
  const number = tag.readUInt32BE(tag.at(-1) & 15) & 0x7fffffff;
  return String(number % 1e6).padStart(6, "0");
}

test("somebody comes with an invite, and signs in with a second factor from then on", async () => {
  const owner = await openPage(browser);
  await owner.goto(`${world.url}/auth/sign_in`);
  await signIn(owner, OWNER);
  await owner.goto(`${world.url}/settings/invites`);
  await press(owner, /make a link/i);
  await inspect(owner, "11-invites");
  const link = (await owner.locator("code.copy").first().innerText()).trim();

  const guest = { username: "taro", email: "taro@example.com", password: "correct horse battery" };
  const page = await openPage(browser);
  await page.goto(link);
  await inspect(page, "12-invited");
  for (const name of ["username", "email", "password"]) await page.fill(`#${name}`, guest[name]);
  await press(page, /create account/i);
  await page.waitForLoadState();
  assert.match(await page.locator("body").innerText(), /@taro/);

  await page.goto(`${world.url}/settings/two_factor`);
  await press(page, /set up/i);
  await inspect(page, "13-two-factor");
  const secret = (await page.locator("code.copy").innerText()).replaceAll(/\s/g, "");
  await page.fill("#code", appCode(secret));
  await page.fill("#password", guest.password);
  await press(page, /turn on/i);
  await inspect(page, "14-recovery-codes");
  const [recovery] = await page.locator(".codes code").allInnerTexts();
  await page.goto(`${world.url}/settings`);
  await inspect(page, "15-settings");

  for (const code of [appCode(secret, Date.now() + 30_000), recovery]) {
    const door = await openPage(browser);
    await door.goto(`${world.url}/auth/sign_in?return_to=/settings`);
    await signIn(door, guest);
    if (code !== recovery) await inspect(door, "16-code");
    assert.equal(new URL(door.url()).pathname, "/auth/two_factor");
    await door.fill("#code", code);
    await door.locator("#code").press("Enter");
    await door.waitForURL(/\/settings$/);
  }
});
