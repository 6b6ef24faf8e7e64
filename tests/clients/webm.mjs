// A film without an encoder: Chromium writes pictures as WebP, whose lossy kind is a key frame of VP8, and a WebM file
// is such frames with a table of contents. The table comes last, so that whoever wants to jump has to ask for the end.

/** Pictures of VP8, one for each second. The shade of the left half tells which; the right half is noise, which is long. */
export async function drawFrames(page, count, { width = 640, height = 480 } = {}) {
  const pictures = await page.evaluate(
    async ([count, width, height]) => {
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      const context = canvas.getContext("2d", { alpha: false });
      const drawn = [];
      for (let number = 0; number < count; number += 1) {
        const noise = context.createImageData(width / 2, height);
        const words = new Uint32Array(noise.data.buffer);
        for (let at = 0; at < words.length; at += 1) words[at] = (Math.random() * 0xffffff) | 0xff000000;
        const shade = 40 + number * 2;
        context.fillStyle = `rgb(${shade},${shade},${shade})`;
        context.fillRect(0, 0, width, height);
        context.putImageData(noise, width / 2, 0);
        const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/webp", 0.9));
        const url = await new Promise((resolve) => {
          const reader = new FileReader();
          reader.onload = () => resolve(reader.result);
          reader.readAsDataURL(blob);
        });
        drawn.push(url.slice(url.indexOf(",") + 1));
      }
      return drawn;
    },
    [count, width, height],
  );
  return { width, height, frames: pictures.map((picture) => keyFrame(Buffer.from(picture, "base64"))) };
}

export const shadeOf = (second) => 40 + second * 2;

function keyFrame(webp) {
  for (let at = 12; at + 8 <= webp.length; ) {
    const [kind, length] = [webp.toString("latin1", at, at + 4), webp.readUInt32LE(at + 4)];
    if (kind === "VP8 ") return webp.subarray(at + 8, at + 8 + length);
    at += 8 + length + (length % 2);
  }
  throw new Error("the picture is not lossy");
}

/** https://www.matroska.org/technical/elements.html */
export function film({ width, height, frames }) {
  const seekTo = (id, place) => element("4dbb", element("53ab", Buffer.from(id, "hex")), element("53ac", number(place, 8)));
  const info = element("1549a966", element("2ad7b1", number(1_000_000)), element("4489", float(frames.length * 1000)));
  const video = element("e0", element("b0", number(width)), element("ba", number(height)));
  const track = element("ae", element("d7", number(1)), element("73c5", number(1)), element("83", number(1)), element("86", Buffer.from("V_VP8")), video);
  const tracks = element("1654ae6b", track);
  const seekHead = (cues) => element("114d9b74", seekTo("1c53bb6b", cues));
  const begin = seekHead(0).length + info.length + tracks.length;
  const clusters = frames.map((frame, second) => {
    const block = Buffer.concat([Buffer.from([0x81, 0, 0, 0x80]), frame]);
    return element("1f43b675", element("e7", number(second * 1000)), element("a3", block));
  });
  let place = begin;
  const points = clusters.map((cluster, second) => {
    const at = element("b7", element("f7", number(1)), element("f1", number(place, 8)));
    place += cluster.length;
    return element("bb", element("b3", number(second * 1000)), at);
  });
  const segment = element("18538067", seekHead(place), info, tracks, ...clusters, element("1c53bb6b", ...points));
  const head = element("1a45dfa3", element("4282", Buffer.from("webm")), element("4287", number(2)), element("4285", number(2)));
  return Buffer.concat([head, segment]);
}

function element(id, ...content) {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  const size = number(length, 8);
  size[0] = 0x01;
  return Buffer.concat([Buffer.from(id, "hex"), size, ...content]);
}

function number(value, bytes = 4) {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64BE(BigInt(value));
  return buffer.subarray(8 - bytes);
}

function float(value) {
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleBE(value);
  return buffer;
}
