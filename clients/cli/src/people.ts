import { Code } from '@connectrpc/connect';
import { type ParleyClient, ParleyClientError, type Person } from '@parley/client';

/** People by what somebody typed, and names of people by id. */
export interface People {
  /** The person with this id or address. */
  one(idOrAddress: string): Promise<Person>;
  /** Several, in the order asked for. */
  all(idsOrAddresses: readonly string[]): Promise<readonly Person[]>;
  /** Name to show for an id; the id itself when nobody knows better. */
  nameOf(id: string): Promise<string>;
}

export function createPeople(client: () => ParleyClient): People {
  const names = new Map<string, Promise<string>>();

  async function one(idOrAddress: string): Promise<Person> {
    const [person] = await client().findPeople([idOrAddress]);
    if (!person)
      throw new ParleyClientError('client.person_not_found', Code.NotFound, `nobody is known as ${idOrAddress}`);
    names.set(person.id, Promise.resolve(person.displayName));
    return person;
  }
  return {
    one,
    all: idsOrAddresses => Promise.all(idsOrAddresses.map(one)),
    nameOf(id) {
      let name = names.get(id);
      if (!name) {
        name = client()
          .findPeople([id])
          .then(([person]) => person?.displayName ?? id)
          .catch(() => {
            names.delete(id); // asked for again the next time
            return id;
          });
        names.set(id, name);
      }
      return name;
    },
  };
}
