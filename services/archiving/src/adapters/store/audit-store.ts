import { type ScanQuery, type Store, StoreError } from '@parley/store';
import { type AuditDoc, archiveAudit } from '../../collections.ts';
import type { AuditQuery, AuditStore, SignedEntry } from '../../ports/audit-store.ts';

const VERSION = 1;
const idOf = (number: number): string => String(number).padStart(16, '0');

export function createAuditStore(store: Store): AuditStore {
  const entries = store.collection(archiveAudit);
  return {
    insert: async entry => (await entries.insert(toDoc(entry))).inserted,
    async last() {
      const [doc] = (await entries.scan('number', { order: 'desc', limit: 1 })).docs;
      return doc && fromDoc(doc);
    },
    async page(after, limit) {
      return (await entries.scan('number', { range: { gt: idOf(after) }, limit })).docs.map(fromDoc);
    },
    getMany: async numbers => (await entries.getMany(numbers.map(idOf))).map(fromDoc),
    async list({ caseId, personId, fromMs, untilMs, limit, after }: AuditQuery) {
      const range = { gte: fromMs, lt: untilMs };
      const query: ScanQuery = { range, order: 'desc', limit, ...(after !== undefined && { after }) };
      const [index, equals] =
        caseId !== undefined
          ? (['case', [caseId]] as const)
          : personId !== undefined
            ? (['person', [personId]] as const)
            : (['time', []] as const);
      try {
        const { docs, next } = await entries.scan(index, { ...query, equals });
        const found = docs.map(fromDoc);
        return { entries: personId === undefined ? found : found.filter(e => e.person.id === personId), next };
      } catch (error) {
        if (error instanceof StoreError && error.code === 'store.bad_cursor') return undefined;
        throw error;
      }
    },
  };
}

function toDoc(entry: SignedEntry): AuditDoc {
  const { number, auditId, atMs, person, action, purpose, detailJson, outcomeJson, peer, hash, keyId, signature } =
    entry;
  return {
    ...{ _id: idOf(number), v: VERSION, auditId, at: atMs, action, peer, hash, keyId, signature },
    ...{ person: person.id, address: person.address, name: person.displayName },
    ...{ case: purpose.caseId, reason: purpose.reason, detail: detailJson, outcome: outcomeJson },
  };
}

function fromDoc(doc: AuditDoc): SignedEntry {
  return {
    ...{ number: Number(doc._id), auditId: doc.auditId, atMs: doc.at, action: doc.action, peer: doc.peer },
    ...{ hash: doc.hash, keyId: doc.keyId, signature: doc.signature },
    person: { id: doc.person, address: doc.address, displayName: doc.name },
    purpose: { caseId: doc.case, reason: doc.reason },
    detailJson: doc.detail,
    outcomeJson: doc.outcome,
  };
}
