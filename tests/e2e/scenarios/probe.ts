import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Role } from '@parley/contracts';
import { parleyctl } from '../parleyctl.ts';
import type { Scenario } from '../scenario.ts';

interface Told {
  readonly healthy: boolean;
  readonly traceId: string;
  readonly steps: readonly { readonly name: string; readonly ok: boolean; readonly detail: string }[];
}

export const probe: Scenario = {
  name: 'the probe does what people do and says which step failed, to people, programs and Prometheus',
  async run(world) {
    const dir = join(world.parley.dir, 'probe');
    mkdirSync(dir, { recursive: true });
    const [a, b] = [await world.person('Probe A'), await world.person('Probe B')];
    const viewer = await world.person('Probe Viewer', [Role.VIEWER]);
    for (const [profile, { address, password }] of [
      ['a', a],
      ['b', b],
      ['viewer', viewer],
    ] as const) {
      const login = ['login', address, '--profile', profile, '--server', world.parley.url, '--password-stdin'];
      assert.equal((await parleyctl(dir, login, `${password}\n`)).code, 0);
    }
    const run = (...args: string[]) => parleyctl(dir, ['probe', '--profile', 'a', '--peer', 'b', ...args]);

    const told = await run('--json');
    assert.equal(told.code, 0, told.stdout + told.stderr);
    const { healthy, traceId, steps } = JSON.parse(told.stdout) as Told;
    assert.equal(healthy, true);
    assert.match(traceId, /^[0-9a-f]{32}$/);
    assert.deepEqual(
      steps.map(step => step.name),
      ['sign-in', 'stream', 'presence', 'send', 'receive', 'history'],
    );

    // twice, because what the first one left must not make the second one pass or fail
    const metrics = await run('--prometheus', '-');
    assert.equal(metrics.code, 0, metrics.stdout);
    assert.match(metrics.stdout, /^parley_probe_success 1$/m);
    assert.match(metrics.stdout, /^parley_probe_step_seconds\{step="receive"\} \d+\.\d+$/m);

    const off = { archiveInternal: false, archiveExternal: false, critical: false };
    for (const [archiveInternal, wanted] of [
      [true, /^archived at \d+\/archive\/\d+\/\d+$/],
      [false, /^policy does not archive it$/],
    ] as const) {
      for (const person of [a, b]) await world.archiving(person, { ...off, archiveInternal });
      const { steps } = JSON.parse((await run('--json', '--archive', 'viewer')).stdout) as Told;
      const last = steps.at(-1);
      assert.deepEqual([last?.name, last?.ok], ['archive', true], last?.detail);
      assert.match(last?.detail ?? '', wanted);
    }
    // an account that may not look into the archive fails the step
    const refusal = await run('--json', '--archive', 'b');
    assert.equal(refusal.code, 1);
    assert.match((JSON.parse(refusal.stdout) as Told).steps.at(-1)?.detail ?? '', /rpc\.permission_denied/);

    const administrator = await world.administrator();
    await administrator.services.directoryAdmin.setAccountState({ person: b.id, state: 2 });
    const failed = await run('--json', '--timeout', '3s');
    assert.equal(failed.code, 1, failed.stdout);
    const failure = JSON.parse(failed.stdout) as Told;
    assert.equal(failure.healthy, false);
    assert.equal(failure.steps.at(-1)?.ok, false);
    assert.match((await run('--prometheus', '-', '--timeout', '3s')).stdout, /^parley_probe_success 0$/m);
    assert.equal((await parleyctl(dir, ['probe', '--profile', 'a', '--peer', 'a'])).code, 2);
  },
};
