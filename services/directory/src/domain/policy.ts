/** What is archived, and what happens when it cannot be. */
export interface ArchivingPolicy {
  readonly archiveInternal: boolean;
  readonly archiveExternal: boolean;
  readonly critical: boolean;
}

/** A policy as stored. `null` after a reset: the document stays, so that its version goes on growing. */
export interface StoredPolicy {
  readonly v: 1;
  readonly archiving: ArchivingPolicy | null;
  readonly version: number;
}

export type PolicyScope =
  | { readonly kind: 'global' }
  | { readonly kind: 'site'; readonly site: string }
  | { readonly kind: 'person'; readonly personId: string };

export interface EffectivePolicy {
  readonly policy: ArchivingPolicy;
  readonly scope: PolicyScope['kind'];
  readonly version: number;
}

export interface PolicyLayers {
  readonly person: StoredPolicy | undefined;
  readonly site: StoredPolicy | undefined;
  readonly global: StoredPolicy | undefined;
}

/** The narrowest scope that has a policy decides; below all lies the configured default. */
export function effectivePolicy(layers: PolicyLayers, fallback: ArchivingPolicy): EffectivePolicy {
  for (const scope of ['person', 'site', 'global'] as const) {
    const layer = layers[scope];
    if (layer?.archiving) return { policy: layer.archiving, scope, version: layer.version };
  }
  return { policy: fallback, scope: 'global', version: layers.global?.version ?? 0 };
}

/** Greatest version among the layers: a reset counts as well. */
export function layersVersion(layers: PolicyLayers): number {
  return Math.max(layers.person?.version ?? 0, layers.site?.version ?? 0, layers.global?.version ?? 0);
}

export function samePolicy(a: ArchivingPolicy | null, b: ArchivingPolicy | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.archiveInternal === b.archiveInternal && a.archiveExternal === b.archiveExternal && a.critical === b.critical
  );
}

/** Ids of policies of people lie between these two. */
export const PERSON_POLICIES = { gt: 'person:', lt: 'person;' } as const;

export function policyId(scope: PolicyScope): string {
  if (scope.kind === 'global') return 'global';
  return scope.kind === 'site' ? `site:${scope.site}` : `person:${scope.personId}`;
}
