import type { ParleyConfig } from '../config.ts';
import { type Holder, holderName, rightsOfAll } from './rights.ts';

/** Something that Kafka lets one user do. */
export interface KafkaAcl {
  readonly user: string;
  readonly resource: 'topic' | 'group';
  readonly name: string;
  readonly operations: readonly string[];
}

/** Name of a user at Kafka. */
export const kafkaUserName = (holders: readonly Holder[]): string => `parley-${holderName(holders)}`;

/** What each process must be allowed at Kafka; with an authorizer, everything else is refused. */
export function kafkaAcls(processes: readonly (readonly Holder[])[], config: ParleyConfig): readonly KafkaAcl[] {
  const prefix = config.pool.kafka.topicPrefix;
  return processes.flatMap(holders => {
    const rights = rightsOfAll(holders, config);
    const topics = new Map<string, Set<string>>();
    const groups = new Map<string, Set<string>>();
    const allow = (where: Map<string, Set<string>>, names: readonly string[], ...operations: string[]) => {
      for (const name of names)
        where.set(prefix + name, new Set([...(where.get(prefix + name) ?? []), 'Describe', ...operations]));
    };
    allow(topics, rights.appends, 'Write');
    allow(topics, rights.reads, 'Read');
    allow(topics, rights.trims, 'Delete');
    allow(topics, rights.creates, 'Create');
    allow(groups, rights.joins, 'Read');
    allow(groups, rights.watches);
    const user = kafkaUserName(holders);
    const acls = (resource: KafkaAcl['resource'], found: typeof topics): KafkaAcl[] =>
      [...found].map(([name, operations]) => ({ user, resource, name, operations: [...operations].sort() }));
    return [...acls('topic', topics), ...acls('group', groups)];
  });
}

/** The commands that give those rights. */
export function kafkaAclScript(acls: readonly KafkaAcl[]): string {
  const lines = acls.map(
    ({ user, resource, name, operations }) =>
      `"$KAFKA_ACLS" "$@" --add --allow-principal 'User:${user}' --${resource} '${name}' ${operations.map(operation => `--operation ${operation}`).join(' ')}`,
  );
  return `#!/bin/sh
# Made by 'parley print-kafka-acls': what each process of Parley may do at Kafka. Make it anew after every upgrade.
# Needs an authorizer at the brokers (authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer).
# usage: sh acls.sh --bootstrap-server HOST:PORT --command-config admin.properties
set -eu
KAFKA_ACLS=\${KAFKA_ACLS:-kafka-acls.sh}
${lines.join('\n')}
`;
}
