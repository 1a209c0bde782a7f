import { createHash } from 'node:crypto';

/** Somebody's picture. */
export interface Photo {
  readonly v: 1;
  readonly mediaType: PhotoType;
  readonly data: Uint8Array;
  readonly version: string;
}

export type PhotoType = 'image/png' | 'image/jpeg' | 'image/webp';

export interface PhotoFormat {
  readonly mediaType: PhotoType;
  readonly width: number;
  readonly height: number;
}

export const maxPhotoBytes = 65_536;
export const maxPhotoSide = 512;

/** Equal pictures have equal versions. */
export function photoVersion(data: Uint8Array): string {
  return createHash('sha256').update(data).digest().toString('base64url', 0, 12);
}

/** What a picture says of itself in its first bytes; undefined when it is none that everybody's browser shows. */
export function photoFormat(data: Uint8Array): PhotoFormat | undefined {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const found = png(bytes) ?? jpeg(bytes) ?? webp(bytes);
  return found && found.width > 0 && found.height > 0 ? found : undefined;
}

const pngStart = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);

/** RFC 2083: the header chunk comes first. */
function png(bytes: Buffer): PhotoFormat | undefined {
  if (bytes.length < 33 || !bytes.subarray(0, 16).equals(pngStart)) return undefined;
  return { mediaType: 'image/png', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

/** ITU T.81: segments until the one that begins the frame. */
function jpeg(bytes: Buffer): PhotoFormat | undefined {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8) return undefined;
  let at = 2;
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] as number;
    if (marker === 0xff) {
      at++;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      return { mediaType: 'image/jpeg', height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    }
    const length = bytes.readUInt16BE(at + 2);
    // Image data (and its end) before any frame: no picture.
    if (marker === 0xda || marker === 0xd9 || length < 2) return undefined;
    at += 2 + length;
  }
  return undefined;
}

/** RFC 9649: simple lossy, simple lossless, extended. */
function webp(bytes: Buffer): PhotoFormat | undefined {
  if (bytes.length < 30 || bytes.toString('latin1', 0, 4) !== 'RIFF') return undefined;
  if (bytes.toString('latin1', 8, 12) !== 'WEBP') return undefined;
  const mediaType = 'image/webp';
  switch (bytes.toString('latin1', 12, 16)) {
    case 'VP8 ':
      if (bytes.readUIntBE(23, 3) !== 0x9d012a) return undefined;
      return { mediaType, width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
    case 'VP8L': {
      if (bytes[20] !== 0x2f) return undefined;
      const bits = bytes.readUInt32LE(21);
      return { mediaType, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case 'VP8X':
      return { mediaType, width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
    default:
      return undefined;
  }
}
