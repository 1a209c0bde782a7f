/** Which Debian mirror this machine already uses, read from apt's own sources. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One repository out of apt's sources. */
export interface AptSource {
  readonly uri: string;
  readonly suites: readonly string[];
}

/** Reads the one-line format: `deb [options] URI SUITE COMPONENT…`. */
export function parseList(text: string): AptSource[] {
  return text.split('\n').flatMap(line => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)/.exec(line);
    return match?.[1] && match[2] ? [{ uri: match[1], suites: [match[2]] }] : [];
  });
}

/** Reads the deb822 format: stanzas of `Types:`, `URIs:`, `Suites:`. */
export function parseDeb822(text: string): AptSource[] {
  return text.split(/\n\s*\n/).flatMap(stanza => {
    const fields = new Map<string, string[]>();
    let field: string[] = [];
    for (const line of stanza.split('\n')) {
      if (line.startsWith('#')) continue;
      const head = /^([A-Za-z-]+):(.*)$/.exec(line);
      if (head?.[1] !== undefined) fields.set(head[1].toLowerCase(), (field = []));
      field.push(...(head?.[2] ?? line).split(/\s+/).filter(word => word !== ''));
    }
    if (!fields.get('types')?.includes('deb') || fields.get('enabled')?.[0] === 'no') return [];
    return (fields.get('uris') ?? []).map(uri => ({ uri, suites: fields.get('suites') ?? [] }));
  });
}

/** The first source that carries the running release itself: its mirror has the other suites as well. */
export function pickMirror(sources: readonly AptSource[], codename: string): string | undefined {
  return sources.find(source => /^https?:/.test(source.uri) && source.suites.includes(codename))?.uri;
}

/** The mirror to fetch packages of another suite from. PARLEY_TEST_DEBIAN_MIRROR overrides what apt says. */
export function debianMirror(env: NodeJS.ProcessEnv = process.env): string {
  if (env.PARLEY_TEST_DEBIAN_MIRROR) return env.PARLEY_TEST_DEBIAN_MIRROR;
  const release = readFileSync('/etc/os-release', 'utf8');
  const codename = /^VERSION_CODENAME="?(\w+)/m.exec(release)?.[1] ?? '';
  const mirror = /^ID="?debian/m.test(release) ? pickMirror(aptSources(), codename) : undefined;
  if (mirror === undefined) {
    throw new Error("no Debian mirror in apt's sources; name one in PARLEY_TEST_DEBIAN_MIRROR");
  }
  return mirror;
}

function aptSources(etc = '/etc/apt'): AptSource[] {
  const parts = join(etc, 'sources.list.d');
  const files = [join(etc, 'sources.list'), ...list(parts).map(name => join(parts, name))];
  return files.flatMap(file => {
    if (file.endsWith('.sources')) return parseDeb822(read(file));
    return file.endsWith('.list') ? parseList(read(file)) : [];
  });
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch {
    return [];
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
