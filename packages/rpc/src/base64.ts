const invalid = 64;
const values = new Uint8Array(256).fill(invalid);
for (const [i, char] of [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'].entries()) {
  values[char.charCodeAt(0)] = i;
}
const pad = 61;

/**
 * Decodes base64 (RFC 4648, 4) that may consist of several padded pieces, one per chunk its writer wrote. Undefined when
 * it is anything else. One pass, whatever the text: what comes from a stranger must not cost more than its length.
 */
export function decodeBase64(text: Uint8Array): Buffer | undefined {
  if (text.length % 4 !== 0) return undefined;
  const bytes = Buffer.allocUnsafe((text.length / 4) * 3);
  let at = 0;
  for (let i = 0; i < text.length; i += 4) {
    const c = text[i + 2] as number;
    const d = text[i + 3] as number;
    const v0 = values[text[i] as number] as number;
    const v1 = values[text[i + 1] as number] as number;
    const v2 = c === pad && d === pad ? 0 : (values[c] as number);
    const v3 = d === pad ? 0 : (values[d] as number);
    if (v0 === invalid || v1 === invalid || v2 === invalid || v3 === invalid) return undefined;
    bytes[at++] = (v0 << 2) | (v1 >> 4);
    if (c !== pad) bytes[at++] = ((v1 & 15) << 4) | (v2 >> 2);
    if (d !== pad) bytes[at++] = ((v2 & 3) << 6) | v3;
  }
  return bytes.subarray(0, at);
}
