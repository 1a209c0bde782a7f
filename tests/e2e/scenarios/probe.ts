import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parleyctl } from '../parleyctl.ts';
import type { Scenario } from '../scenario.ts';

export const probe: Scenario = {
  name: 'the probe does what people do and says which step failed, to people, programs and Prometheus',
  async run(world) {
    const dir = join(world.parley.dir, 'probe');
    mkdirSync(dir, { recursive: true });
    const [a, b] = [await world.person('Probe A'), await world.person('Probe B')];
    for (const [profile, { address, password }] of [
      ['a', a],
      ['b', b],
    ] as const) {
      const login = ['login', address, '--profile', profile, '--server', world.parley.url, '--password-stdin'];
      assert.equal((await parleyctl(dir, login, `${password}\n`)).code, 0);
    }
    const run = (...args: string[]) => parleyctl(dir, ['probe', '--profile', 'a', '--peer', 'b', ...args]);

    const told = await run('--json');
    assert.equal(told.code, 0, told.stdout + told.stderr);
    const { healthy, steps } = JSON.parse(told.stdout) as { healthy: boolean; steps: { name: string; ok: boolean }[] };
    assert.equal(healthy, true);
    assert.deepEqual(
      steps.map(step => step.name),
      ['sign-in', 'stream', 'presence', 'send', 'receive', 'history'],
    );

    // twice, because what the first one left must not make the second one pass or fail
    const metrics = await run('--prometheus', '-');
    assert.equal(metrics.code, 0, metrics.stdout);
    assert.match(metrics.stdout, /^parley_probe_success 1$/m);
    assert.match(metrics.stdout, /^parley_probe_step_seconds\{step="receive"\} \d+\.\d+$/m);

    const administrator = await world.administrator();
    await administrator.services.directoryAdmin.setAccountState({ person: b.id, state: 2 });
    const failed = await run('--json', '--timeout', '3s');
    assert.equal(failed.code, 1, failed.stdout);
    const failure = JSON.parse(failed.stdout) as { healthy: boolean; steps: { ok: boolean; detail: string }[] };
    assert.equal(failure.healthy, false);
    assert.equal(failure.steps.at(-1)?.ok, false);
    assert.match((await run('--prometheus', '-', '--timeout', '3s')).stdout, /^parley_probe_success 0$/m);
    assert.equal((await parleyctl(dir, ['probe', '--profile', 'a', '--peer', 'a'])).code, 2);
  },
};
