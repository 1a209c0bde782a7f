/** Most bytes of one message, headers included. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;

const SUBJECT = /^[A-Za-z0-9_-]{1,128}(?:\.[A-Za-z0-9_-]{1,128})*$/;
const PATTERN = /^(?:[A-Za-z0-9_-]{1,128}|\*)(?:\.(?:[A-Za-z0-9_-]{1,128}|\*))*(?:\.>)?$/;
const HEADER_NAME = /^[!-9;-~]{1,128}$/;
const HEADER_VALUE = /^[ -~]{0,4096}$/;

/** Throws a RangeError for a subject that `subject()` cannot have made. */
export function checkSubject(subject: string): void {
  if (!SUBJECT.test(subject)) throw new RangeError(`unsafe subject ${JSON.stringify(subject.slice(0, 140))}`);
}

/** Throws a RangeError for anything but tokens, `*` and a final `>`. */
export function checkPattern(pattern: string): void {
  if (pattern !== '>' && !PATTERN.test(pattern)) {
    throw new RangeError(`unsafe pattern ${JSON.stringify(pattern.slice(0, 140))}`);
  }
}

/** Throws a RangeError for a name of a queue group that is no token. */
export function checkQueue(queue: string | undefined): void {
  if (queue !== undefined && !/^[A-Za-z0-9_-]{1,128}$/.test(queue)) {
    throw new RangeError(`unsafe queue group ${JSON.stringify(queue.slice(0, 140))}`);
  }
}

/**
 * Throws a RangeError when headers and data together exceed {@link MAX_MESSAGE_BYTES} or a header cannot be carried:
 * names are visible ASCII without `:`, at most 128 characters; values printable ASCII, at most 4,096.
 */
export function checkMessage(data: Uint8Array, headers: Readonly<Record<string, string>> | undefined): void {
  let bytes = data.byteLength;
  if (headers !== undefined) {
    bytes += 12;
    for (const name in headers) {
      const value = headers[name] ?? '';
      if (!HEADER_NAME.test(name)) throw new RangeError(`unsafe header name ${JSON.stringify(name.slice(0, 140))}`);
      if (!HEADER_VALUE.test(value) || value !== value.trim()) throw new RangeError(`unsafe value of header ${name}`);
      bytes += name.length + value.length + 4;
    }
  }
  if (bytes > MAX_MESSAGE_BYTES) {
    throw new RangeError(`a message of ${bytes} bytes exceeds the limit of ${MAX_MESSAGE_BYTES}`);
  }
}

/** First token of a subject or pattern: the only part of it that may stand in logs and labels. */
export function firstToken(subject: string): string {
  const dot = subject.indexOf('.');
  return dot < 0 ? subject : subject.slice(0, dot);
}
