import type { Document, Filter, Sort } from 'mongodb';
import type { OrderedPlan, Scalar, TokensPlan } from '../../query.ts';
import type { OrderedIndex, TokensIndex } from '../../spec.ts';
import type { Stored } from './codec.ts';

/** What a read asks of the server. */
export interface Find {
  readonly filter: Filter<Stored>;
  readonly sort: Sort;
}

/** A read of an ordered index. */
export function orderedFind(plan: OrderedPlan): Find {
  const { index, equals, after, desc } = plan;
  const parts: Document[] = equals.map((value, i) => ({ [index.key[i] as string]: value }));
  if (index.sparse) parts.push({ [index.fields[0] as string]: { $exists: true } });
  if (plan.rangeField !== undefined) {
    const { rangeField, lower, upper } = plan;
    if (lower) parts.push({ [rangeField]: { [lower.inclusive ? '$gte' : '$gt']: lower.value } });
    if (upper) parts.push({ [rangeField]: { [upper.inclusive ? '$lte' : '$lt']: upper.value } });
  }
  const rest = index.key.slice(equals.length);
  if (after && rest.length > 0) parts.push(...beyond(rest, after, desc));
  return { filter: and(parts), sort: Object.fromEntries(index.key.map(f => [f, desc ? -1 : 1])) };
}

/** A search, newest first. */
export function tokensFind(plan: TokensPlan): Find {
  const { index, scope, words, after } = plan;
  const parts: Document[] = [{ [index.scope]: scope }, { [index.field]: { $all: words } }];
  if (after) parts.push(...beyond([index.newest, '_id'], after, true));
  return { filter: and(parts), sort: { [index.newest]: -1, _id: -1 } };
}

/** Conditions for what stands after `values` in the order of `fields`; null stands first. */
function beyond(fields: readonly string[], values: readonly Scalar[], desc: boolean): Document[] {
  const choices: Document[] = [];
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as string;
    const value = values[i] as Scalar;
    const same = fields.slice(0, i).map((f, j) => ({ [f]: values[j] ?? null }));
    if (value === null && desc) continue;
    if (value === null) choices.push(and([...same, { [field]: { $ne: null } }]));
    else if (!desc) choices.push(and([...same, { [field]: { $gt: value } }]));
    else
      choices.push(
        and([...same, { [field]: { $lt: value } }]),
        ...(field === '_id' ? [] : [and([...same, { [field]: null }])]),
      );
  }
  const [first, value] = [fields[0] as string, values[0] as Scalar];
  // Says once more, in a form that bounds the index, what all choices have in common.
  const common = value === null ? [] : desc ? [{ [first]: { $not: { $gt: value } } }] : [{ [first]: { $gte: value } }];
  return [...common, choices.length === 0 ? { _id: { $in: [] } } : { $or: choices }];
}

const and = (parts: readonly Document[]): Document =>
  parts.length === 0 ? {} : parts.length === 1 ? (parts[0] as Document) : { $and: parts };

/** Keys of an index on the server. */
export function indexKeys(index: OrderedIndex | TokensIndex): Record<string, 1 | -1> {
  if (index.kind === 'tokens') return { [index.scope]: 1, [index.field]: 1, [index.newest]: -1, _id: -1 };
  return Object.fromEntries(index.key.map(f => [f, 1]));
}
