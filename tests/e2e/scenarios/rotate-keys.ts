import assert from 'node:assert/strict';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@parley/testkit';
import type { Scenario } from '../scenario.ts';
import { startTraffic } from '../traffic/traffic.ts';

const TOKEN_MS = 15_000;
/** Between a key's becoming known and its first signature; as long as others may keep a key set, in life. */
const SIGN_AFTER_S = 8;

export const rotateKeys: Scenario = {
  name: 'every key is replaced under traffic: no call fails, nobody is signed out, and the archive verifies under old and new keys',
  config: {
    keysReloadMs: 250,
    directory: { accessTokenLifetimeMs: TOKEN_MS },
    archiving: { checkpointMs: 1_000 },
    session: { drainMs: 500, drainSpreadMs: 100 },
    presence: { graceMs: 30_000 },
    im: { keyVisibleMs: 2_000, reconcileMarginMs: 500 },
  },
  async run(world) {
    const { parley } = world;
    const keys = join(parley.dir, 'keys');
    const traffic = await startTraffic(world, { pairs: 4, everyMs: 100 });
    await traffic.flows();
    // one that must be counted, so that counting none later means something
    const forged = { 'content-type': 'application/grpc-web+proto', authorization: 'Bearer x.y.z' };
    const body = new Uint8Array(5); // an empty request in one frame
    const asked = `${parley.url}/parley.session.v1.SessionService/Connect`;
    const answer = await fetch(asked, { method: 'POST', headers: forged, body });
    await answer.arrayBuffer();
    assert.equal(answer.headers.get('grpc-status'), '16');
    const refusedBefore = await refusals(world);
    assert.ok(refusedBefore > 0, 'refusals for want of a key are counted');
    const families = readdirSync(keys).flatMap(name =>
      name.endsWith('.pem') ? [name.replace(/(-1)?\.pem$/, '')] : [],
    );

    const said = await parley.parley('keys', 'rotate', '--sign-after', String(SIGN_AFTER_S));
    assert.equal(said.match(/^wrote /gm)?.length, families.length, said);
    assert.match(await parley.parley('keys', 'list'), /person-token-1 .* signs\n/);
    await until('the new keys to sign in every process', () => signing(world, families), { timeoutMs: 60_000 });
    await traffic.flows();
    // what the old keys signed is over now; nothing needs them any more but the checkpoints, which need their public halves
    const over = Date.now() + TOKEN_MS + 5_000;
    await until('every token of the old keys to be over', () => Date.now() > over, { timeoutMs: 2 * TOKEN_MS });
    const listed = await parley.parley('keys', 'list');
    assert.equal(listed.match(/ signs$/gm)?.length, families.length, listed);
    assert.equal(await parley.parley('keys', 'retire'), 'there is nothing to retire\n', 'not that soon by itself');
    const old = readdirSync(keys).filter(name => /\.(pem|pub)$/.test(name) && !/-\d{14}\./.test(name));
    for (const name of old) if (name !== 'checkpoint.pub') rmSync(join(keys, name));
    await traffic.flows();
    const late = await world.device(await world.person('Late'));
    assert.equal(late.client.connection.getSnapshot().phase, 'online');
    assert.equal(await refusals(world), refusedBefore, 'no call was refused for want of a key');
    await traffic.settle();

    // and a restart, one process after the other, finds the keys that sign
    for (const process of parley.processes) {
      await process.stop();
      await process.start();
    }
    await traffic.flows();
    const report = await traffic.finish();
    assert.equal(report.problems.length, 0);
    const { checkpoints } = (await world.verify()).result;
    assert.ok(checkpoints > 0n, 'checkpoints of both keys are checked');
  },
};

type World = Parameters<Scenario['run']>[0];

/** Calls of people and services that were refused because of their tokens. */
const refusals = (world: World) => world.parley.metric('parley_rpc_requests_total', { status: 'UNAUTHENTICATED' });

/** Whether the key of every family that signs is a successor, in every process. */
async function signing(world: World, families: readonly string[]): Promise<boolean> {
  for (const { metrics } of world.parley.processes) {
    const text = await metrics();
    const since = families.map(family =>
      Number(new RegExp(`parley_key_signs_from_seconds\\{family="${family}"\\} (\\S+)`).exec(text)?.[1] ?? 0),
    );
    if (since.some(seconds => seconds < 1e9)) return false;
  }
  return true;
}
