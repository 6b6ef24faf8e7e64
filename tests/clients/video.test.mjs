// A film in a real browser, through `noren edge` from another web server: it plays, a jump fetches what is there and
// not all before it, and a page elsewhere may use its pictures.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { openPage, startChromium } from "./browser.mjs";
import { eventually, world } from "./support.mjs";
import { drawFrames, film, shadeOf } from "./webm.mjs";

const SECONDS = 100;
const SLICE = 1 << 20;

let browser;
let bytes;
let origin;
let client;
let edge;
/** What the origin was asked for: path, and first and last byte of its Range, or null. */
const asked = [];

const listening = async (handler) => {
  const server = createServer(handler);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
};
const address = (server) => `http://127.0.0.1:${server.address().port}`;

function give(request, answer) {
  const range = request.headers.range?.match(/^bytes=(\d+)-(\d+)$/)?.slice(1).map(Number);
  asked.push({ path: request.url, range: range ?? null });
  answer.setHeader("Content-Type", "video/webm");
  answer.setHeader("ETag", '"film"');
  if (!range) return answer.end(bytes);
  const last = Math.min(range[1], bytes.length - 1);
  answer.writeHead(206, { "Content-Range": `bytes ${range[0]}-${last}/${bytes.length}` });
  answer.end(bytes.subarray(range[0], last + 1));
}

async function startEdge() {
  const folder = join(world.folder, "edge");
  mkdirSync(folder);
  const config = `[server]\ndata = "data"\n[[listen]]\naddress = "127.0.0.1:0"\n[[site]]\n[[site.origin]]\nurl = "${address(origin)}"\n`;
  writeFileSync(join(folder, "edge.toml"), config);
  const child = spawn(world.binary, ["edge"], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout })) {
    const port = line.match(/:(\d+)$/)?.[1];
    if (port) return { child, url: `http://127.0.0.1:${port}` };
  }
  throw new Error("the edge did not start");
}

before(async () => {
  browser = await startChromium();
  const page = await openPage(browser);
  bytes = film(await drawFrames(page, SECONDS));
  await page.close();
  assert.ok(bytes.length > 10 * SLICE, `${bytes.length} bytes are too few to jump in`);
  origin = await listening(give);
  edge = await startEdge();
  client = await listening((_, answer) => {
    answer.setHeader("Content-Type", "text/html");
    answer.end("<!doctype html><title>A client</title><link rel=icon href=data:,><video muted playsinline></video>");
  });
});
after(async () => {
  await browser?.close();
  for (const server of [client, origin]) {
    server?.closeAllConnections?.();
    server?.close();
  }
  edge?.child.kill();
});

/** Opens the film, and notes what the browser asked the edge and was answered. */
async function watch(path) {
  const page = await openPage(browser);
  page.answers = [];
  page.on("response", (response) => {
    if (!response.url().startsWith(edge.url)) return;
    const { range } = response.request().headers();
    page.answers.push({ range, status: response.status(), headers: response.headers() });
  });
  await page.goto(address(client));
  await page.evaluate((url) => {
    const video = document.querySelector("video");
    video.crossOrigin = "anonymous";
    video.preload = "metadata";
    video.src = url;
  }, edge.url + path);
  await page.waitForFunction(() => document.querySelector("video").readyState >= 1);
  return page;
}

/** Jumps, and answers the shade of the picture that is shown there. */
const jump = (page, second) =>
  page.evaluate(async (second) => {
    const video = document.querySelector("video");
    const seeked = new Promise((resolve, reject) => {
      video.onseeked = resolve;
      video.onerror = () => reject(new Error(video.error?.message));
    });
    video.currentTime = second + 0.5;
    await seeked;
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 8;
    const context = canvas.getContext("2d");
    context.drawImage(video, 10, 10, 100, 100, 0, 0, 8, 8);
    return context.getImageData(4, 4, 1, 1).data[0];
  }, second);

test("a film plays", async () => {
  const page = await watch("/film.webm");
  const facts = await page.evaluate(() => {
    const { duration, videoWidth, videoHeight } = document.querySelector("video");
    return { duration, videoWidth, videoHeight };
  });
  assert.deepEqual(facts, { duration: SECONDS, videoWidth: 640, videoHeight: 480 });
  await page.evaluate(() => document.querySelector("video").play());
  await page.waitForFunction(() => document.querySelector("video").currentTime > 1.5);
  const [first] = page.answers;
  assert.deepEqual([first.status, first.headers["content-type"]], [206, "video/webm"]);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("a jump shows what is there and fetches nothing twice", async () => {
  const page = await watch("/other.webm");
  for (const second of [70, 12, 95]) {
    const shade = await jump(page, second);
    assert.ok(Math.abs(shade - shadeOf(second)) <= 6, `second ${second} has the shade ${shade}, not ${shadeOf(second)}`);
  }
  const deep = page.answers.filter(({ range }) => Number(range?.match(/bytes=(\d+)-/)?.[1]) > 4 * SLICE);
  assert.ok(deep.length > 0, JSON.stringify(page.answers.map(({ range }) => range)));
  for (const { status, headers, range } of deep) {
    const first = range.match(/bytes=(\d+)-/)[1];
    assert.equal(status, 206);
    assert.equal(headers["content-range"], `bytes ${first}-${bytes.length - 1}/${bytes.length}`);
  }
  // Each request of the edge begins where a slice does, and no two begin at the same: what is here is not asked for again.
  const begins = asked.filter(({ path }) => path === "/other.webm").map(({ range }) => (range ? range[0] : 0));
  assert.ok(begins.length > 0 && begins.every((first) => first % SLICE === 0), JSON.stringify(begins));
  assert.equal(new Set(begins).size, begins.length, JSON.stringify(begins));
  await page.close();
});

test("who comes later is served from the cache", async () => {
  const whole = Buffer.from(await (await fetch(`${edge.url}/film.webm`)).arrayBuffer());
  assert.ok(whole.equals(bytes));
  const isKept = async () => (await fetch(`${edge.url}/film.webm`, { method: "HEAD" })).headers.get("x-cache") === "HIT";
  await eventually(isKept);
  const before = asked.length;
  const page = await watch("/film.webm");
  assert.equal(page.answers[0].headers["x-cache"], "HIT");
  const shade = await jump(page, 50);
  assert.ok(Math.abs(shade - shadeOf(50)) <= 6, `${shade}`);
  await page.close();
  assert.deepEqual(asked.slice(before), []);
});
