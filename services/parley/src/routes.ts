import type { DescService } from '@bufbuild/protobuf';
import { ArchiveService, AuditService, DiscoveryService } from '@parley/contracts/archive/v1/archive';
import { DirectoryAdminService, PolicyAdminService } from '@parley/contracts/directory/v1/admin';
import { AuthService } from '@parley/contracts/directory/v1/auth';
import { DirectoryService } from '@parley/contracts/directory/v1/directory';
import { ImService } from '@parley/contracts/im/v1/im';
import { PresenceService } from '@parley/contracts/presence/v1/presence';
import { SessionService } from '@parley/contracts/session/v1/session';

/** Every service that a process can be told to run. */
export const TARGET_NAMES = ['directory', 'presence', 'session', 'im', 'archiving'] as const;

/** One of {@link TARGET_NAMES}. */
export type TargetName = (typeof TARGET_NAMES)[number];

/** Which proto services are reachable from outside, and who owns them. Internal ones are not here and not routed. */
const PUBLIC: Readonly<Record<TargetName, readonly DescService[]>> = {
  directory: [AuthService, DirectoryService, DirectoryAdminService, PolicyAdminService],
  presence: [PresenceService],
  session: [SessionService],
  im: [ImService],
  archiving: [ArchiveService, DiscoveryService, AuditService],
};

/** Proto services of `target` that are reachable from outside. */
export const publicServicesOf = (target: TargetName): readonly DescService[] => PUBLIC[target];

/** Path prefixes, without slashes, that a load balancer sends to `target`. */
export function publicPrefixes(target: TargetName): readonly string[] {
  return PUBLIC[target].map(service => service.typeName);
}
