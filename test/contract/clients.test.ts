/**
 * The Redis clients as the documents show them: the key is the password, and there is no user name. The
 * samples connect to port 6379; where that is taken on this machine, the service's own stands in for it.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  adapt,
  doorAsDocumented,
  isDocumentedPort,
  pythonTest,
  runCommonJs,
  runPython,
  runTypeScript,
  serviceOfFile,
} from '../support/samples.ts';
import { createRunningInstance, type TestInstance } from '../support/service.ts';

const service = serviceOfFile(doorAsDocumented);
const testWithPython = pythonTest();
const wrongKey = `sc_live_${'0'.repeat(32)}`;
let instance: TestInstance;

test.serial.before(async () => {
  instance = await createRunningInstance(service());
});

/** What a reader puts into the environment, as the documents name it. */
const environment = (): Record<string, string> => ({
  SWIFTCACHE_API_KEY: instance.key,
  SWIFTCACHE_URL: connectionString(instance.key),
});

const connectionString = (key: string): string =>
  adapt(
    'redis://:[API_KEY]@[HOSTNAME]:6379',
    {},
    {
      '[API_KEY]': key,
      '[HOSTNAME]': instance.host,
      '6379': String(instance.port),
    },
  );

const withDoor = (sample: string): string => adapt(sample, { door: instance });

function sayPort(t: ExecutionContext): void {
  if (!isDocumentedPort(instance.port)) t.log(`6379 is taken; the samples use ${instance.port}`);
}

/** node-redis, with host and port beside the password. */
const nodeRedisSample = `
import { createClient } from 'redis';
const client = createClient({
  host: 'abc123.redis.swiftcache.io',
  port: 6379,
  password: process.env.SWIFTCACHE_API_KEY,
  socket: { reconnectStrategy: (retries) => Math.min(retries * 50, 500) },
});
client.on('error', (err) => console.log('error', err.message));
await client.connect();
await client.set('key', 'from node-redis');
console.log(await client.get('key'));
await client.disconnect();
`;

test.serial('node-redis connects with host, port and password', async (t) => {
  sayPort(t);
  // Today's node-redis looks for host and port in "socket" and passes over those beside it: the sample
  // reaches localhost:6379, as it does for its readers, or nothing at all.
  const sample = isDocumentedPort(instance.port)
    ? withDoor(nodeRedisSample)
    : withDoor(nodeRedisSample).replace('socket: {', `socket: { port: ${instance.port},`);
  t.is(await runTypeScript(sample, environment()), 'from node-redis\n');
});

/** The quickstart. */
const quickstartSample = `
import { createClient } from 'redis'
const client = createClient({ url: process.env.SWIFTCACHE_URL })
await client.connect()
await client.set('key', 'from a connection string')
console.log(await client.get('key'))
client.destroy()
`;

test.serial('node-redis connects with the connection string', async (t) => {
  t.is(await runTypeScript(quickstartSample, environment()), 'from a connection string\n');
});

/** ioredis; the sample ends with disconnect(), which tells its error listener nothing. */
const ioredisSample = `
const Redis = require('ioredis');
const redis = new Redis({
  host: 'abc123.redis.swiftcache.io',
  port: 6379,
  password: process.env.SWIFTCACHE_API_KEY,
  retryStrategy: (times) => Math.min(times * 50, 2000),
});
redis.on('connect', () => console.log('connected'));
redis.on('error', (err) => console.log('error', err.message));
await redis.set('key', 'from ioredis');
console.log(await redis.get('key'));
redis.disconnect();
`;

test.serial('ioredis connects with host, port and password', async (t) => {
  t.is(await runCommonJs(withDoor(ioredisSample), environment()), 'connected\nfrom ioredis\n');
});

/** redis-py. */
const redisPySample = `
import redis
import os
r = redis.Redis(
    host='abc123.redis.swiftcache.io',
    port=6379,
    password=os.getenv('SWIFTCACHE_API_KEY'),
    decode_responses=True,
    socket_connect_timeout=5,
    socket_keepalive=True
)
try:
    r.ping()
    print('connected')
except redis.ConnectionError as e:
    print(f'failed: {e}')
r.set('key', 'from redis-py')
print(r.get('key'))
r.close()
`;

testWithPython('redis-py connects with host, port and password', async (t) => {
  t.is(await runPython(withDoor(redisPySample), environment()), 'connected\nfrom redis-py\n');
});

/** The quickstart in Python, with the import that its reader has to add. */
const quickstartPySample = `
import os
import redis
r = redis.from_url(os.environ['SWIFTCACHE_URL'])
r.set('key', 'value')
print(r.get('key'))
`;

testWithPython('redis-py connects with the connection string', async (t) => {
  t.is(await runPython(quickstartPySample, environment()), "b'value'\n");
});

test.serial('a key that was appended to .env is read from there', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'swiftcache-dotenv-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const sample = adapt(
    'echo "REDIS_API_KEY=sc_live_9f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4c" >> .env',
    {},
    { sc_live_9f8e7d6c5b4a3f2e1d0c9b8a7f6e5d4c: instance.key },
  );
  execFileSync('sh', ['-c', sample], { cwd: folder });
  const output = await runTypeScript(`
    process.loadEnvFile('${join(folder, '.env')}');
    import { createClient } from 'redis';
    const { REDIS_API_KEY } = process.env;
    const client = createClient({ url: \`redis://:\${REDIS_API_KEY}@${instance.host}:${instance.port}\` });
    await client.connect();
    console.log(await client.ping());
    await client.close();
  `);
  t.is(output, 'PONG\n');
});

/** What a client prints when it is refused. */
const refusedSample = (options: string): string => `
import { createClient } from 'redis';
const client = createClient({ ${options} });
client.on('error', () => {});
try {
  await client.connect();
  await client.get('key');
  console.log('let in');
} catch (error) {
  console.log(error.message);
}
client.destroy();
`;

test.serial(
  'a client without a password, or with a wrong key, is told as documented',
  async (t) => {
    const socket = `socket: { host: '${instance.host}', port: ${instance.port}, reconnectStrategy: false }`;
    // It begins with HELLO, for which Redis's own refusal is a longer one.
    t.regex(await runTypeScript(refusedSample(socket)), /^NOAUTH /);
    const resp2 = await runTypeScript(refusedSample(`${socket}, RESP: 2`));
    t.is(resp2, 'NOAUTH Authentication required.\n');
    for (const key of [wrongKey, instance.key.slice(0, -1), 'sk_live_your_account_key']) {
      const refused = await runTypeScript(refusedSample(`${socket}, password: '${key}'`));
      t.regex(refused, /^WRONGPASS invalid username-password pair/);
    }
  },
);

testWithPython('redis-py is told the same', async (t) => {
  const { host, port } = instance;
  const output = await runPython(`
import redis
for key in [None, '${wrongKey}']:
    try:
        redis.Redis(host='${host}', port=${port}, password=key).ping()
        print('let in')
    except redis.AuthenticationError as error:
        print(error)
`);
  const [without, wrong] = output.split('\n');
  t.regex(without ?? '', /Authentication required/);
  t.regex(wrong ?? '', /invalid username-password pair/);
});

test.serial('over HTTP a missing or wrong key is told as documented', async (t) => {
  const get = async (headers: Record<string, string>): Promise<unknown> => {
    const response = await fetch(`${service().url}/redis/${instance.id}/get/key`, { headers });
    return [response.status, await response.json()];
  };
  t.deepEqual(await get({}), [401, { error: 'Authentication required' }]);
  const refused = [401, { error: 'Invalid authentication token' }];
  t.deepEqual(await get({ Authorization: `Bearer ${wrongKey}` }), refused);
});
