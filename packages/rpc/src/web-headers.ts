/**
 * The fields of a request that calls look at. Read from the raw list, because the object Node makes of all fields costs
 * more than the rest of the header. Of a field that comes twice the first counts.
 */
export class WebHeaders {
  contentType: string | undefined = undefined;
  /** All fields: names and values in turn. */
  readonly raw: readonly string[];
  contentEncoding: string | undefined = undefined;
  encoding: string | undefined = undefined;
  authorization: string | undefined = undefined;
  timeout: string | undefined = undefined;
  traceparent: string | undefined = undefined;
  origin: string | undefined = undefined;
  requestId: string | undefined = undefined;
  /** All of them, in order: every proxy on the way may add one. */
  forwardedFor: string | undefined = undefined;

  /** `raw`: names and values in turn. */
  constructor(raw: readonly string[]) {
    this.raw = raw;
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = raw[i] as string;
      // Only names of these lengths can be meant.
      switch (name.length) {
        case 6:
        case 11:
        case 12:
        case 13:
        case 15:
        case 16:
          this.#take(name.toLowerCase(), raw[i + 1] as string);
      }
    }
  }

  #take(name: string, value: string): void {
    switch (name) {
      case 'content-type':
        this.contentType ??= value;
        break;
      case 'authorization':
        this.authorization ??= value;
        break;
      case 'grpc-timeout':
        this.timeout ??= value;
        break;
      case 'origin':
        this.origin ??= value;
        break;
      case 'traceparent':
        this.traceparent ??= value;
        break;
      case 'x-request-id':
        this.requestId ??= value;
        break;
      case 'grpc-encoding':
        this.encoding ??= value;
        break;
      case 'content-encoding':
        this.contentEncoding ??= value;
        break;
      case 'x-forwarded-for':
        this.forwardedFor = this.forwardedFor === undefined ? value : `${this.forwardedFor},${value}`;
    }
  }
}
