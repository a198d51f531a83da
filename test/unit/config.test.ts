import { homedir, hostname } from 'node:os';
import { isAbsolute, join } from 'node:path';
import test from 'ava';
import { type Config, ConfigError, loadConfig, rootDir } from '../../src/config.ts';

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test('an empty environment gives the documented defaults', (t) => {
  const dataDir = join(rootDir, '.swiftcache');
  t.like(loadConfig({}), {
    host: '127.0.0.1',
    port: 8080,
    redisPort: { number: 6379, fixed: false },
    door: {
      domain: undefined,
      certificate: undefined,
      tlsPort: undefined,
      takesPlain: true,
      proxiesFrom: [],
      sharePort: false,
      idleTimeoutMs: 0,
    },
    publicHost: '127.0.0.1',
    dataDir,
    databaseUrl: undefined,
    databaseFile: join(dataDir, 'swiftcache.db'),
    stateBackendUrl: `file://${join(dataDir, 'pulumi')}`,
    masterKey: undefined,
    masterKeyFile: join(dataDir, 'master.key'),
    passphraseFile: join(dataDir, 'passphrase'),
    bootstrapAccountKey: undefined,
    instancePorts: { first: 20_000, last: 29_999 },
    logLevel: 'info',
    workers: 2,
    hostMemoryMib: undefined,
    proxyHops: 0,
    signUp: 'open',
    pathPrefix: '',
    gateway: {
      corsOrigins: [],
      bodyBytesMax: 10 * 1024 * 1024,
      pipelineCommandsMax: 1_000,
      compression: false,
      processes: 1,
    },
    home: homedir(),
  });
});

test('the configuration cannot be changed', (t) => {
  const config = loadConfig({}) as { port: number };
  t.throws(() => {
    config.port = 1;
  });
});

test('every setting is taken from its variable', (t) => {
  const config = loadConfig({
    SWIFTCACHE_HOST: '0.0.0.0',
    SWIFTCACHE_PORT: '9000',
    SWIFTCACHE_REDIS_PORT: '7000',
    SWIFTCACHE_PUBLIC_HOST: 'cache.example.com',
    SWIFTCACHE_DOMAIN: 'Cache.Example.com',
    SWIFTCACHE_REDIS_TLS_PORT: '7001',
    SWIFTCACHE_REDIS_PLAIN: 'off',
    SWIFTCACHE_REDIS_TLS_CERT_FILE: '/etc/tls/redis.crt',
    SWIFTCACHE_REDIS_TLS_KEY_FILE: 'redis.key',
    SWIFTCACHE_REDIS_PROXY_PROTOCOL_FROM: '10.1.2.3/8, 2001:DB8::1',
    SWIFTCACHE_REDIS_SHARE_PORT: 'on',
    SWIFTCACHE_REDIS_PROCESSES: '2',
    SWIFTCACHE_REDIS_IDLE_TIMEOUT: '300',
    SWIFTCACHE_DATA_DIR: '/var/lib/swiftcache',
    SWIFTCACHE_STATE_BACKEND_URL: 's3://bucket',
    SWIFTCACHE_MASTER_KEY: 'ab'.repeat(32),
    SWIFTCACHE_BOOTSTRAP_ACCOUNT_KEY: `sk_live_${'0'.repeat(48)}`,
    SWIFTCACHE_INSTANCE_PORTS: '30000-30099',
    SWIFTCACHE_LOG_LEVEL: 'debug',
    SWIFTCACHE_WORKERS: '4',
    SWIFTCACHE_HOST_MEMORY_MIB: '8192',
    SWIFTCACHE_PROXY_HOPS: '2',
    SWIFTCACHE_PATH_PREFIX: '/cache/v1',
    SWIFTCACHE_CORS_ORIGINS: 'https://app.example.com, http://localhost:3000',
    SWIFTCACHE_GATEWAY_BODY_MIB: '20',
    SWIFTCACHE_GATEWAY_PIPELINE_MAX: '5000',
    SWIFTCACHE_GATEWAY_COMPRESSION: 'on',
    SWIFTCACHE_GATEWAY_PROCESSES: '3',
    SWIFTCACHE_SIGN_UP: 'invited',
    SWIFTCACHE_REDIS_IMAGE: 'redis@sha256:1',
    DOCKER_HOST: 'tcp://10.0.0.1:2375',
    PULUMI_HOME: '/opt/pulumi',
    PATH: '/bin',
    HOME: '/home/me',
  });
  t.like(config, {
    host: '0.0.0.0',
    port: 9000,
    redisPort: { number: 7000, fixed: true },
    publicHost: 'cache.example.com',
    door: {
      domain: 'cache.example.com',
      certificate: { certFile: '/etc/tls/redis.crt', keyFile: join(rootDir, 'redis.key') },
      tlsPort: { number: 7001, fixed: true },
      takesPlain: false,
      proxiesFrom: ['10.0.0.0/8', '2001:db8::1'],
      sharePort: true,
      processes: 2,
      idleTimeoutMs: 300_000,
    },
    dataDir: '/var/lib/swiftcache',
    databaseFile: '/var/lib/swiftcache/swiftcache.db',
    masterKeyFile: '/var/lib/swiftcache/master.key',
    stateBackendUrl: 's3://bucket',
    bootstrapAccountKey: `sk_live_${'0'.repeat(48)}`,
    instancePorts: { first: 30_000, last: 30_099 },
    logLevel: 'debug',
    workers: 4,
    hostMemoryMib: 8192,
    proxyHops: 2,
    pathPrefix: '/cache/v1',
    gateway: {
      corsOrigins: ['https://app.example.com', 'http://localhost:3000'],
      bodyBytesMax: 20 * 1024 * 1024,
      pipelineCommandsMax: 5_000,
      compression: true,
      processes: 3,
    },
    signUp: 'invited',
    redisImage: 'redis@sha256:1',
    dockerHost: 'tcp://10.0.0.1:2375',
    path: '/bin',
    home: '/home/me',
  });
  t.deepEqual(config.masterKey, Buffer.alloc(32, 0xab));
  t.is(config.pulumi.home, '/opt/pulumi');
});

test('a process may have some of the roles where the database is one that several can share', (t) => {
  const apart = {
    SWIFTCACHE_ROLES: 'api, gateway',
    SWIFTCACHE_DATABASE_URL: 'postgres://h/d',
    SWIFTCACHE_BACKUP_URL: 's3://backups',
  };
  t.deepEqual(loadConfig(apart).roles, new Set(['api', 'gateway']));
  t.is(loadConfig({}).roles.size, 4);
  t.regex(problemsOf({ SWIFTCACHE_ROLES: 'api' })[0] ?? '', /^SWIFTCACHE_ROLES: .*DATABASE_URL/);
  t.regex(problemsOf({ ...apart, SWIFTCACHE_ROLES: 'cook' })[0] ?? '', /^SWIFTCACHE_ROLES/);
});

test('an API and reconcilers apart do not each get a backup store of their own', (t) => {
  const database = { SWIFTCACHE_DATABASE_URL: 'postgres://h/d' };
  for (const roles of ['api', 'reconciler', 'api,gateway,edge']) {
    const problems = problemsOf({ ...database, SWIFTCACHE_ROLES: roles });
    t.regex(problems[0] ?? '', /^SWIFTCACHE_BACKUP_URL/, roles);
  }
  t.notThrows(() => loadConfig({ ...database, SWIFTCACHE_ROLES: 'gateway,edge' }));
  t.notThrows(() => loadConfig({ ...database, SWIFTCACHE_ROLES: 'api,reconciler' }));
});

test("a state backend gets its own cloud's credentials and no others", (t) => {
  const clouds = { AWS_ACCESS_KEY_ID: 'a', GOOGLE_APPLICATION_CREDENTIALS: 'g', AZURE_X: 'z' };
  const credentialsOf = (url: string) =>
    loadConfig({ ...clouds, SWIFTCACHE_STATE_BACKEND_URL: url }).stateCredentials;
  t.deepEqual(credentialsOf('s3://bucket'), { AWS_ACCESS_KEY_ID: 'a' });
  t.deepEqual(credentialsOf('gs://bucket'), { GOOGLE_APPLICATION_CREDENTIALS: 'g' });
  t.deepEqual(credentialsOf('postgres://u:p@h/d'), {});
  t.deepEqual(loadConfig(clouds).stateCredentials, {});
});

test('a passphrase may be kept elsewhere than in the data directory', (t) => {
  const environment = { SWIFTCACHE_PASSPHRASE_FILE: '/run/secrets/passphrase' };
  t.is(loadConfig(environment).passphraseFile, '/run/secrets/passphrase');
});

test('a wildcard address is given to clients as the name of the machine', (t) => {
  for (const address of ['0.0.0.0', '::']) {
    t.is(loadConfig({ SWIFTCACHE_HOST: address }).publicHost, hostname());
  }
  t.is(loadConfig({ SWIFTCACHE_HOST: '10.0.0.5' }).publicHost, '10.0.0.5');
});

test('a data directory is absolute, and a relative one is counted from the repository', (t) => {
  t.is(loadConfig({ SWIFTCACHE_DATA_DIR: './else' }).dataDir, join(rootDir, 'else'));
  t.true(isAbsolute(loadConfig({ SWIFTCACHE_DATA_DIR: '../x' }).dataDir));
});

const databases: Record<string, Pick<Config, 'databaseUrl' | 'databaseFile'>> = {
  'postgres://u:p@h/d': {
    databaseUrl: 'postgres://u:p@h/d',
    databaseFile: join(rootDir, '.swiftcache/swiftcache.db'),
  },
  'postgresql://h:5433/d': {
    databaseUrl: 'postgresql://h:5433/d',
    databaseFile: join(rootDir, '.swiftcache/swiftcache.db'),
  },
  'file:///var/lib/x.db': { databaseUrl: undefined, databaseFile: '/var/lib/x.db' },
  'file:/var/lib/x.db': { databaseUrl: undefined, databaseFile: '/var/lib/x.db' },
  'file:./x.db': { databaseUrl: undefined, databaseFile: join(rootDir, 'x.db') },
};

for (const [url, expected] of Object.entries(databases)) {
  test(`the database ${url} is read as it is meant`, (t) => {
    t.like(loadConfig({ SWIFTCACHE_DATABASE_URL: url }), expected);
  });
}

const secret = 'f00dfacef00dface';
const wrongValues: [name: string, ...values: string[]][] = [
  ['SWIFTCACHE_HOST', ''],
  ['SWIFTCACHE_PORT', '-1', '65536', 'http', '80.5', ''],
  ['SWIFTCACHE_REDIS_PORT', '-1', '65536', 'redis', ''],
  ['SWIFTCACHE_REDIS_PROCESSES', '', '-1', '65', 'auto'],
  ['SWIFTCACHE_PUBLIC_HOST', ''],
  ['SWIFTCACHE_DATA_DIR', ''],
  ['SWIFTCACHE_DATABASE_URL', '', `mysql://u:${secret}@h/d`, '/var/lib/x.db'],
  ['SWIFTCACHE_STATE_BACKEND_URL', '', `https://u:${secret}@app.example.com`],
  ['SWIFTCACHE_MASTER_KEY', '', secret, `${'ab'.repeat(31)}zz`, 'ab'.repeat(33)],
  [
    'SWIFTCACHE_BOOTSTRAP_ACCOUNT_KEY',
    '',
    secret,
    `sk_live_${secret}`,
    `sc_live_${'ab'.repeat(24)}`,
  ],
  ['SWIFTCACHE_INSTANCE_PORTS', '', '20000', '29999-20000', '80-90', '60000-65536', 'a-b', '1-2-3'],
  ['SWIFTCACHE_LOG_LEVEL', '', 'loud', 'INFO'],
  ['SWIFTCACHE_WORKERS', '0', '17', '1.5', 'two'],
  ['SWIFTCACHE_HOST_MEMORY_MIB', '', '63', 'all'],
  ['SWIFTCACHE_PROXY_HOPS', '', '-1', '11', 'true'],
  ['SWIFTCACHE_SIGN_UP', '', 'yes', 'OPEN'],
  ['SWIFTCACHE_PATH_PREFIX', '', '/', 'cache', '/cache/', '//cache', '/a b', '/%2f'],
  [
    'SWIFTCACHE_CORS_ORIGINS',
    '',
    ',',
    'app.example.com',
    'https://app.example.com/',
    'https://*.example.com',
    'https://APP.example.com',
    'null',
    'ftp://h',
  ],
  ['SWIFTCACHE_GATEWAY_BODY_MIB', '', '0', '65', '1.5'],
  ['SWIFTCACHE_GATEWAY_PIPELINE_MAX', '', '0', '100001', 'all'],
  ['SWIFTCACHE_GATEWAY_COMPRESSION', '', 'true', '1'],
  ['SWIFTCACHE_GATEWAY_PROCESSES', '', '0', '65', 'auto'],
  ['SWIFTCACHE_REDIS_IMAGE', ''],
];

for (const [name, ...values] of wrongValues) {
  for (const value of values) {
    test(`${name}=${JSON.stringify(value)} is refused by name, and not quoted`, (t) => {
      const problems = problemsOf({ [name]: value });
      t.is(problems.length, 1);
      t.true(problems[0]?.startsWith(`${name}: `), problems[0]);
      t.false(problems[0]?.includes(secret), problems[0]);
    });
  }
}

for (const range of ['1024-65535', '20000-20000']) {
  test(`the instance ports may be ${range}`, (t) => {
    t.deepEqual(problemsOf({ SWIFTCACHE_INSTANCE_PORTS: range }), []);
  });
}

test('a setting that does not exist is refused by name', (t) => {
  const problems = problemsOf({ SWIFTCACHE_DATADIR: secret, OTHER: 'x', SWIFTCACHE: 'x' });
  t.is(problems.length, 1);
  t.true(problems[0]?.startsWith('SWIFTCACHE_DATADIR: '));
  t.false(problems[0]?.includes(secret));
});

test('all problems are reported at once, each in a line of its own', (t) => {
  const wrong = {
    SWIFTCACHE_PORT: 'http',
    SWIFTCACHE_MASTER_KEY: secret,
    SWIFTCACHE_LOG_LEVEL: 'loud',
    SWIFTCACHE_NO_SUCH: secret,
  };
  const error = t.throws(() => loadConfig({ ...wrong, SWIFTCACHE_HOST: 'localhost' }), {
    instanceOf: ConfigError,
  });
  const lines = error.message.split('\n').slice(1);
  t.deepEqual(lines.map((line) => line.trim().split(':')[0]).sort(), Object.keys(wrong).sort());
  t.false(error.message.includes(secret));
});

test('a certificate alone brings the usual port of TLS; a process without the door may tell one', (t) => {
  const files = {
    SWIFTCACHE_REDIS_TLS_CERT_FILE: '/c',
    SWIFTCACHE_REDIS_TLS_KEY_FILE: '/k',
  };
  t.deepEqual(loadConfig(files).door.tlsPort, { number: 6380, fixed: false });
  const apart = {
    SWIFTCACHE_ROLES: 'gateway',
    SWIFTCACHE_DATABASE_URL: 'postgres://h/d',
    SWIFTCACHE_REDIS_TLS_PORT: '7001',
  };
  t.deepEqual(loadConfig(apart).door.tlsPort, { number: 7001, fixed: true });
});

test('what stands before the door is checked, all of it at once', (t) => {
  const problems = problemsOf({
    SWIFTCACHE_DOMAIN: 'example.com.',
    SWIFTCACHE_REDIS_TLS_PORT: '70000',
    SWIFTCACHE_REDIS_PLAIN: 'no',
    SWIFTCACHE_REDIS_PROXY_PROTOCOL_FROM: '10.0.0.0/8,elsewhere',
    SWIFTCACHE_REDIS_SHARE_PORT: 'yes',
    SWIFTCACHE_REDIS_IDLE_TIMEOUT: '-1',
  });
  t.deepEqual(
    problems.map((problem) => problem.split(':')[0]),
    [
      'SWIFTCACHE_DOMAIN',
      'SWIFTCACHE_REDIS_TLS_PORT',
      'SWIFTCACHE_REDIS_PLAIN',
      'SWIFTCACHE_REDIS_PROXY_PROTOCOL_FROM',
      'SWIFTCACHE_REDIS_SHARE_PORT',
      'SWIFTCACHE_REDIS_IDLE_TIMEOUT',
    ],
  );
  for (const domain of ['', '-a.com', 'a..com', 'a_b.com', 'x'.repeat(64), 'a.'.repeat(120)]) {
    t.is(problemsOf({ SWIFTCACHE_DOMAIN: domain }).length, 1, domain);
  }
});

for (const [given, missing] of [
  ['SWIFTCACHE_REDIS_TLS_CERT_FILE', 'SWIFTCACHE_REDIS_TLS_KEY_FILE'],
  ['SWIFTCACHE_REDIS_TLS_KEY_FILE', 'SWIFTCACHE_REDIS_TLS_CERT_FILE'],
  ['SWIFTCACHE_REDIS_TLS_PORT', 'SWIFTCACHE_REDIS_TLS_PORT'],
] as const) {
  test(`${given} alone is not enough`, (t) => {
    const [problem, ...others] = problemsOf({ [given]: '6380' });
    t.true(problem?.startsWith(`${missing}: `), problem);
    t.is(others.length, 0);
  });
}

test('without plain connections there must be TLS: its certificate at a door, its port elsewhere', (t) => {
  const off = { SWIFTCACHE_REDIS_PLAIN: 'off' };
  const needsFiles =
    'SWIFTCACHE_REDIS_PLAIN: off needs SWIFTCACHE_REDIS_TLS_CERT_FILE and …_KEY_FILE';
  t.deepEqual(problemsOf(off), [needsFiles]);
  const apart = { SWIFTCACHE_ROLES: 'gateway', SWIFTCACHE_DATABASE_URL: 'postgres://h/d', ...off };
  const [problem, ...others] = problemsOf(apart);
  t.regex(problem ?? '', /^SWIFTCACHE_REDIS_PLAIN: off needs SWIFTCACHE_REDIS_TLS_PORT/);
  t.is(others.length, 0);
  t.deepEqual(problemsOf({ ...apart, SWIFTCACHE_REDIS_TLS_PORT: '6380' }), []);
});
