import assert from 'node:assert/strict';

/** A right at Kafka. */
export interface KafkaAcl {
  readonly user: string;
  readonly resource: 'topic' | 'group';
  readonly name: string;
  readonly operations: readonly string[];
}

/** What a script of `parley print-kafka-acls` asks for. */
export function kafkaAclsOf(script: string): readonly KafkaAcl[] {
  const lines = script.split('\n').filter(line => line.includes(' --add '));
  assert.ok(lines.length > 0);
  return lines.map(line => {
    const [, user = '', resource = '', name = ''] =
      /--allow-principal 'User:([^']+)' --(topic|group) '([^']+)'/.exec(line) ?? assert.fail(line);
    const operations = [...line.matchAll(/--operation (\w+)/g)].map(match => match[1] as string);
    return { user, resource: resource as KafkaAcl['resource'], name, operations };
  });
}
