import type { AuditEntry, Purpose } from '../domain/audit-entry.ts';
import type { SignedCheckpoint } from '../domain/checkpoint.ts';
import { parsePlace } from '../domain/place.ts';
import type { CheckpointSigner } from '../ports/checkpoint-signer.ts';
import { isoOf } from './asked-query.ts';
import type { ChainExtent } from './chains.ts';
import type { FileEntry } from './export-files.ts';
import type { FoundRecord } from './read-records.ts';
import { partyJson, STATE_NAMES } from './record-line.ts';

interface ChainTally {
  first: string;
  last: string;
  records: number;
  beyondCheckpoint: number;
}

/** Counts what is exported, chain by chain. `checkpoints` are the last ones when the export began. */
export class ExportTally {
  readonly checkpoints: ReadonlyMap<string, SignedCheckpoint | undefined>;
  readonly chains = new Map<string, ChainTally>();
  readonly states = new Map<string, number>();
  records = 0;
  lookedAt = 0;
  altered = 0;
  gone = 0;

  constructor(checkpoints: ReadonlyMap<string, SignedCheckpoint | undefined>) {
    this.checkpoints = checkpoints;
  }

  look(wanted: number, found: number): void {
    this.lookedAt += wanted;
    this.gone += wanted - found;
  }

  add({ link, state, intact }: FoundRecord): void {
    const { chain, offset } = parsePlace(link.place) as { chain: string; offset: number };
    const tally = this.chains.get(chain) ?? { first: link.place, last: link.place, records: 0, beyondCheckpoint: 0 };
    if (link.place < tally.first) tally.first = link.place;
    if (link.place > tally.last) tally.last = link.place;
    tally.records++;
    if (offset >= (this.checkpoints.get(chain)?.next ?? 0)) tally.beyondCheckpoint++;
    this.chains.set(chain, tally);
    const name = STATE_NAMES[state] ?? String(state);
    this.states.set(name, (this.states.get(name) ?? 0) + 1);
    this.records++;
    if (!intact) this.altered++;
  }
}

export interface ManifestFacts {
  readonly version: string;
  readonly createdMs: number;
  readonly begun: AuditEntry;
  readonly purpose: Purpose;
  readonly format: string;
  readonly query: object;
  /** Ids of those who were asked for. */
  readonly found: readonly (readonly string[])[];
  readonly tally: ExportTally;
  readonly extents: readonly ChainExtent[];
  /** Whether everything accepted before it began had been archived. */
  readonly whole: boolean;
  readonly files: readonly FileEntry[];
  readonly parkedInArchive: number;
}

/** What the export is and holds. The signature is over exactly these bytes. */
export function manifestOf(facts: ManifestFacts): Uint8Array {
  const { begun, purpose, tally } = facts;
  const manifest = {
    manifest: 'parley.archive.export',
    manifest_version: 1,
    product: { name: 'Parley', version: facts.version },
    created: isoOf(facts.createdMs),
    started: isoOf(begun.atMs),
    by: partyJson(begun.person),
    case_id: purpose.caseId,
    reason: purpose.reason,
    audit: { audit_id: begun.auditId, number: begun.number, hash: begun.hash },
    format: facts.format,
    query: facts.query,
    people: facts.found,
    everything_accepted_was_archived: facts.whole,
    counts: {
      records: tally.records,
      ...Object.fromEntries([...tally.states].sort(([a], [b]) => (a < b ? -1 : 1))),
      altered: tally.altered,
      purged: tally.gone,
      parked_in_archive: facts.parkedInArchive,
    },
    chains: facts.extents.map(({ chain, next }) => chainJson(chain, next, tally)),
    files: facts.files,
  };
  return Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
}

/** How far the archive reached when the export began, what is in it of that, and what a signed checkpoint covers. */
function chainJson(chain: string, next: number, tally: ExportTally) {
  const found = tally.chains.get(chain);
  const checkpoint = tally.checkpoints.get(chain);
  return {
    chain,
    next_offset: next,
    records: found?.records ?? 0,
    ...(found && { first_link: found.first, last_link: found.last, beyond_checkpoint: found.beyondCheckpoint }),
    ...(checkpoint && {
      checkpoint: {
        first_offset: checkpoint.first,
        next_offset: checkpoint.next,
        hash: checkpoint.hash,
        at: isoOf(checkpoint.atMs),
        key_id: checkpoint.keyId,
        signature: checkpoint.signature,
      },
    }),
  };
}

/** The signature of a manifest, with the public key it verifies with. */
export function signatureOf(signer: CheckpointSigner, manifest: Uint8Array): Uint8Array {
  const signature = {
    algorithm: 'Ed25519',
    key_id: signer.keyId,
    public_key: signer.publicPem,
    signature: Buffer.from(signer.sign(manifest)).toString('base64'),
  };
  return Buffer.from(`${JSON.stringify(signature, undefined, 2)}\n`);
}
