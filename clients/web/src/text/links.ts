/** A part of a text: plain, or a link. */
export interface TextPart {
  readonly text: string;
  /** Where it leads; only http and https. */
  readonly href?: string;
}

/** Where a link may begin, and what may follow: everything but white space, quotes, angle brackets and CJK signs. */
const CANDIDATE =
  /(?:https?:\/\/|www\.)[^\s<>"'`\u3000-\u3003\u3008-\u3011\u3014-\u301f\uff01\uff08\uff09\uff0c\uff1a\uff1b\uff1f\u2018-\u201f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069]+/giu;
/** Signs that end a sentence rather than a link. */
const TRAILING = new Set('.,:;!?…');
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Finds the links of a text. Joined again, the parts are the text. */
export function findLinks(text: string): readonly TextPart[] {
  const parts: TextPart[] = [];
  let at = 0;
  for (const match of text.matchAll(CANDIDATE)) {
    const before = text[match.index - 1];
    if (before !== undefined && /[\p{Script=Latin}\p{N}@_-]/u.test(before)) continue; // within a word
    const found = trimEnd(match[0]);
    const href = hrefOf(found);
    if (href === undefined) continue;
    if (match.index > at) parts.push({ text: text.slice(at, match.index) });
    parts.push({ text: found, href });
    at = match.index + found.length;
  }
  if (at < text.length) parts.push({ text: text.slice(at) });
  return parts;
}

/** Takes off what belongs to the sentence: its end, and brackets that were opened before the link. */
function trimEnd(candidate: string): string {
  const unclosed: Record<string, number> = { ')': 0, ']': 0, '}': 0 };
  for (const sign of candidate) {
    const closing = CLOSING[sign];
    if (closing !== undefined) unclosed[closing] = (unclosed[closing] as number) + 1;
    else if (sign in unclosed) unclosed[sign] = (unclosed[sign] as number) - 1;
  }
  let end = candidate.length;
  for (; end > 0; end--) {
    const last = candidate[end - 1] as string;
    const left = unclosed[last];
    if (left !== undefined && left < 0) unclosed[last] = left + 1;
    else if (!TRAILING.has(last)) break;
  }
  return candidate.slice(0, end);
}

/** The address of a link; undefined when it is none that a person should be led to. */
function hrefOf(text: string): string | undefined {
  let url: URL;
  try {
    url = new URL(/^www\./i.test(text) ? `https://${text}` : text);
  } catch {
    return undefined;
  }
  const { hostname, username, password } = url;
  // `https://bank.example@elsewhere.example` leads elsewhere than it says
  if (username !== '' || password !== '') return undefined;
  const named = hostname === 'localhost' || hostname.includes('.') || hostname.startsWith('[');
  return named ? url.href : undefined;
}
