// What Misskey and PeerTube verify requests with: every request of a running Noren must satisfy both libraries, with
// the headers that Misskey insists on and its five minutes of clock.

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import {
  parseRequestSignature, verifyDigestHeader, verifyDraftSignature,
} from "@misskey-dev/node-http-message-signatures";
import httpSignature from "@peertube/http-signature";
import { createRestAPIClient } from "masto";
import { eventually, world } from "./support.mjs";

const alice = createRestAPIClient({ url: world.url, accessToken: world.people.alice.token });
const aliceUri = `${world.url}/users/alice`;
const clockSkew = 300;
const posted = ["(request-target)", "digest", "host", "date"];
const asked = ["(request-target)", "host", "date"];
const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048, publicKeyEncoding: { type: "spki", format: "pem" } });
const requests = [];
let server, base;

async function answer(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { method, url, headers, rawHeaders, httpVersion } = request;
  requests.push({ method, url, headers, rawHeaders, httpVersion, body: Buffer.concat(chunks) });
  const document = documents()[url];
  if (method === "POST") return response.writeHead(202).end();
  if (!document) return response.writeHead(404).end();
  const type = url.startsWith("/.well-known") ? "application/jrd+json" : "application/activity+json";
  response.writeHead(200, { "content-type": type }).end(JSON.stringify(document));
}

function documents() {
  const id = `${base}/users/9mei`;
  const note = {
    id: `${base}/notes/1`, type: "Note", attributedTo: id, content: "<p>a note</p>", published: "2026-11-20T10:00:00Z",
    to: ["https://www.w3.org/ns/activitystreams#Public"], cc: [`${id}/followers`],
  };
  const actor = {
    id, type: "Person", preferredUsername: "mei", inbox: `${id}/inbox`, outbox: `${id}/outbox`, followers: `${id}/followers`,
    sharedInbox: `${base}/inbox`, publicKey: { id: `${id}#main-key`, owner: id, publicKeyPem: publicKey },
  };
  const context = { "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"] };
  const handle = `acct:mei@${new URL(base).host}`;
  return {
    "/users/9mei": { ...context, ...actor },
    "/notes/1": { ...context, ...note },
    [`/.well-known/webfinger?resource=${encodeURIComponent(handle)}`]: {
      subject: handle, links: [{ rel: "self", type: "application/activity+json", href: id }],
    },
  };
}

/** The key of this name, as whoever was sent something asks for it. */
async function keyOf(keyId) {
  const actor = await (await fetch(keyId.split("#")[0], { headers: { accept: "application/activity+json" } })).json();
  assert.equal(actor.publicKey.id, keyId);
  assert.equal(new URL(keyId).host, new URL(actor.id).host);
  return actor.publicKey.publicKeyPem;
}

/** Whether both libraries accept a request: [PeerTube's, Misskey's]. */
async function verdicts(request) {
  const required = request.method === "POST" ? posted : asked;
  const old = httpSignature.parseRequest(request, { headers: required, clockSkew });
  const pem = await keyOf(old.keyId);
  const clock = { now: new Date(), delay: clockSkew * 1000, forward: clockSkew * 1000 };
  const parsed = parseRequestSignature(request, { requiredComponents: { draft: required }, clockSkew: clock });
  assert.equal(parsed.version, "draft");
  const fits = await verifyDraftSignature(parsed.value, pem);
  const whole = request.method !== "POST" || (await verifyDigestHeader(request, request.body, true));
  return [httpSignature.verifySignature(old, pem), fits && whole];
}

before(async () => {
  server = createServer((request, response) => {
    answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  base = `http://localhost:${server.address().port}`;
});
after(() => {
  server.close();
  server.closeAllConnections();
});

test("what is fetched is signed as both libraries want it", async () => {
  const { accounts: [mei] } = await alice.v2.search.list({ q: `@mei@${new URL(base).host}`, resolve: true });
  const { statuses: [note] } = await alice.v2.search.list({ q: `${base}/notes/1`, resolve: true });
  await alice.v1.accounts.$select(mei.id).follow();
  await alice.v1.statuses.$select(note.id).favourite();
  const fetched = requests.filter((request) => request.method === "GET" && !request.url.startsWith("/.well-known"));
  // How many posts and followers there are is asked for afterwards.
  const isCounted = (url) => /^\/users\/9mei\/(outbox|followers|following)$/.test(url);
  const documents = fetched.map((request) => request.url).filter((url) => !isCounted(url));
  assert.deepEqual(documents.sort(), ["/notes/1", "/users/9mei"]);
  for (const request of fetched) {
    assert.deepEqual(await verdicts(request), [true, true], request.url);
    assert.match(request.headers.signature, new RegExp(`keyId="${world.url}/actor#main-key"`));
  }
});

test("what is sent is signed as both libraries want it", async () => {
  const [{ id }] = (await alice.v2.search.list({ q: `${base}/notes/1`, resolve: true })).statuses;
  const text = `@mei@${new URL(base).host} 今日は ${"long ".repeat(60)}`;
  await alice.v1.statuses.create({ status: text, visibility: "direct" });
  await alice.v1.statuses.$select(id).unfavourite();
  const sent = () => requests.filter((request) => request.method === "POST");
  const kinds = () => sent().map((request) => JSON.parse(request.body).type).sort();
  await eventually(() => kinds().length >= 4);
  assert.deepEqual(kinds(), ["Create", "Follow", "Like", "Undo"]);
  for (const request of sent()) {
    assert.deepEqual(await verdicts(request), [true, true], request.body.toString());
    assert.match(request.headers.signature, new RegExp(`keyId="${aliceUri}#main-key"`));
    assert.match(request.headers.digest, /^SHA-256=/);
    assert.ok(request.body.length < 64 * 1024);
  }
});

test("the libraries refuse what was changed on the way", async () => {
  const [request] = requests.filter((request) => request.method === "POST");
  assert.deepEqual(await verdicts({ ...request, url: "/other" }), [false, false]);
  assert.deepEqual((await verdicts({ ...request, body: Buffer.from("{}") }))[1], false);
  const headers = { ...request.headers, date: new Date(Date.now() - 400_000).toUTCString() };
  await assert.rejects(verdicts({ ...request, headers }));
});
