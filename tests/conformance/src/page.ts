/** What the page of another origin runs; `travel` is called from the test. */
import { connectWeb, officialClient } from './foreign-clients.ts';
import { type Journey, type Traveller, travel } from './journey.ts';

export type Kind = 'grpcweb' | 'grpcwebtext' | 'connect-web';

declare global {
  interface Window {
    /** Given by the test. */
    sessions(n: number): Promise<void>;
    travel(kind: Kind, baseUrl: string, who: Traveller): Promise<Journey>;
  }
}

window.travel = (kind, baseUrl, who) => {
  const client =
    kind === 'connect-web' ? connectWeb(baseUrl) : officialClient(baseUrl, kind === 'grpcweb' ? 'binary' : 'text');
  return travel(client, who, window.sessions);
};
