import { type ClientRequest, type IncomingHttpHeaders, request } from 'node:http';

/** As much of XMLHttpRequest as the official client of gRPC-Web needs, above node:http. https://xhr.spec.whatwg.org/ */
export class NodeXmlHttpRequest {
  readyState = 0;
  status = 0;
  responseType = '';
  onreadystatechange: (() => void) | undefined;
  #chunks: Buffer[] = [];
  #headers: IncomingHttpHeaders = {};
  #request: ClientRequest | undefined;
  #url = '';
  readonly #fields: Record<string, string> = {};

  open(_method: string, url: string): void {
    this.#url = url;
    this.#state(1);
  }

  setRequestHeader(name: string, value: string): void {
    this.#fields[name] = value;
  }

  send(body: string | Uint8Array): void {
    const sent = request(this.#url, { method: 'POST', headers: this.#fields });
    this.#request = sent;
    sent.on('response', response => {
      this.status = response.statusCode ?? 0;
      this.#headers = response.headers;
      this.#state(2);
      response.on('data', (chunk: Buffer) => {
        this.#chunks.push(chunk);
        this.#state(3);
      });
      response.on('close', () => this.#state(4));
    });
    sent.on('error', () => {
      if (this.readyState !== 4) this.#state(4);
    });
    sent.end(body);
  }

  abort(): void {
    this.#request?.destroy();
  }

  get responseText(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }

  get response(): ArrayBuffer | string | null {
    if (this.responseType !== 'arraybuffer') return this.responseText;
    return this.readyState === 4 ? Uint8Array.from(Buffer.concat(this.#chunks)).buffer : null;
  }

  get statusText(): string {
    return '';
  }

  getResponseHeader(name: string): string | null {
    return this.#headers[name.toLowerCase()]?.toString() ?? null;
  }

  getAllResponseHeaders(): string {
    return Object.entries(this.#headers)
      .map(([name, value]) => `${name}: ${String(value)}\r\n`)
      .join('');
  }

  #state(state: number): void {
    this.readyState = state;
    this.onreadystatechange?.();
  }
}
