/**
 * Configuration: the environment, read once, checked whole, frozen.
 *
 * Guarantees: this is the only file of src/ that reads process.env; every problem is reported at once,
 * each with the name of its variable; no secret's value is ever part of such a report. What set-up
 * found on this machine (Docker's address, Pulumi's folder, the Redis image) comes from
 * .setup/facts.json and can be overridden by the environment.
 */
import { readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import {
  type DoorSettings,
  doorVariables,
  findDoorProblems,
  toDoorSettings,
} from './door-settings.ts';
import { type GatewaySettings, gatewayVariables, toGatewaySettings } from './gateway-settings.ts';
import { wholeNumber } from './lib/whole-number.ts';

/** The repository's root: where Pulumi.yaml, infra/ and policies/ are. */
export const rootDir = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const defaultRedisPort = 6379;

const port = wholeNumber(0, 65_535);

const portRange = z
  .string()
  .regex(/^\d+-\d+$/, 'write it as FIRST-LAST, e.g. 20000-29999')
  .transform((text) => {
    const [first, last] = text.split('-').map(Number) as [number, number];
    return { first, last };
  })
  .refine(({ first, last }) => first >= 1024 && last <= 65535 && first <= last, {
    message: 'needs 1024 <= FIRST <= LAST <= 65535',
  });

/** The parts of the service that a process may play. */
export const roles = ['api', 'gateway', 'edge', 'reconciler'] as const;
export type ServiceRole = (typeof roles)[number];

const roleList = z
  .string()
  .transform((text) => text.split(',').map((name) => name.trim()))
  .pipe(z.array(z.enum(roles)).min(1));

const masterKey = z
  .string()
  .regex(/^[0-9a-f]{64}$/i, 'needs 64 hexadecimal digits (openssl rand -hex 32)')
  .transform((text) => Buffer.from(text, 'hex'));

const environmentSchema = z.object({
  SWIFTCACHE_HOST: z.string().min(1).default('127.0.0.1'),
  SWIFTCACHE_PORT: port.prefault('8080'),
  SWIFTCACHE_REDIS_PORT: port.optional(),
  SWIFTCACHE_PUBLIC_HOST: z.string().min(1).optional(),
  SWIFTCACHE_DATA_DIR: z.string().min(1).default('./.swiftcache'),
  SWIFTCACHE_DATABASE_URL: z
    .string()
    .regex(/^(postgres(ql)?:\/\/|file:)/, 'needs postgres://… or file:…')
    .optional(),
  SWIFTCACHE_STATE_BACKEND_URL: z
    .string()
    .regex(/^(file|postgres|s3|gs|azblob):\/\//, 'needs file://…, postgres://… or s3://…')
    .optional(),
  SWIFTCACHE_MASTER_KEY: masterKey.optional(),
  SWIFTCACHE_PASSPHRASE_FILE: z.string().min(1).optional(),
  SWIFTCACHE_ROLES: roleList.prefault(roles.join(',')),
  SWIFTCACHE_BACKUP_URL: z
    .string()
    .regex(/^(file|s3):\/\//, 'needs file:///… or s3://BUCKET/PREFIX?region=…&endpoint=…')
    .optional(),
  SWIFTCACHE_BOOTSTRAP_ACCOUNT_KEY: z
    .string()
    .regex(/^sk_live_[0-9a-f]{32,128}$/, 'needs sk_live_ and 32 to 128 hexadecimal digits')
    .optional(),
  SWIFTCACHE_INSTANCE_PORTS: portRange.prefault('20000-29999'),
  SWIFTCACHE_HOST_MEMORY_MIB: wholeNumber(64, 100_000_000).optional(),
  SWIFTCACHE_PROXY_HOPS: wholeNumber(0, 10).prefault('0'),
  SWIFTCACHE_SIGN_UP: z.enum(['open', 'invited', 'closed']).default('open'),
  SWIFTCACHE_LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info'),
  SWIFTCACHE_METRICS_TOKEN: z
    .string()
    .regex(/^\S{32,}$/, 'needs 32 characters or more, without spaces (openssl rand -hex 32)')
    .optional(),
  SWIFTCACHE_WORKERS: wholeNumber(1, 16).prefault('2'),
  ...doorVariables,
  ...gatewayVariables,
  SWIFTCACHE_REDIS_IMAGE: z.string().min(1).optional(),
  DOCKER_HOST: z.string().min(1).optional(),
  PULUMI_HOME: z.string().min(1).optional(),
  PATH: z.string().default(''),
  HOME: z.string().default(homedir()),
});

const factsSchema = z.object({
  docker: z.object({ host: z.string() }).optional(),
  pulumi: z.object({ bin: z.string() }).optional(),
  redisImage: z.object({ reference: z.string() }).optional(),
});

/** Everything the service is told from outside. Paths are absolute. */
export interface Config {
  /** Where the HTTP server and the redis:// door listen. */
  readonly host: string;
  readonly port: number;
  /** The door's port; where `fixed` is false, the next free port from it on is taken. */
  readonly redisPort: { readonly number: number; readonly fixed: boolean };
  /** What stands before the door, names of instances, TLS, balancers; and its bound for idleness. */
  readonly door: DoorSettings;
  /** The host name or address that the API gives to clients. */
  readonly publicHost: string;
  readonly dataDir: string;
  /** `postgres://…`, or undefined for the embedded database in the data directory. */
  readonly databaseUrl: string | undefined;
  readonly databaseFile: string;
  readonly stateBackendUrl: string;
  /** What a state backend in a cloud finds its credentials by, e.g. AWS_ACCESS_KEY_ID. */
  readonly stateCredentials: Readonly<Record<string, string>>;
  /** Where backups of instances go: `file:///folder` or `s3://bucket/prefix?region=…&endpoint=…`. */
  readonly backupUrl: string;
  /** What this process does; the others do the rest. */
  readonly roles: ReadonlySet<ServiceRole>;
  readonly masterKey: Buffer | undefined;
  readonly masterKeyFile: string;
  readonly passphraseFile: string;
  readonly bootstrapAccountKey: string | undefined;
  /** Host ports that instances may get, both ends included. */
  readonly instancePorts: { readonly first: number; readonly last: number };
  /** Memory in MiB that instances may come to use; undefined takes it from the Docker host. */
  readonly hostMemoryMib: number | undefined;
  /** How many proxies in front of the service are believed about where a request comes from. */
  readonly proxyHops: number;
  /** What may stand before every path, e.g. `/cache`; '' for nothing. */
  readonly pathPrefix: string;
  readonly gateway: GatewaySettings;
  /** Who may make an account: anybody, whoever has an invitation, or nobody. */
  readonly signUp: z.infer<typeof environmentSchema>['SWIFTCACHE_SIGN_UP'];
  readonly logLevel: z.infer<typeof environmentSchema>['SWIFTCACHE_LOG_LEVEL'];
  /** What GET /metrics is opened with; without it there is none. */
  readonly metricsToken: string | undefined;
  /** How many provisioning workers run side by side. */
  readonly workers: number;
  /** Docker's address, e.g. `unix:///var/run/docker.sock`. */
  readonly dockerHost: string;
  readonly redisImage: string;
  readonly pulumi: { readonly home: string; readonly binDir: string };
  /** What child processes may see of PATH and HOME. */
  readonly path: string;
  readonly home: string;
}

export function hasRole({ roles }: Config, role: ServiceRole): boolean {
  return roles.has(role);
}

/** Thrown by loadConfig: one line per problem, each beginning with the variable's name. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`the configuration has ${problems.length} problem(s):\n  ${problems.join('\n  ')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * Reads the configuration from an environment.
 * @param environment by default the process's own.
 * @throws {ConfigError} naming every variable that is wrong, unknown SWIFTCACHE_* ones included.
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const parsed = environmentSchema.safeParse(environment);
  const problems = [...unknownVariables(environment)];
  if (!parsed.success) {
    problems.push(...parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`));
  }
  if (parsed.success) {
    const { data } = parsed;
    const isDoor = data.SWIFTCACHE_ROLES.includes('edge');
    problems.push(...rolesApart(data), ...findDoorProblems(data, isDoor));
  }
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(toConfig(parsed.data, readFacts(), environment));
}

/** The same with some variables of the process's own environment set. @throws {ConfigError} as `loadConfig`. */
export function loadConfigWith(variables: NodeJS.ProcessEnv): Config {
  return loadConfig({ ...process.env, ...variables });
}

/**
 * The embedded database belongs to one process, which then has to do everything; the default backup store
 * to those that share a data directory.
 */
function* rolesApart(env: z.infer<typeof environmentSchema>): Generator<string> {
  const isWhole = roles.every((role) => env.SWIFTCACHE_ROLES.includes(role));
  if (!isWhole && !env.SWIFTCACHE_DATABASE_URL?.startsWith('postgres')) {
    yield 'SWIFTCACHE_ROLES: fewer than all need SWIFTCACHE_DATABASE_URL=postgres://…';
  }
  const has = (role: ServiceRole): boolean => env.SWIFTCACHE_ROLES.includes(role);
  if (has('api') !== has('reconciler') && !env.SWIFTCACHE_BACKUP_URL) {
    yield 'SWIFTCACHE_BACKUP_URL: the APIs and the reconcilers apart need one store for all';
  }
}

function* unknownVariables(environment: NodeJS.ProcessEnv): Generator<string> {
  for (const name of Object.keys(environment)) {
    if (name.startsWith('SWIFTCACHE_') && !(name in environmentSchema.shape)) {
      yield `${name}: there is no such setting (README.md lists them)`;
    }
  }
}

function readFacts(): z.infer<typeof factsSchema> {
  try {
    return factsSchema.parse(JSON.parse(readFileSync(join(rootDir, '.setup/facts.json'), 'utf8')));
  } catch {
    // Set-up did not run here (a packaged service, a unit test): defaults and the environment serve.
    return {};
  }
}

function toConfig(
  env: z.infer<typeof environmentSchema>,
  facts: z.infer<typeof factsSchema>,
  environment: NodeJS.ProcessEnv,
): Config {
  const dataDir = resolve(rootDir, env.SWIFTCACHE_DATA_DIR);
  const database = env.SWIFTCACHE_DATABASE_URL;
  const pulumiHome = env.PULUMI_HOME ?? join(env.HOME, '.pulumi');
  const stateBackendUrl = env.SWIFTCACHE_STATE_BACKEND_URL ?? `file://${join(dataDir, 'pulumi')}`;
  return {
    host: env.SWIFTCACHE_HOST,
    port: env.SWIFTCACHE_PORT,
    redisPort: {
      number: env.SWIFTCACHE_REDIS_PORT ?? defaultRedisPort,
      fixed: env.SWIFTCACHE_REDIS_PORT !== undefined,
    },
    door: toDoorSettings(env, rootDir),
    publicHost: env.SWIFTCACHE_PUBLIC_HOST ?? reachableName(env.SWIFTCACHE_HOST),
    dataDir,
    databaseUrl: database?.startsWith('postgres') ? database : undefined,
    databaseFile: database?.startsWith('file:')
      ? resolve(rootDir, database.replace(/^file:(\/\/)?/, ''))
      : join(dataDir, 'swiftcache.db'),
    stateBackendUrl,
    stateCredentials: readCredentials(stateBackendUrl, environment),
    backupUrl: env.SWIFTCACHE_BACKUP_URL ?? `file://${join(dataDir, 'backups')}`,
    roles: new Set(env.SWIFTCACHE_ROLES),
    masterKey: env.SWIFTCACHE_MASTER_KEY,
    masterKeyFile: join(dataDir, 'master.key'),
    passphraseFile: resolve(rootDir, env.SWIFTCACHE_PASSPHRASE_FILE ?? join(dataDir, 'passphrase')),
    bootstrapAccountKey: env.SWIFTCACHE_BOOTSTRAP_ACCOUNT_KEY,
    instancePorts: env.SWIFTCACHE_INSTANCE_PORTS,
    hostMemoryMib: env.SWIFTCACHE_HOST_MEMORY_MIB,
    proxyHops: env.SWIFTCACHE_PROXY_HOPS,
    pathPrefix: env.SWIFTCACHE_PATH_PREFIX ?? '',
    gateway: toGatewaySettings(env),
    signUp: env.SWIFTCACHE_SIGN_UP,
    logLevel: env.SWIFTCACHE_LOG_LEVEL,
    metricsToken: env.SWIFTCACHE_METRICS_TOKEN,
    workers: env.SWIFTCACHE_WORKERS,
    dockerHost: env.DOCKER_HOST ?? facts.docker?.host ?? 'unix:///var/run/docker.sock',
    redisImage: env.SWIFTCACHE_REDIS_IMAGE ?? facts.redisImage?.reference ?? '',
    pulumi: {
      home: pulumiHome,
      binDir: facts.pulumi?.bin ?? join(pulumiHome, 'versions/3.220.0/bin'),
    },
    path: env.PATH,
    home: env.HOME,
  };
}

const credentialPrefixes: Readonly<Record<string, string>> = {
  s3: 'AWS_',
  gs: 'GOOGLE_',
  azblob: 'AZURE_',
};

/** The variables by which the SDK of the backend's cloud finds its credentials; of no other cloud. */
function readCredentials(
  backendUrl: string,
  environment: NodeJS.ProcessEnv,
): Readonly<Record<string, string>> {
  const prefix = credentialPrefixes[backendUrl.slice(0, backendUrl.indexOf(':'))];
  const given = Object.entries(environment).filter(([name]) => prefix && name.startsWith(prefix));
  return Object.fromEntries(given) as Record<string, string>;
}

/** A wildcard address is no name to connect to, so the machine's own name stands in for it. */
function reachableName(host: string): string {
  return host === '0.0.0.0' || host === '::' ? hostname() : host;
}
