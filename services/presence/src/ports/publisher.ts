import type { Publication } from '../domain/settle.ts';

/** Tells whoever watches; at most once. */
export interface Publisher {
  publish(publication: Publication, traceparent: string | undefined): void;
}
