import { ParleyClientError, toClientError } from '@parley/client';

/** Undefined when the work is refused with this code. */
export async function unless<T>(code: string, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    const failure = toClientError(error);
    if (failure instanceof ParleyClientError && failure.code === code) return undefined;
    throw failure;
  }
}
