import * as pulumi from '@pulumi/pulumi';
import { platformUser } from './platform-user.ts';
import { restoreMark } from './restore-mark.ts';

/**
 * What a restart must find is kept in the volume: users in users.acl (ACL SAVE writes it), live settings
 * in redis.conf (CONFIG REWRITE writes it). The first start makes both; later ones leave them alone, so
 * neither a restart nor a new container over the old volume forgets a key or a setting. The platform's
 * password is given as its SHA-256, which opens nothing: Redis wants the password itself.
 *
 * A dump of days when the data was to be kept would come back at a restart of an instance whose data is
 * not: an empty one (an end mark and no checksum, RDB version 9) takes its place. The image has no `rm`.
 *
 * While `restoring` holds a byte, dump.rdb is a backup that is being restored: it is loaded, and the
 * append-only file of before is not.
 */
const startScript = `umask 077
[ -s /data/users.acl ] || printf 'user default off resetpass resetkeys resetchannels -@all\\nuser ${platformUser} on #%s ~* &* +@all\\n' "$1" > /data/users.acl
[ -e /data/redis.conf ] || : > /data/redis.conf
persistent=
while read -r name value; do [ "$name $value" = 'appendonly yes' ] && persistent=1; done < /data/redis.conf
[ "$persistent" ] || [ -s /data/${restoreMark} ] || [ ! -e /data/dump.rdb ] || printf 'REDIS0009\\377\\0\\0\\0\\0\\0\\0\\0\\0' > /data/dump.rdb
shift
[ ! -s /data/${restoreMark} ] || set -- "$@" --appendonly no
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
  // Where memory runs out while a child saves, the child ends and Redis goes on.
  '--oom-score-adj': 'relative',
  // A save that fails is told to who asked for it: what was written is kept by the append-only file.
  '--stop-writes-on-bgsave-error': 'no',
};

/** The container's command; `passwordHash` is the hex SHA-256 of the platform user's password. */
export function redisStartCommand(passwordHash: pulumi.Input<string>): pulumi.Output<string>[] {
  const settings = Object.entries(fixedSettings).flat();
  return ['sh', '-c', startScript, 'swiftcache-start', passwordHash, ...settings].map((part) =>
    pulumi.output(part),
  );
}
