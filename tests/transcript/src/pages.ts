import type { RunPageOptions } from './run-page.ts';

/** A page whose commands are a promise. */
export interface Page extends Pick<RunPageOptions, 'from'> {
  readonly path: string;
  /** Beginnings of what cannot be run here; a page that skips anything else fails. */
  readonly skipped?: readonly string[];
}

const from = 'empty directory';

/** In the order in which they are begun; the longest first. */
export const PAGES: readonly Page[] = [
  { path: 'docs/compliance/README.md', from },
  {
    path: 'docs/administrators/README.md',
    from,
    skipped: [
      'sudo git clone ',
      'sudo make ',
      'sudo ln -s ',
      'sudo useradd ',
      'sudo install -d ',
      'sudo cp /opt/parley/deploy/systemd/parley.service ',
      'sudo systemctl ',
      'sudo systemctl ',
      'journalctl ',
    ],
  },
  { path: 'docs/administrators/people.md', from },
  {
    path: 'docs/administrators/backup.md',
    from,
    skipped: ['sudo tee ', 'sudo tee ', 'sudo systemctl '],
  },
  { path: 'docs/administrators/tls.md', from, skipped: ['sudo systemctl '] },
  {
    path: 'docs/administrators/pool.md',
    from,
    skipped: [
      'parley migrate ',
      'parley import ',
      ...Array<string>(5).fill('parley serve '),
      'parleyctl archive verify',
    ],
  },
  {
    path: 'docs/administrators/upgrade.md',
    from,
    skipped: [
      'cd /opt/parley',
      'sudo git ',
      'sudo git ',
      'sudo make ',
      'sudo systemctl ',
      'sudo systemctl ',
      'parleyctl doctor',
    ],
  },
  { path: 'docs/administrators/keys.md', from },
  { path: 'docs/developers/README.md', from, skipped: ['make ', 'npm ', 'npm init', 'npm install ', 'npm install '] },
  { path: 'docs/developers/other-clients.md', from, skipped: ['npm ', 'npm ', ...Array<string>(4).fill('grpcurl ')] },
  { path: 'README.zh-TW.md', from: 'checkout', skipped: ['make test '] },
  { path: 'README.md', from: 'checkout', skipped: ['make test '] },
];
