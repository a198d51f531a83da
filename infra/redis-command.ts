import * as pulumi from '@pulumi/pulumi';
import { platformUser } from './platform-user.ts';

/**
 * What a restart must find is kept in the volume: users in users.acl (ACL SAVE writes it), live settings
 * in redis.conf (CONFIG REWRITE writes it). The first start makes both; later ones leave them alone, so
 * neither a restart nor a new container over the old volume forgets a key or a setting. The platform's
 * password is given as its SHA-256, which opens nothing: Redis wants the password itself.
 */
const startScript = `umask 077
[ -s /data/users.acl ] || printf 'user default off resetpass resetkeys resetchannels -@all\\nuser ${platformUser} on #%s ~* &* +@all\\n' "$1" > /data/users.acl
[ -e /data/redis.conf ] || : > /data/redis.conf
shift
exec redis-server /data/redis.conf "$@"`;

/** Fixed for the life of a container: a change here replaces it. */
const fixedSettings: Readonly<Record<string, string>> = {
  '--dir': '/data',
  '--aclfile': '/data/users.acl',
  '--bind': '* -::*',
  '--port': '6379',
  // Access is by ACL alone; protected mode would add a rule about addresses that nobody expects here.
  '--protected-mode': 'no',
  '--tcp-keepalive': '60',
  '--busy-reply-threshold': '2000',
  '--enable-debug-command': 'no',
  '--enable-module-command': 'no',
  '--client-query-buffer-limit': '64mb',
  '--proto-max-bulk-len': '64mb',
};

/** The container's command; `passwordHash` is the hex SHA-256 of the platform user's password. */
export function redisStartCommand(passwordHash: pulumi.Input<string>): pulumi.Output<string>[] {
  const settings = Object.entries(fixedSettings).flat();
  return ['sh', '-c', startScript, 'swiftcache-start', passwordHash, ...settings].map((part) =>
    pulumi.output(part),
  );
}
