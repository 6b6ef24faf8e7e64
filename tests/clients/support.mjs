// What the JavaScript tests share: the world that run.py made, a picture, patience.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { deflateSync } from "node:zlib";

export const world = JSON.parse(readFileSync(process.env.NOREN_WORLD, "utf8"));

/** A PNG with a gradient, so that blurhash has something to see. */
export function picture(width = 320, height = 200) {
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = y * (1 + width * 3) + 1 + x * 3;
      rows[at] = (x * 255) / width;
      rows[at + 1] = (y * 255) / height;
      rows[at + 2] = 128;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks = [chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([signature, ...chunks]);
}

function chunk(kind, data) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}

function crc32(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

/** Waits until `check` answers something true, and answers that. */
export async function eventually(check, seconds = 15) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${check}`);
    await sleep(100);
  }
}

/** The next value of `values` that `wanted` accepts, within some seconds. */
export async function next(values, wanted, seconds = 10) {
  const timeout = sleep(seconds * 1000).then(() => {
    throw new Error(`nothing within ${seconds} s for ${wanted}`);
  });
  const search = (async () => {
    for (;;) {
      const { value, done } = await values.next();
      if (done) throw new Error("the stream ended");
      if (wanted(value)) return value;
    }
  })();
  return Promise.race([search, timeout]);
}
