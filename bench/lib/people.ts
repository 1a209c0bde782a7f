import { createClient } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import { createParleyClient } from '@parley/client';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import type { Target } from './server.ts';

/** A signed-in person. */
export interface BenchPerson {
  readonly id: string;
  readonly token: string;
}

let runs = 0;

/** Makes and signs in `n` people, a few at a time. */
export async function signInPeople({ parley }: Pick<Target, 'parley'>, n: number): Promise<BenchPerson[]> {
  const admin = createParleyClient({ baseUrl: parley.url });
  await admin.signIn(parley.administrator.address, parley.administrator.password);
  const auth = createClient(AuthService, createGrpcWebTransport({ baseUrl: parley.url }));
  const people: BenchPerson[] = [];
  const run = runs++;
  const one = async (i: number) => {
    const address = `b${run}-${i}@parley.example`;
    const password = `bench-password-${i}`;
    await admin.services.directoryAdmin.createPerson({
      requestId: crypto.randomUUID(),
      address,
      displayName: `Bench ${i}`,
      initialPassword: password,
    });
    const { tokens, person } = await auth.signIn({ address, password });
    people[i] = { id: person?.id ?? '', token: tokens?.accessToken ?? '' };
  };
  for (let i = 0; i < n; i += 10) await Promise.all(Array.from({ length: Math.min(10, n - i) }, (_, j) => one(i + j)));
  await admin.close();
  return people;
}
