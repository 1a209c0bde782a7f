import type { Ref } from 'react';

/** Fluent's types lose which element a ref is for under exactOptionalPropertyTypes. */
export const fluentRef = (ref: Ref<HTMLInputElement> | Ref<HTMLTextAreaElement> | Ref<HTMLButtonElement>) =>
  ref as Ref<never>;
