import { eventLogContract } from '../../contract/event-log.contract.ts';
import { openFixture } from './fixture.ts';

eventLogContract('SQLite', openFixture, true);
