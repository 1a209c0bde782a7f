import { createHash } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';

/** Pixels of a picture, each way. */
const SIDE = 96;
/** Samples of a pixel, each way: edges without steps. */
const SAMPLES = 2;

type Colour = readonly [red: number, green: number, blue: number];

/** Draws a picture for a name: three discs and a band in colours of its own; the same name always gets the same. */
export function pictureOf(name: string): Uint8Array {
  const hash = createHash('sha256').update(name).digest();
  const share = (i: number) => (hash[i] as number) / 255;
  const hue = share(0) * 360;
  const ground = colour(hue, 0.45, 0.88);
  const discs = [150, 35, 205].map((turn, i) => ({
    x: 0.2 + 0.6 * share(1 + i * 3),
    y: 0.2 + 0.6 * share(2 + i * 3),
    radius: 0.34 - 0.09 * i + 0.08 * share(3 + i * 3),
    colour: colour(hue + turn + 30 * share(10 + i), 0.6, 0.42 + 0.12 * i),
  }));
  const slope = Math.tan((share(14) - 0.5) * 2);
  const band = colour(hue + 180, 0.5, 0.72);
  const at = (x: number, y: number): Colour => {
    const disc = discs.findLast(one => (x - one.x) ** 2 + (y - one.y) ** 2 < one.radius ** 2);
    if (disc) return disc.colour;
    return Math.abs(y - 0.5 - slope * (x - 0.5)) < 0.12 ? band : ground;
  };

  const rows = Buffer.alloc(SIDE * (1 + SIDE * 3));
  let place = 0;
  for (let y = 0; y < SIDE; y++) {
    rows[place++] = 0; // no filter
    for (let x = 0; x < SIDE; x++) {
      const sum = [0, 0, 0];
      for (let i = 0; i < SAMPLES * SAMPLES; i++) {
        const one = at(
          (x + ((i % SAMPLES) + 0.5) / SAMPLES) / SIDE,
          (y + (Math.floor(i / SAMPLES) + 0.5) / SAMPLES) / SIDE,
        );
        for (let c = 0; c < 3; c++) sum[c] = (sum[c] as number) + (one[c] as number);
      }
      for (const total of sum) rows[place++] = Math.round(total / (SAMPLES * SAMPLES));
    }
  }
  return png(rows);
}

/** A picture of 8-bit red, green and blue (RFC 2083). */
function png(rows: Buffer): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return new Uint8Array(
    Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows, { level: 9 })), chunk('IEND')]),
  );
}

function chunk(type: string, data: Buffer = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** From hue (degrees), saturation and lightness (0 to 1). */
function colour(hue: number, saturation: number, lightness: number): Colour {
  const amplitude = saturation * Math.min(lightness, 1 - lightness);
  const part = (n: number) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (lightness - amplitude * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [part(0), part(8), part(4)];
}
