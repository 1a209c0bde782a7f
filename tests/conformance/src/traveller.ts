import { createParleyClient } from '@parley/client';
import type { ParleyUnderTest } from '@parley/testkit';
import type { Traveller } from './journey.ts';

/** Makes two people: one who travels and one who is written to. */
export async function traveller(parley: ParleyUnderTest): Promise<Traveller> {
  const admin = createParleyClient({ baseUrl: parley.url, name: 'conformance-test' });
  await admin.signIn(parley.administrator.address, parley.administrator.password);
  const person = async (displayName: string, address: string) => {
    const password = `pw-${crypto.randomUUID()}`;
    const rest = { requestId: crypto.randomUUID(), displayName, address, initialPassword: password };
    const { account } = await admin.services.directoryAdmin.createPerson(rest);
    return { address, password, id: account?.person?.id ?? '' };
  };
  const { id } = await person('Ben Osei', 'ben@parley.example');
  const { address, password } = await person('Ada Conradi', 'ada@parley.example');
  await admin.close();
  return { address, password, recipientId: id };
}
