// The npm client masto (Elk and Phanpy are built on it) against the real program: REST with JSON
// bodies, media v2, paging, and live updates over a WebSocket.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createOAuthAPIClient, createRestAPIClient, createStreamingAPIClient } from "masto";
import { eventually, next, picture, world } from "./support.mjs";

const rest = (name) => createRestAPIClient({ url: world.url, accessToken: world.people[name].token });
const alice = rest("alice");
const bob = rest("bob");
const nobody = createRestAPIClient({ url: world.url });
const ids = (statuses) => statuses.map((status) => status.id);

let me;
before(async () => {
  me = await alice.v1.accounts.verifyCredentials();
});

test("the instance says where to stream and what it allows", async () => {
  const instance = await nobody.v2.instance.fetch();
  assert.equal(instance.domain, world.domain);
  assert.ok(instance.configuration.urls.streaming.startsWith("ws://"));
  assert.ok(instance.configuration.mediaAttachments.supportedMimeTypes.includes("image/png"));
  assert.ok(instance.apiVersions.mastodon >= 2, "clients ask for grouped notifications from 2 on");
  assert.equal((await nobody.v1.instance.fetch()).uri, world.domain);
});

test("an app gets credentials and a token of its own", async () => {
  const app = await nobody.v1.apps.create({ clientName: "masto", redirectUris: "urn:ietf:wg:oauth:2.0:oob", scopes: "read" });
  const oauth = createOAuthAPIClient({ url: world.url });
  const token = await oauth.token.create({
    grantType: "client_credentials",
    clientId: app.clientId,
    clientSecret: app.clientSecret,
    redirectUri: "urn:ietf:wg:oauth:2.0:oob",
    scope: "read",
  });
  const asApp = createRestAPIClient({ url: world.url, accessToken: token.accessToken });
  assert.equal((await asApp.v1.apps.verifyCredentials()).name, "masto");
  await assert.rejects(async () => asApp.v1.timelines.home.list(), { statusCode: 422 });
  await oauth.revoke({ clientId: app.clientId, clientSecret: app.clientSecret, token: token.accessToken });
  await assert.rejects(asApp.v1.apps.verifyCredentials(), { statusCode: 401 });
});

test("a post with a picture over media v2", async () => {
  const file = new Blob([picture()], { type: "image/png" });
  const media = await alice.v2.media.create({ file, description: "a gradient", focus: "0.25,-0.5" });
  assert.equal(media.type, "image");
  assert.ok(media.url && media.previewUrl && media.blurhash);
  assert.deepEqual(media.meta.focus, { x: 0.25, y: -0.5 });
  const changed = await alice.v1.media.$select(media.id).update({ description: "a better gradient" });
  assert.equal(changed.description, "a better gradient");
  const status = await alice.v1.statuses.create({ status: "from masto", mediaIds: [media.id], visibility: "public" });
  assert.equal(status.mediaAttachments[0].description, "a better gradient");
  const served = await fetch(status.mediaAttachments[0].url);
  assert.equal(served.status, 200);
  assert.equal(served.headers.get("content-type"), "image/png");
  const part = await fetch(status.mediaAttachments[0].url, { headers: { Range: "bytes=0-7" } });
  assert.equal(part.status, 206);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), picture().subarray(0, 8));
  const again = await fetch(media.url, { headers: { "If-None-Match": served.headers.get("etag") } });
  assert.equal(again.status, 304);
  assert.ok(ids(await nobody.v1.timelines.public.list({ onlyMedia: true })).includes(status.id));
});

test("post, reply, boost, favourite, bookmark, pin, edit, delete", async () => {
  const status = await alice.v1.statuses.create({ status: "Hello @bob #masto", language: "en", spoilerText: "hi" });
  assert.equal(status.mentions[0].acct, "bob");
  const reply = await bob.v1.statuses.create({ status: "@alice hello", inReplyToId: status.id });
  const context = await alice.v1.statuses.$select(status.id).context.fetch();
  assert.deepEqual(ids(context.descendants), [reply.id]);
  const his = bob.v1.statuses.$select(status.id);
  assert.equal((await his.reblog()).reblog.id, status.id);
  assert.ok((await his.favourite()).favourited);
  assert.ok((await his.bookmark()).bookmarked);
  const hers = alice.v1.statuses.$select(status.id);
  assert.ok((await hers.pin()).pinned);
  assert.deepEqual((await hers.rebloggedBy.list()).map((account) => account.acct), ["bob"]);
  const edited = await hers.update({ status: "Hello again", spoilerText: "" });
  assert.ok(edited.editedAt && edited.content.includes("again"));
  assert.equal((await hers.source.fetch()).text, "Hello again");
  assert.equal((await hers.history.list()).length, 2);
  assert.equal((await hers.remove()).text, "Hello again");
  await assert.rejects(his.fetch(), { statusCode: 404 });
});

test("the same idempotency key gives the same post", async () => {
  const meta = { requestInit: { headers: { "Idempotency-Key": "masto-1" } } };
  const post = () => alice.v1.statuses.create({ status: "only once" }, meta);
  assert.equal((await post()).id, (await post()).id);
});

test("an iterator walks all pages", async () => {
  await bob.v1.accounts.$select(me.id).follow();
  const posted = [];
  for (let n = 0; n < 5; n += 1) posted.push((await alice.v1.statuses.create({ status: `page ${n}` })).id);
  const seen = [];
  for await (const page of bob.v1.timelines.home.list({ limit: 2 })) {
    seen.push(...ids(page));
    if (seen.length >= 5) break;
  }
  assert.deepEqual(seen.slice(0, 5), posted.reverse());
});

test("notifications, relationships, search", async () => {
  await alice.v1.notifications.clear();
  const status = await alice.v1.statuses.create({ status: "大阪でたこ焼きを食べた" });
  await bob.v1.statuses.$select(status.id).favourite();
  const [notification] = await eventually(async () => {
    const list = await alice.v1.notifications.list();
    return list.length > 0 && list;
  });
  assert.equal(notification.type, "favourite");
  assert.equal(notification.status.id, status.id);
  const [relationship] = await bob.v1.accounts.relationships.fetch({ id: [me.id] });
  assert.equal(relationship.following, true);
  assert.ok(ids((await bob.v2.search.list({ q: "大阪", type: "statuses" })).statuses).includes(status.id));
  const lookup = await bob.v1.accounts.lookup({ acct: "alice" });
  assert.equal(lookup.id, me.id);
});

test("grouped notifications, and a policy for the others", async () => {
  await alice.v1.notifications.clear();
  const status = await alice.v1.statuses.create({ status: "a post to like" });
  await bob.v1.statuses.$select(status.id).favourite();
  const page = await alice.v2.notifications.list({ groupedTypes: ["favourite"], expandAccounts: "partial_avatars" });
  const [group] = page.notificationGroups;
  assert.equal(group.type, "favourite");
  assert.equal(group.statusId, page.statuses[0].id);
  assert.deepEqual(group.sampleAccountIds, ids(page.accounts));
  assert.deepEqual(page.partialAccounts, []);
  const selected = alice.v2.notifications.$select(group.groupKey);
  assert.equal((await selected.fetch()).notificationGroups[0].notificationsCount, 1);
  assert.equal((await selected.accounts.fetch())[0].acct, "bob");
  assert.ok((await alice.v2.notifications.unreadCount.fetch()).count >= 1);
  await selected.dismiss();
  await assert.rejects(selected.fetch(), { statusCode: 404 });

  assert.equal((await alice.v2.notifications.policy.update({ forNotFollowing: "filter" })).forNotFollowing, "filter");
  await bob.v1.statuses.create({ status: "@alice are you there?" });
  assert.deepEqual(await alice.v1.notifications.list(), []);
  const [request] = await alice.v1.notifications.requests.list();
  assert.equal(request.account.acct, "bob");
  await alice.v1.notifications.requests.$select(request.id).accept();
  assert.ok((await alice.v1.notifications.requests.merged.fetch()).merged);
  assert.equal((await alice.v1.notifications.list())[0].type, "mention");
  await alice.v2.notifications.policy.update({ forNotFollowing: "accept" });
});

test("the profile, its fields and a picture", async () => {
  const avatar = new Blob([picture(500, 500)], { type: "image/png" });
  const changed = await bob.v1.accounts.updateCredentials({
    displayName: "Bob",
    note: "#fediverse",
    avatar,
    fieldsAttributes: [{ name: "Town", value: "Ōsaka" }],
    source: { language: "ja" },
  });
  assert.equal(changed.displayName, "Bob");
  assert.equal(changed.fields[0].value, "Ōsaka");
  assert.equal(changed.source.language, "ja");
  assert.equal((await fetch(changed.avatar)).status, 200);
});

for (const useInsecureAccessToken of [false, true]) {
  test(`live updates, token in the ${useInsecureAccessToken ? "query" : "subprotocol"}`, async () => {
    const instance = await nobody.v2.instance.fetch();
    const streaming = createStreamingAPIClient({
      streamingApiUrl: instance.configuration.urls.streaming,
      accessToken: world.people.bob.token,
      useInsecureAccessToken,
      retry: false,
    });
    try {
      await bob.v1.accounts.$select(me.id).follow();
      const home = streaming.user.subscribe().values();
      const tag = streaming.hashtag.subscribe({ tag: "livetest" }).values();
      const local = streaming.public.local.subscribe().values();
      const [first, second, third] = [home, tag, local].map((values) => next(values, (e) => e.event === "update"));
      const heard = Promise.all([first, second, third]);
      heard.catch(() => {});
      // The subscriptions above are under way; posts made before the server has them are not sent.
      const posts = [];
      const post = async () => posts.push((await alice.v1.statuses.create({ status: "@bob now #livetest" })).id);
      const events = await poke(heard, post);
      for (const event of events) assert.ok(posts.includes(event.payload.id), JSON.stringify(event.stream));
      assert.deepEqual(events[1].stream, ["hashtag", "livetest"]);

      const id = (await alice.v1.statuses.create({ status: "@bob edit me" })).id;
      await alice.v1.statuses.$select(id).update({ status: "@bob edited" });
      const edit = await next(home, (event) => event.event === "status.update");
      assert.ok(edit.payload.content.includes("edited"));
      await alice.v1.statuses.$select(id).remove();
      assert.equal((await next(home, (event) => event.event === "delete")).payload, id);
    } finally {
      streaming.close();
    }
  });
}

/** Repeats `act` twice a second until `heard` has come true. */
async function poke(heard, act) {
  let running = true;
  const loop = (async () => {
    while (running) {
      await act();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  })();
  try {
    return await heard;
  } finally {
    running = false;
    await loop;
  }
}

after(() => {
  // Sockets that a failed test left open must not keep the runner waiting.
  setTimeout(() => process.exit(), 2000).unref();
});
