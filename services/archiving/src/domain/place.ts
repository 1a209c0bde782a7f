/** One chain: a partition of a topic in one epoch of the log. */
export interface Chain {
  readonly epoch: number;
  readonly topic: string;
  readonly partition: number;
}

const FORM = /^(\d{16})\/([A-Za-z0-9._-]{1,64})\/(\d{4})(?:\/(\d{14}))?$/;
const pad = (value: number, width: number) => String(value).padStart(width, '0');

/** Text of a chain; sorts with its epoch, topic and partition. */
export const chainId = ({ epoch, topic, partition }: Chain): string =>
  `${pad(epoch, 16)}/${topic}/${pad(partition, 4)}`;

/** Text of a place in a chain: `epoch/topic/partition/offset`, padded so that places sort in the order of the log. */
export const placeOf = (chain: string, offset: number): string => `${chain}/${pad(offset, 14)}`;

/** Chain and offset of a place; undefined when the text is none. */
export function parsePlace(place: string): { readonly chain: string; readonly offset: number } | undefined {
  const match = FORM.exec(place);
  return match?.[4] === undefined ? undefined : { chain: place.slice(0, -15), offset: Number(match[4]) };
}

export function parseChain(chain: string): Chain | undefined {
  const match = FORM.exec(chain);
  if (!match || match[4] !== undefined) return undefined;
  return { epoch: Number(match[1]), topic: match[2] as string, partition: Number(match[3]) };
}

/** Bounds of everything in a chain, for a range of places. */
export const withinChain = (chain: string): { readonly gt: string; readonly lt: string } => ({
  gt: `${chain}/`,
  lt: `${chain}0`,
});
