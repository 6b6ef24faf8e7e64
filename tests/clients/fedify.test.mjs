// An independent implementation of ActivityPub, Fedify, as a peer: it checks our signatures, parses our documents as
// JSON-LD, and signs with RFC 9421 first, with Linked Data signatures and integrity proofs beside it.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { createFederation, generateCryptoKeyPair, MemoryKvStore } from "@fedify/fedify";
import {
  Accept, Announce, Create, Delete, EmojiReact, Endpoints, Follow, Image, isActor, Like, Note, Person, PUBLIC_COLLECTION,
  Reject, Undo, Update,
} from "@fedify/fedify/vocab";
import { Temporal } from "@js-temporal/polyfill";
import { createRestAPIClient } from "masto";
import { eventually, picture, world } from "./support.mjs";

const alice = createRestAPIClient({ url: world.url, accessToken: world.people.alice.token });
const aliceUri = new URL(`${world.url}/users/alice`);
const received = [];
const notes = new Map();
let fay, server, base, keys, context;

// Without a queue everything is done before it is answered.
const federation = createFederation({ kv: new MemoryKvStore(), allowPrivateAddress: true });
federation
  .setActorDispatcher("/users/{identifier}", async (ctx, identifier) => {
    if (identifier !== "fay") return null;
    const pairs = await ctx.getActorKeyPairs(identifier);
    return new Person({
      id: ctx.getActorUri(identifier),
      preferredUsername: identifier,
      name: "Fay of Fedify",
      summary: "<p>Knocks with RFC 9421.</p>",
      inbox: ctx.getInboxUri(identifier),
      outbox: new URL(`/users/${identifier}/outbox`, ctx.url),
      followers: new URL(`/users/${identifier}/followers`, ctx.url),
      endpoints: new Endpoints({ sharedInbox: ctx.getInboxUri() }),
      publicKey: pairs[0].cryptographicKey,
      assertionMethods: pairs.map((pair) => pair.multikey),
    });
  })
  .setKeyPairsDispatcher(() => keys);
federation.setObjectDispatcher(Note, "/notes/{id}", (_, { id }) => notes.get(id) ?? null);
const inbox = federation.setInboxListeners("/users/{identifier}/inbox", "/inbox");
for (const kind of [Follow, Accept, Reject, Create, Update, Delete, Like, Announce, Undo, EmojiReact]) {
  inbox.on(kind, async (ctx, activity) => {
    received.push(activity);
    if (activity instanceof Follow) {
      const follower = await activity.getActor(ctx);
      await ctx.sendActivity({ identifier: "fay" }, follower, new Accept({
        id: new URL(`/accepts/${received.length}`, base),
        actor: ctx.getActorUri("fay"),
        object: activity,
      }));
    }
  });
}

/** What of this kind has come from Noren, after waiting for it. */
const arrived = (kind, wanted = () => true) =>
  eventually(() => received.find((activity) => activity instanceof kind && wanted(activity)));

async function answer(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const init = { method: request.method, headers: request.headers };
  if (chunks.length > 0) init.body = Buffer.concat(chunks);
  const answered = await federation.fetch(new Request(new URL(request.url, base), init), { contextData: undefined });
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  response.end(Buffer.from(await answered.arrayBuffer()));
}

/** Sends an activity of Fay to Alice. */
const send = (activity) =>
  context.sendActivity({ identifier: "fay" }, { id: aliceUri, inboxId: new URL("/inbox", world.url) }, activity);

const byFay = () => ({ actor: context.getActorUri("fay"), to: PUBLIC_COLLECTION });

before(async () => {
  keys = [await generateCryptoKeyPair("RSASSA-PKCS1-v1_5"), await generateCryptoKeyPair("Ed25519")];
  server = createServer((request, response) => {
    answer(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  base = `http://localhost:${server.address().port}`;
  context = federation.createContext(new URL(base), undefined);
});
after(() => {
  server.close();
  server.closeAllConnections();
});

test("Fay is found, followed, and accepts", async () => {
  const found = await alice.v2.search.list({ q: `${base}/users/fay`, resolve: true });
  [fay] = found.accounts;
  assert.equal(fay.displayName, "Fay of Fedify");
  assert.match(fay.note, /RFC 9421/);
  await alice.v1.accounts.$select(fay.id).follow();
  const follow = await arrived(Follow);
  assert.equal(follow.actorId.href, aliceUri.href);
  await eventually(async () => (await alice.v1.accounts.relationships.fetch({ id: [fay.id] }))[0].following);
});

test("Fay follows Alice and is accepted", async () => {
  await send(new Follow({ id: new URL("/follows/1", base), actor: context.getActorUri("fay"), object: aliceUri }));
  const accept = await arrived(Accept);
  assert.equal(accept.actorId.href, aliceUri.href);
  await eventually(async () => (await alice.v1.accounts.relationships.fetch({ id: [fay.id] }))[0].followedBy);
});

test("Alice as Fedify reads her", async () => {
  const actor = await context.lookupObject(aliceUri);
  assert.ok(isActor(actor));
  assert.equal(actor.preferredUsername, "alice");
  assert.equal(actor.inboxId.href, `${aliceUri}/inbox`);
  assert.equal(actor.endpoints.sharedInbox.href, `${world.url}/inbox`);
  assert.equal(actor.followersId.href, `${aliceUri}/followers`);
  assert.equal((await actor.getPublicKey()).ownerId.href, aliceUri.href);
});

test("posts of Fay arrive, are edited and deleted", async () => {
  const id = new URL("/notes/one", base);
  const note = (content, updated) =>
    new Note({ id, attribution: context.getActorUri("fay"), content, to: PUBLIC_COLLECTION, published: Temporal.Now.instant(), updated });
  notes.set("one", note("<p>Greetings from Fedify</p>"));
  const home = async (text) => (await alice.v1.timelines.home.list()).find((status) => status.content.includes(text));
  await send(new Create({ id: new URL("#create", id), ...byFay(), object: notes.get("one") }));
  const status = await eventually(() => home("Greetings from Fedify"));
  assert.equal(status.uri, id.href);
  notes.set("one", note("<p>Better greetings</p>", Temporal.Now.instant()));
  await send(new Update({ id: new URL("#update", id), ...byFay(), object: notes.get("one") }));
  await eventually(() => home("Better greetings"));
  notes.delete("one");
  await send(new Delete({ id: new URL("#delete", id), ...byFay(), object: id }));
  await eventually(async () => !(await home("Better greetings")));
});

test("posts of Alice arrive as Fedify understands them", async () => {
  const file = new Blob([picture()], { type: "image/png" });
  const media = await alice.v2.media.create({ file, description: "a gradient" });
  const status = await alice.v1.statuses.create({ status: "Hello @fay@nowhere.example #fedify", mediaIds: [media.id] });
  const create = await arrived(Create);
  const note = await create.getObject();
  assert.ok(note instanceof Note);
  assert.equal(note.id.href, status.uri);
  assert.match(note.content.toString(), /Hello/);
  assert.equal(note.attributionId.href, aliceUri.href);
  assert.ok(note.toIds.some((to) => to.href === PUBLIC_COLLECTION.href));
  const attachments = [];
  for await (const attachment of note.getAttachments()) attachments.push(attachment);
  assert.equal(attachments.length, 1);
  assert.equal(attachments[0].name.toString(), "a gradient");
  const fetched = await context.lookupObject(status.uri);
  assert.equal(fetched.id.href, status.uri);

  await alice.v1.statuses.$select(status.id).update({ status: "Hello again #fedify", mediaIds: [media.id] });
  const update = await arrived(Update, (activity) => activity.objectId?.href === status.uri);
  assert.match((await update.getObject()).content.toString(), /Hello again/);
  await alice.v1.statuses.$select(status.id).remove();
  await arrived(Delete);
});

test("likes and boosts go both ways", async () => {
  const id = new URL("/notes/two", base);
  notes.set("two", new Note({ id, attribution: context.getActorUri("fay"), content: "<p>Like this</p>", to: PUBLIC_COLLECTION }));
  await send(new Create({ id: new URL("#create", id), ...byFay(), object: notes.get("two") }));
  const theirs = await eventually(async () => (await alice.v1.timelines.home.list()).find((status) => status.uri === id.href));
  await alice.v1.statuses.$select(theirs.id).favourite();
  assert.equal((await arrived(Like)).objectId.href, id.href);
  await alice.v1.statuses.$select(theirs.id).reblog();
  assert.equal((await arrived(Announce)).objectId.href, id.href);
  await alice.v1.statuses.$select(theirs.id).unfavourite();
  const undo = await arrived(Undo);
  assert.ok((await undo.getObject()) instanceof Like);

  const ours = await alice.v1.statuses.create({ status: "like me" });
  const object = new URL(ours.uri);
  const like = new Like({ id: new URL("/likes/1", base), ...byFay(), object });
  await send(like);
  await send(new Announce({ id: new URL("/announces/1", base), ...byFay(), object, published: Temporal.Now.instant() }));
  const counts = async () => {
    const { favouritesCount, reblogsCount } = await alice.v1.statuses.$select(ours.id).fetch();
    return `${favouritesCount} ${reblogsCount}`;
  };
  await eventually(async () => (await counts()) === "1 1");
  await send(new Undo({ id: new URL("/undos/1", base), ...byFay(), object: like }));
  await eventually(async () => (await counts()) === "0 1");
});
