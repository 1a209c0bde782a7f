import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const CHROMIUM = process.env.PARLEY_TEST_CHROMIUM ?? '/usr/bin/chromium';
/** Fonts are for the screenshots: Chinese and emoji as people have them. */
const PACKAGES = ['chromium', 'fonts-noto-cjk', 'fonts-noto-color-emoji'];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts Chromium with a profile of its own; installs Debian's where it is missing and may be installed. */
export async function startChromium(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) install();
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
}

function install(): void {
  const may =
    process.getuid?.() === 0 && existsSync('/usr/bin/apt-get') && process.env.PARLEY_TEST_CHROMIUM === undefined;
  if (!may) throw new Error(`${CHROMIUM} is missing: install Chromium, or name it in PARLEY_TEST_CHROMIUM`);
  console.error(`installing ${PACKAGES.join(', ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...PACKAGES]]) {
    const { status } = spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env });
    if (status !== 0) throw new Error(`apt-get ${args[0]} ended with ${status}`);
  }
}
