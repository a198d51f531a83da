/**
 * What a data key may do, written as the rules of its Redis ACL user.
 *
 * Rights start from nothing and are granted by category, so a command of a later Redis version is not
 * granted by accident. What administers, replicates, debugs or spies (@admin, @dangerous) is never
 * granted, but for the few dangerous commands that a tenant may run on data that is his own.
 */
import type { KeyPermission } from '../store/entities/data-key.ts';

const always = [
  '+@connection',
  '-client|kill',
  '-client|list',
  '-client|pause',
  '-client|unpause',
  '-client|no-evict',
  '-client|unblock',
];

const readRules = ['+@read', '+@pubsub', '-publish', '-spublish', '+dbsize', '+command', '+time'];

const writeRules = [
  '+@read',
  '+@write',
  '+@pubsub',
  '+@transaction',
  '+@scripting',
  '+dbsize',
  '+command',
  '+time',
];

/** In these categories and yet nobody's: they move data between databases, instances or hosts. */
const never = ['-@admin', '-@dangerous', '-script|kill'];

/** Dangerous to a shared server, not to one's own data. */
const ownerReadBack = ['+info', '+keys', '+sort_ro', '+select'];
const ownerWriteBack = ['+info', '+keys', '+sort', '+sort_ro', '+flushdb', '+flushall', '+select'];

/** What names a key's user: all that ACL SETUSER needs. */
export interface AclUser {
  readonly name: string;
  /** SHA-256 of the key, lower-case hex. */
  readonly passwordHash: string;
  readonly permissions: readonly KeyPermission[];
}

/** The arguments of `ACL SETUSER <name> …` that make the user exactly this, whatever it was before. */
export function aclRules({ passwordHash, permissions }: AclUser): string[] {
  const canWrite = permissions.includes('write');
  const canRead = permissions.includes('read') || canWrite;
  return [
    'reset',
    'on',
    `#${passwordHash}`,
    '~*',
    '&*',
    '-@all',
    ...(canRead ? always : []),
    ...(canWrite ? writeRules : canRead ? readRules : []),
    ...never,
    ...(canWrite ? ownerWriteBack : canRead ? ownerReadBack : []),
  ];
}
