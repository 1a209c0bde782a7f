import { availabilityClass, createParleyClient, type ParleyClient } from '@parley/client';

/** The first conversation of the README, as it stands there. */
export async function firstConversation(baseUrl: string, address: string, password: string, to: string): Promise<void> {
  const parley: ParleyClient = createParleyClient({ baseUrl, name: 'ward-board' });
  await parley.signIn(address, password);
  await parley.connect();

  const [tom] = await parley.findPeople([to]);
  if (!tom) throw new Error(`nobody is called ${to}`);

  const presence = parley.presence.of(tom.id);
  presence.subscribe(() => console.log(tom.displayName, availabilityClass(presence.getSnapshot().availability)));
  await parley.watch([tom.id]);

  const conversation = parley.conversations.with(tom.id);
  conversation.subscribe(() => console.log(conversation.getSnapshot().messages.map(m => `${m.text} (${m.state})`)));
  await parley.loadHistory(tom.id);

  const { acknowledged } = parley.send(tom.id, 'Good morning, is ward 3 ready?');
  await acknowledged; // durable

  await parley.close();
}
