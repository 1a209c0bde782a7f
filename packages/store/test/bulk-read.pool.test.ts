import { it } from 'node:test';
import { systemClock, systemIds } from '@parley/runtime';
import { MongoClient } from 'mongodb';
import { bulkReadContract } from '../src/contract/bulk-read.contract.ts';
import { connectMongoBulkReader, connectMongoStore } from '../src/index.ts';

const url = process.env.PARLEY_TEST_MONGO_URL ?? '';

if (!url) it('bulk reader: MongoDB wire', { skip: 'PARLEY_TEST_MONGO_URL is not set' });
else
  bulkReadContract('MongoDB wire', async () => {
    const database = `test_${systemIds.uuid().slice(0, 8)}`;
    const store = await connectMongoStore({ url, database, clock: systemClock });
    return {
      store,
      reader: () => connectMongoBulkReader({ url, database }),
      async close() {
        await store.close();
        const client = await new MongoClient(url).connect();
        await client.db(database).dropDatabase();
        await client.close();
      },
    };
  });
