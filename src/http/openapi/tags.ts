/** The groups that operations are shown under, told from their paths. */

interface Tag {
  readonly name: string;
  readonly description: string;
  readonly path: RegExp;
}

/** In the order they are shown. Of several that fit a path, the last is meant. */
const tags: readonly Tag[] = [
  {
    name: 'Instances',
    description: 'A Redis of your own, each.',
    path: /^\/api\/v1\/instances(\/|$)/,
  },
  {
    name: 'Operations',
    description: 'How far a change is.',
    path: /\/operations(\/|$)/,
  },
  {
    name: 'API keys',
    description: 'The keys that open instances: `sc_live_…`, for `redis://` and for commands.',
    path: /\/api-keys(\/|$)/,
  },
  {
    name: 'Metrics',
    description: 'What an instance does: commands, bytes, hits, memory.',
    path: /\/metrics(\/|$)/,
  },
  {
    name: 'Backups',
    description: "Copies of an instance's data: taken, scheduled, brought in, restored.",
    path: /\/(backups|restore)(\/|$)/,
  },
  {
    name: 'Commands',
    description: 'Redis commands over HTTP, with a data key.',
    path: /^\/redis\//,
  },
  {
    name: 'Organizations',
    description: 'What instances and keys belong to, with members, invitations and a plan.',
    path: /^\/api\/v1\/(organizations|invitations)(\/|$)/,
  },
  {
    name: 'Account keys',
    description: 'The keys of this API: `sk_live_…`.',
    path: /^\/api\/v1\/account-keys(\/|$)/,
  },
  {
    name: 'Sessions',
    description: 'People: signing up, logging in and out.',
    path: /^\/api\/v1\/auth(\/|$)/,
  },
  {
    name: 'Audit',
    description: 'Who changed what, or tried to.',
    path: /^\/api\/v1\/audit(\/|$)/,
  },
  {
    name: 'Service',
    description: 'Whether the service is well.',
    path: /^\/(healthz|readyz)$/,
  },
];

/**
 * The name of the group that a path belongs to.
 * @throws {Error} where it belongs to none: a new resource needs a line above.
 */
export function tagOf(path: string): string {
  const tag = tags.findLast((candidate) => candidate.path.test(path));
  if (!tag) throw new Error(`no tag of the OpenAPI document fits ${path}: add one to tags.ts`);
  return tag.name;
}

/** Those groups with their descriptions that are used, in the order they are shown. */
export function describeTags(used: ReadonlySet<string>): object[] {
  return tags
    .filter(({ name }) => used.has(name))
    .map(({ name, description }) => ({ name, description }));
}
