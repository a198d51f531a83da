/** Each rule passes the container that infra/ declares, and stops it with one thing missing or wrong. */
import test from 'ava';
import { loadPolicyContext } from '../../../policies/context.ts';
import type { PolicyContext, ResourceProperties } from '../../../policies/rule.ts';
import { findViolations, rules } from '../../../policies/rules.ts';
import { containerType, declareInstance, inputsOf } from '../../support/pulumi-mocks.ts';

const digest = 'b'.repeat(64);
const context: PolicyContext = {
  ...loadPolicyContext(),
  allowedImages: [`sha256:${'a'.repeat(64)}`],
  allowedRepositories: ['redis', 'registry.example.com/team/redis'],
};
const { memoryMibMin, memoryMibMax } = context;
const compliant = inputsOf(await declareInstance(), containerType);

type Properties = Record<string, unknown>;

/** The compliant container, a deep copy, changed. */
function changed(change: Properties | ((properties: Properties) => void)): Properties {
  const copy = structuredClone(compliant);
  if (typeof change === 'function') change(copy);
  else Object.assign(copy, change);
  return copy;
}

function without(name: string): Properties {
  return changed((properties) => {
    delete properties[name];
  });
}

function brokenRules(properties: ResourceProperties): string[] {
  return [...new Set(findViolations(containerType, properties, context).map(({ rule }) => rule))];
}

test('the container that infra declares complies with every rule', (t) => {
  t.deepEqual(findViolations(containerType, compliant, context), []);
});

const passing: Record<string, Properties> = {
  'the least memory': changed({ memory: memoryMibMin, memorySwap: memoryMibMin }),
  'the most memory': changed({ memory: memoryMibMax, memorySwap: memoryMibMax }),
  'an image by digest of an allowed repository': changed({ image: `redis@sha256:${digest}` }),
  'an image of an allowed repository elsewhere': changed({
    image: `registry.example.com/team/redis@sha256:${digest}`,
  }),
  'privileged: false': changed({ privileged: false }),
  'a bridge network': changed({ networkMode: 'bridge' }),
  'no published port': without('ports'),
  'a port on IPv6 loopback': changed({ ports: [{ internal: 6379, external: 1, ip: '::1' }] }),
  'the local log driver': changed({ logDriver: 'local' }),
  'a second named volume': changed((properties) => {
    (properties.volumes as Properties[]).unshift({ containerPath: '/extra', volumeName: 'extra' });
  }),
  'a mounted tmpfs': changed({ mounts: [{ type: 'tmpfs', target: '/scratch' }] }),
};

for (const [what, properties] of Object.entries(passing)) {
  test(`${what} is no violation`, (t) => {
    t.deepEqual(findViolations(containerType, properties, context), []);
  });
}

const socket = '/var/run/docker.sock';
const onData = { containerPath: '/data', volumeName: 'named' };
const port = { internal: 6379, external: 20_000, protocol: 'tcp' };
const foreignId = `sha256:${digest}`;

/** By rule: what is missing or wrong, and the container that has it so. */
const failing: Record<string, Record<string, Properties>> = {
  'memory-limit': {
    'memory missing': without('memory'),
    'memory 0, which is no limit': changed({ memory: 0, memorySwap: 0 }),
    'memory too small': changed({ memory: memoryMibMin - 1, memorySwap: memoryMibMin - 1 }),
    'memory too big': changed({ memory: memoryMibMax + 1, memorySwap: memoryMibMax + 1 }),
    'memory as a text': changed({ memory: '512', memorySwap: '512' }),
    'memory not a number': changed({ memory: Number.NaN, memorySwap: Number.NaN }),
    'memorySwap missing': without('memorySwap'),
    'memorySwap different': changed({ memorySwap: Number(compliant.memory) + 1 }),
    'memorySwap without end': changed({ memorySwap: -1 }),
  },
  'host-isolation': {
    'privileged mode': changed({ privileged: true }),
    "the host's network": changed({ networkMode: 'host' }),
    "another container's network": changed({ networkMode: 'container:other' }),
    "the host's network by a list": changed({ networksAdvanced: [{ name: 'host' }] }),
    "the host's processes": changed({ pidMode: 'host' }),
    "another container's processes": changed({ pidMode: 'container:other' }),
    "the host's memory": changed({ ipcMode: 'host' }),
    "the host's users": changed({ usernsMode: 'host' }),
    'a capability added': changed({ capabilities: { drops: ['ALL'], adds: ['NET_ADMIN'] } }),
    'no system call filter': changed({ securityOpts: ['seccomp=unconfined'] }),
    'a device': changed({ devices: [{ hostPath: '/dev/kmsg' }] }),
    'the Docker socket as a volume': changed((properties) => {
      (properties.volumes as Properties[]).push({ containerPath: socket, hostPath: socket });
    }),
    'the Docker socket as a mount': changed({
      mounts: [{ type: 'bind', source: socket, target: '/sock' }],
    }),
    "any other path of the host's": changed((properties) => {
      (properties.volumes as Properties[]).push({ containerPath: '/host', hostPath: '/' });
    }),
  },
  'pinned-image': {
    'image missing': without('image'),
    'image empty': changed({ image: '' }),
    'a tag': changed({ image: 'redis:7' }),
    'no tag at all': changed({ image: 'redis' }),
    'a digest of a foreign repository': changed({ image: `evil/redis@sha256:${digest}` }),
    'a repository that only begins like an allowed one': changed({
      image: `redis-evil@sha256:${digest}`,
    }),
    'an id that is not on the list': changed({ image: foreignId }),
    'a digest cut short': changed({ image: `redis@sha256:${digest.slice(1)}` }),
    'a digest of another algorithm': changed({ image: `redis@md5:${digest}` }),
    'text after the digest': changed({ image: `redis@sha256:${digest}\nx` }),
  },
  'loopback-ports': {
    'a port without an address': changed({ ports: [port] }),
    'a port on every address': changed({ ports: [{ ...port, ip: '0.0.0.0' }] }),
    'a port on every IPv6 address': changed({ ports: [{ ...port, ip: '::' }] }),
    'a port on an outer address': changed({ ports: [{ ...port, ip: '10.0.0.5' }] }),
    'an empty address': changed({ ports: [{ ...port, ip: '' }] }),
    'one port of two': changed({ ports: [{ ...port, ip: '127.0.0.1' }, port] }),
    'all ports published': changed({ publishAllPorts: true }),
  },
  'log-rotation': {
    'log driver missing': without('logDriver'),
    'a log driver that does not rotate': changed({ logDriver: 'syslog' }),
    'log options missing': without('logOpts'),
    'max-size missing': changed({ logOpts: { 'max-file': '3' } }),
    'max-file missing': changed({ logOpts: { 'max-size': '10m' } }),
    'max-size without end': changed({ logOpts: { 'max-size': '-1', 'max-file': '3' } }),
  },
  'data-volume': {
    'volumes missing': without('volumes'),
    'no volume': changed({ volumes: [] }),
    'an anonymous volume': changed({ volumes: [{ containerPath: '/data' }] }),
    'a volume elsewhere': changed({ volumes: [{ ...onData, containerPath: '/var/lib' }] }),
    'a read-only volume': changed({ volumes: [{ ...onData, readOnly: true }] }),
  },
};

for (const [rule, cases] of Object.entries(failing)) {
  for (const [what, properties] of Object.entries(cases)) {
    test(`${rule} stops ${what}`, (t) => {
      t.deepEqual(brokenRules(properties), [rule]);
    });
  }
}

test("a path of the host's in place of the volume breaks both rules about volumes", (t) => {
  const properties = changed({ volumes: [{ containerPath: '/data', hostPath: '/srv' }] });
  t.deepEqual(brokenRules(properties).sort(), ['data-volume', 'host-isolation']);
});

test('every rule has a test that it stops something', (t) => {
  t.deepEqual(rules.map(({ name }) => name).sort(), Object.keys(failing).sort());
});

test('a container with nothing set breaks every rule that asks for something', (t) => {
  t.deepEqual(brokenRules({}).sort(), [
    'data-volume',
    'log-rotation',
    'memory-limit',
    'pinned-image',
  ]);
});

test('what is not a container is none of the rules concern', (t) => {
  for (const type of ['docker:index/volume:Volume', 'swiftcache:index:RedisSettings']) {
    t.deepEqual(findViolations(type, { privileged: true }, context), []);
  }
});

test('a problem is one line that names the property', (t) => {
  const properties = changed({
    privileged: true,
    networkMode: 'host',
    memory: 1,
    image: 'redis:7',
  });
  for (const { problem } of findViolations(containerType, properties, context)) {
    t.regex(problem, /^[^\n]+\.$/);
  }
  t.is(findViolations(containerType, properties, context).length, 5);
});
