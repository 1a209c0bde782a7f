/** A distinguished name in one spelling (RFC 4514 as far as names meet in practice): case, spaces and escapes. */
export function dnKey(dn: string): string {
  return parts(dn, /[,;]/)
    .map(rdn =>
      parts(rdn, /\+/)
        .map(pair => {
          const at = pair.indexOf('=');
          if (at === -1) return unescape(pair.trim()).toLowerCase();
          return `${pair.slice(0, at).trim().toLowerCase()}=${valueOf(pair.slice(at + 1))
            .normalize('NFKC')
            .toLowerCase()
            .replace(/\s+/g, ' ')}`;
        })
        .sort()
        .join('\u0001'),
    )
    .join('\u0002');
}

/** Whether text is written as a distinguished name. */
export const looksLikeDn = (text: string): boolean => /^\s*(cn|uid|ou|dc|o|[A-Za-z]{2,32})\s*=[^,]+(,|$)/i.test(text);

/** The first value of a distinguished name, like `Nurses` of `CN=Nurses,OU=Groups,DC=clinic`; undefined for none. */
export function commonNameOf(dn: string): string | undefined {
  if (!looksLikeDn(dn)) return undefined;
  const [first = ''] = parts(dn, /[,;]/);
  const value = valueOf(first.slice(first.indexOf('=') + 1));
  return value === '' ? undefined : value;
}

/** Cuts at separators that no backslash escapes and no quotation mark encloses. */
function parts(text: string, separator: RegExp): string[] {
  const found: string[] = [];
  let part = '';
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const c = text[at] as string;
    if (c === '\\' && at + 1 < text.length) part += c + text[++at];
    else if (c === '"') {
      quoted = !quoted;
      part += c;
    } else if (!quoted && separator.test(c)) {
      found.push(part);
      part = '';
    } else part += c;
  }
  found.push(part);
  return found;
}

function valueOf(raw: string): string {
  const text = raw.replace(/^\s+/, '').replace(/(?<!\\)\s+$/, '');
  return unescape(/^".*"$/s.test(text) ? text.slice(1, -1) : text);
}

/** `\2C` and `\,` become what they stand for; pairs of digits are bytes of UTF-8. */
function unescape(text: string): string {
  return text.replace(/(?:\\[0-9A-Fa-f]{2})+|\\(.)/gs, (all, one: string | undefined) =>
    one === undefined ? Buffer.from(all.replaceAll('\\', ''), 'hex').toString('utf8') : one,
  );
}
