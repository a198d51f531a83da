/**
 * Redis clients over rediss://, as their users would connect: the key in the address, a certificate of a
 * private authority that they are told of, and the host name checked. The instance is a real one.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import test from 'ava';
import { instanceHostname } from '../../src/instances/host-names.ts';
import { makeCertificate, type TestCertificate, testDomain } from '../support/certificates.ts';
import { pythonTest, runPython, runTypeScript, serviceOfFile } from '../support/samples.ts';
import { createRunningInstance, type TestInstance } from '../support/service.ts';

const run = promisify(execFile);
const testWithPython = pythonTest();
const ends: (() => unknown)[] = [];
let certificate: TestCertificate;
const service = serviceOfFile(async () => {
  certificate = await makeCertificate({ teardown: (end) => ends.push(end) });
  return {
    SWIFTCACHE_DOMAIN: testDomain,
    SWIFTCACHE_REDIS_TLS_PORT: '0',
    SWIFTCACHE_REDIS_TLS_CERT_FILE: certificate.certFile,
    SWIFTCACHE_REDIS_TLS_KEY_FILE: certificate.keyFile,
  };
});
test.after.always(() => {
  for (const end of ends) end();
});

let instance: TestInstance;
let other: TestInstance;
/** As the API tells it. */
let tlsPort: number;
let connectionString: string;

test.serial.before(async () => {
  instance = await createRunningInstance(service());
  other = await createRunningInstance(service());
  await service().api.call('PUT', `/api/v1/instances/${other.id}/api-keys/${await keyId()}`);
  const shown = await service().api.call('GET', `/api/v1/instances/${instance.id}`);
  ({ tlsPort, connectionString } = shown.instance);
});

/** The id of the key that opens both instances from then on. */
async function keyId(): Promise<string> {
  const { instance: shown } = await service().api.call('GET', `/api/v1/instances/${instance.id}`);
  return shown.apiKeys[0].id;
}

const address = (): string => `rediss://:${other.key}@localhost:${tlsPort}`;
/** The name of one of the two instances that `instance.key` opens. */
const nameOf = ({ id }: TestInstance): string => instanceHostname(id, testDomain);

test.serial('the API tells the name of the instance, the port and the whole address', async (t) => {
  t.is(connectionString, `rediss://:[API_KEY]@${nameOf(instance)}:${tlsPort}`);
  t.regex(service().output(), new RegExp(`rediss:// door {3}\\S+:${tlsPort}\n`));
});

test.serial('node-redis connects, and by server name to the instance that is meant', async (t) => {
  const sample = `
    import { readFileSync } from 'node:fs';
    import { createClient } from 'redis';
    const ca = readFileSync('${certificate.caFile}');
    const client = await createClient({ url: '${address()}', socket: { ca } }).connect();
    await client.set('from', 'node-redis');
    console.log(await client.get('from'));
    client.destroy();
    for (const servername of ['${nameOf(other)}', '${nameOf(instance)}']) {
      const url = 'rediss://:${instance.key}@localhost:${tlsPort}';
      const named = await createClient({ url, socket: { ca, servername } }).connect();
      console.log(await named.get('from'));
      named.destroy();
    }
  `;
  t.is(await runTypeScript(sample), 'node-redis\nnode-redis\nnull\n');
});

test.serial('ioredis connects, and by server name to the instance that is meant', async (t) => {
  const sample = `
    import { readFileSync } from 'node:fs';
    import { Redis } from 'ioredis';
    const ca = readFileSync('${certificate.caFile}');
    const redis = new Redis('${address()}', { tls: { ca } });
    await redis.set('from', 'ioredis');
    console.log(await redis.get('from'));
    redis.disconnect();
    for (const servername of ['${nameOf(other)}', '${nameOf(instance)}']) {
      const named = new Redis('rediss://:${instance.key}@localhost:${tlsPort}', { tls: { ca, servername } });
      console.log(await named.get('from'));
      named.disconnect();
    }
  `;
  t.is(await runTypeScript(sample), 'ioredis\nioredis\nnull\n');
});

test.serial('the port of redis:// takes the same clients with TLS and without', async (t) => {
  const sample = `
    import { readFileSync } from 'node:fs';
    import { Redis } from 'ioredis';
    const ca = readFileSync('${certificate.caFile}');
    for (const [scheme, options] of [['rediss', { tls: { ca } }], ['redis', {}], ['rediss', { tls: { ca } }]]) {
      const redis = new Redis(scheme + '://:${other.key}@localhost:${other.port}', options);
      console.log(await redis.ping());
      redis.disconnect();
    }
  `;
  t.is(await runTypeScript(sample), 'PONG\nPONG\nPONG\n');
});

test.serial('a client that does not know the authority does not connect', async (t) => {
  const sample = `
    import { createClient } from 'redis';
    const client = createClient({ url: '${address()}', socket: { reconnectStrategy: false } });
    client.on('error', () => {});
    await client.connect().catch((error) => console.log(error.code));
  `;
  t.is(await runTypeScript(sample), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE\n');
});

test.serial('a client without TLS is told what to do', async (t) => {
  const sample = `
    import { createClient } from 'redis';
    const url = 'redis://:${other.key}@localhost:${tlsPort}';
    const client = createClient({ url, socket: { reconnectStrategy: false } });
    client.on('error', () => {});
    await client.connect().catch((error) => console.log(error.message));
  `;
  t.regex(await runTypeScript(sample), /^ERR this port takes TLS only: connect with rediss:\/\//);
});

testWithPython('redis-py connects and checks the name, which Python sends by itself', async (t) => {
  const sample = `
import redis, socket
lookup = socket.getaddrinfo
# Stands for the DNS entry *.redis.${testDomain}.
socket.getaddrinfo = lambda host, *rest, **named: lookup(
    '127.0.0.1' if host.endswith('.redis.${testDomain}') else host, *rest, **named)
def connect(key, name):
    return redis.from_url(f'rediss://:{key}@{name}:${tlsPort}',
        ssl_ca_certs='${certificate.caFile}', ssl_check_hostname=True, decode_responses=True)
plain = connect('${other.key}', 'localhost')
plain.set('from', 'redis-py')
print(plain.get('from'))
print(connect('${instance.key}', '${nameOf(other)}').get('from'))
print(connect('${instance.key}', '${nameOf(instance)}').get('from'))
try:
    connect('${other.key}', 'no.name.redis.${testDomain}').ping()
except redis.ConnectionError as error:
    print('mismatch' in str(error))
`;
  t.is(await runPython(sample), 'redis-py\nredis-py\nNone\nTrue\n');
});

test.serial('redis-cli connects with --tls, and without is told of it', async (t) => {
  const version = await run('redis-cli', ['--version']).catch(() => undefined);
  if (!version) {
    t.log('no redis-cli here');
    t.pass();
    return;
  }
  const cli = async (port: number, ...args: string[]): Promise<string> => {
    const environment = { ...process.env, REDISCLI_AUTH: instance.key };
    const all = ['-h', 'localhost', '-p', String(port), ...args];
    const { stdout, stderr } = await run('redis-cli', all, { env: environment }).catch((e) => e);
    return `${stdout}${stderr}`;
  };
  const secure = ['--tls', '--cacert', certificate.caFile, '--sni', nameOf(other)];
  t.is(await cli(tlsPort, ...secure, 'set', 'from', 'redis-cli'), 'OK\n');
  t.is(await cli(instance.port, ...secure, 'get', 'from'), 'redis-cli\n');
  t.regex(await cli(tlsPort, 'ping'), /this port takes TLS only: connect with rediss:\/\//);
});

test.serial('no key of the certificate and no data key is in the log', (t) => {
  const output = service().output();
  t.false(output.includes('PRIVATE KEY') || output.includes(instance.key));
});
