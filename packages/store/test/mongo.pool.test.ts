import { it } from 'node:test';
import { systemClock, systemIds } from '@parley/runtime';
import { MongoClient } from 'mongodb';
import { type Opened, storeContract } from '../src/contract/store.contract.ts';
import { connectMongoStore } from '../src/index.ts';

const url = process.env.PARLEY_TEST_MONGO_URL ?? '';

const open = async (): Promise<Opened> => {
  const database = `test_${systemIds.uuid().slice(0, 8)}`;
  const connect = () => connectMongoStore({ url, database, clock: systemClock });
  let store = await connect();
  return {
    store,
    async reopen() {
      await store.close();
      store = await connect();
      return store;
    },
    async close() {
      await store.close();
      const client = await new MongoClient(url).connect();
      await client.db(database).dropDatabase();
      await client.close();
    },
  };
};

if (url) storeContract('MongoDB wire', open);
else it('store: MongoDB wire', { skip: 'PARLEY_TEST_MONGO_URL is not set' });
