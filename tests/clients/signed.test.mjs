// What Noren signs in itself, so that others may pass it on, as Fedify verifies it: a relay that is Fedify gets it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { createFederation, generateCryptoKeyPair, MemoryKvStore } from "@fedify/fedify";
import { verifyJsonLd } from "@fedify/fedify/sig";
import { Accept, Application, Follow } from "@fedify/fedify/vocab";
import { createRestAPIClient } from "masto";
import { eventually, picture, world } from "./support.mjs";

const alice = createRestAPIClient({ url: world.url, accessToken: world.people.alice.token });
const bodies = [];
let server, base, keys, context;

const federation = createFederation({ kv: new MemoryKvStore(), allowPrivateAddress: true });
federation
  .setActorDispatcher("/{identifier}", async (ctx, identifier) => {
    if (identifier !== "relay") return null;
    const pairs = await ctx.getActorKeyPairs(identifier);
    return new Application({
      id: ctx.getActorUri(identifier),
      preferredUsername: identifier,
      inbox: ctx.getInboxUri(identifier),
      publicKey: pairs[0].cryptographicKey,
    });
  })
  .setKeyPairsDispatcher(() => keys);
federation.setInboxListeners("/{identifier}/inbox", "/inbox").on(Follow, async (ctx, follow) => {
  const accept = new Accept({ id: new URL("/accepts/1", base), actor: ctx.getActorUri("relay"), object: follow });
  await ctx.sendActivity({ identifier: "relay" }, await follow.getActor(ctx), accept);
});

async function answer(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const init = { method: request.method, headers: request.headers };
  if (chunks.length > 0) {
    init.body = Buffer.concat(chunks);
    bodies.push(JSON.parse(init.body));
  }
  const answered = await federation.fetch(new Request(new URL(request.url, base), init), { contextData: undefined });
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  response.end(Buffer.from(await answered.arrayBuffer()));
}

/** The newest of this type that came, about this object. */
const told = (type, uri) =>
  eventually(() => bodies.findLast((body) => body.type === type && (body.object.id ?? body.object) === uri));

const verified = (body) =>
  verifyJsonLd(body, { documentLoader: context.documentLoader, contextLoader: context.contextLoader });

/** It is signed, and nothing of it can be changed. */
async function isSigned(body) {
  assert.equal(body.signature?.type, "RsaSignature2017", JSON.stringify(body));
  assert.equal(await verified(body), true, JSON.stringify(body));
  assert.equal(await verified({ ...body, published: "2026-01-01T00:00:00Z" }), false);
  const created = new Date(Date.parse(body.signature.created) - 1000).toISOString();
  assert.equal(await verified({ ...body, signature: { ...body.signature, created } }), false);
}

before(async () => {
  keys = [await generateCryptoKeyPair("RSASSA-PKCS1-v1_5")];
  server = createServer((request, response) => {
    answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  base = `http://localhost:${server.address().port}`;
  context = federation.createContext(new URL(base), undefined);
  const noren = (...words) => {
    const env = { ...process.env, ...(world.database ? { NOREN_DATABASE__URL: world.database } : {}) };
    return execFileSync(world.binary, [...words, "--data", `${world.folder}/data`], { env, encoding: "utf8" });
  };
  noren("relay", "add", `${base}/inbox`);
  await eventually(() => noren("relay", "list", "--json").includes('"accepted"'));
});
after(() => {
  server.close();
  server.closeAllConnections();
});

test("posts with everything in them, edits and deletions are signed in themselves", async () => {
  const file = new Blob([picture()], { type: "image/png" });
  const media = await alice.v2.media.create({ file, description: "a \"gradient\"\nand 日本語", focus: "0.5,-0.33" });
  const quoted = await alice.v1.statuses.create({ status: "quoted" });
  const status = await alice.v1.statuses.create({
    status: "Hello @bob@nowhere.example #signed #日本語タグ https://example.com/ü?a=1&b=2\n\n<b>\"\\ \t👩‍👩‍👧 日本語",
    spoilerText: "careful",
    language: "zh-TW",
    mediaIds: [media.id],
    inReplyToId: quoted.id,
  });
  await isSigned(await told("Create", quoted.uri));
  await isSigned(await told("Create", status.uri));
  await alice.v1.statuses.$select(status.id).update({ status: "Hello again", mediaIds: [media.id] });
  await isSigned(await told("Update", status.uri));
  const poll = await alice.v1.statuses.create({
    status: "Which?", poll: { options: ["one", "two", "three"], expiresIn: 3600, multiple: true },
  });
  await isSigned(await told("Create", poll.uri));
  await alice.v1.statuses.$select(status.id).remove();
  await isSigned(await told("Delete", status.uri));
});

test("profiles are signed in themselves", async () => {
  await alice.v1.accounts.updateCredentials({
    displayName: "Alice :x:", note: "about <me> & you", fieldsAttributes: [{ name: "Site", value: "https://example.com" }],
  });
  const update = await told("Update", `${world.url}/users/alice`);
  assert.equal(update.object.type, "Person");
  await isSigned(update);
});

test("what is not for everybody goes to no relay", async () => {
  for (const visibility of ["unlisted", "private", "direct"]) {
    await alice.v1.statuses.create({ status: `for few: ${visibility}`, visibility });
  }
  const last = await alice.v1.statuses.create({ status: "for all" });
  await isSigned(await told("Create", last.uri));
  assert.equal(bodies.filter((body) => JSON.stringify(body).includes("for few")).length, 0);
});
