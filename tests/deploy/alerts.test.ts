import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

const ROOT = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const { groups } = parse(read('deploy/alerts/parley.rules.yaml')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap(group => group.rules);
const reference = read('docs/reference/metrics.md');

/** Labels of every metric in the reference. */
const metrics = new Map(
  [...reference.matchAll(/^\| `(parley_\w+)` \| (\w+) \| ([^|]*) \|/gm)].map(
    ([, name, , labels]) => [name as string, (labels as string).split(',').map(label => label.trim())] as const,
  ),
);

test('every alert looks at metrics and labels that exist', () => {
  assert.ok(rules.length > 10);
  for (const { alert, expr } of rules) {
    const named = [...expr.matchAll(/(parley_\w+?)(?:_bucket)?(?:\{([^}]*)\})?(?=[\s)[]|$)/g)];
    if (alert !== 'ParleyDown') assert.ok(named.length > 0, `${alert} looks at nothing of Parley`);
    for (const [, name = '', selector = ''] of named) {
      const labels = metrics.get(name);
      assert.ok(labels, `${alert}: there is no metric ${name}`);
      for (const [, label = ''] of selector.matchAll(/(\w+)=~?"/g))
        assert.ok(labels.includes(label), `${alert}: ${name} has no label ${label}`);
    }
  }
});

test('every alert has a severity and a runbook that says what to look at and what to do', () => {
  for (const { alert, labels, annotations } of rules) {
    assert.match(labels.severity, /^(page|ticket)$/, alert);
    const [path = '', anchor] = annotations.runbook.split('#');
    assert.ok(existsSync(join(ROOT, path)), `${alert}: ${path} is missing`);
    assert.equal(anchor, alert.toLowerCase());
    const section = read(path)
      .split(/^## /m)
      .find(text => text.startsWith(`${alert}\n`));
    assert.ok(section, `${alert} has no runbook`);
    for (const part of ['People notice:', '**Look:**', '**Do:**'])
      assert.ok(section.includes(part), `${alert}: ${part}`);
  }
});

test('every runbook belongs to an alert, and names metrics that exist', () => {
  const page = read('docs/operations/runbooks.md');
  const named = [...page.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
  assert.deepEqual(
    named,
    rules.map(rule => rule.alert),
  );
  for (const [, name = ''] of page.matchAll(/`[^`]*?(parley_\w+)/g))
    assert.ok(metrics.has(name), `there is no metric ${name}`);
});
