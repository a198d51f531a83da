import test from 'ava';
import { type ErrorCode, errorCatalogue } from '../../../src/lib/errors.ts';
import { explainFailure } from '../../../src/provisioning/failures.ts';

const name = 'swiftcache-inst_abcdefghijklmnop';
const urn = `urn:pulumi:inst_a::swiftcache::swiftcache:infra:RedisInstance$docker:index/container:Container::redis`;
const trace = `    at RedisInstance.createContainer (/srv/cache/infra/redis-instance.ts:71:12)
    at new RedisInstance (/srv/cache/infra/redis-instance.ts:31:28)`;

/** What Pulumi, its providers and Docker's client say, and what is made of it. */
const known: [ErrorCode, transient: boolean, text: string][] = [
  [
    'policy_violation',
    false,
    `Running program '/srv/cache/infra/index.ts' failed with an unhandled exception:
Error: policy refused: [host-isolation] privileged is on: remove it. [loopback-ports] port 6379 is published on 0.0.0.0: set ip to 127.0.0.1.
${trace}`,
  ],
  [
    'port_in_use',
    false,
    `sdk-v2/provider2.go:385: sdk.helper_schema: Unable to start container: Error response from daemon: driver failed programming external connectivity on endpoint ${name} (5c1e): Bind for 127.0.0.1:20000 failed: port is already allocated: provider=docker@5.2.0`,
  ],
  [
    'port_in_use',
    false,
    `1 error occurred:\n\t* Unable to start container: Error response from daemon: driver failed programming external connectivity on endpoint ${name}: Error starting userland proxy: listen tcp4 127.0.0.1:20000: bind: address already in use`,
  ],
  [
    'docker_unreachable',
    true,
    'Error pinging Docker server: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?',
  ],
  [
    'docker_unreachable',
    true,
    'error during connect: Get "http://10.0.0.5:2375/_ping": dial tcp 10.0.0.5:2375: i/o timeout',
  ],
  ['docker_unreachable', true, 'connect ENOENT /var/run/docker.sock'],
  [
    'instance_loading',
    true,
    'Redis at 127.0.0.1:20000 did not take its settings: LOADING Redis is loading the dataset in memory',
  ],
  [
    'instance_loading',
    true,
    'Redis at 127.0.0.1:20000 did not take its settings: Redis is still writing its append-only file',
  ],
  [
    'image_missing',
    false,
    `Unable to create container with image sha256:${'a'.repeat(64)}: unable to find or pull image sha256:${'a'.repeat(64)}`,
  ],
  ['image_missing', false, `Error response from daemon: No such image: sha256:${'a'.repeat(64)}`],
  [
    'image_missing',
    false,
    'Error response from daemon: pull access denied for redis-x, repository does not exist or may require docker login',
  ],
  [
    'image_missing',
    false,
    `manifest for redis@sha256:${'a'.repeat(64)} not found: manifest unknown`,
  ],
];

for (const [code, transient, text] of known) {
  test(`${code} is recognised in "${text.slice(0, 60)}…"`, (t) => {
    const cause = explainFailure({
      diagnostics: [`error: ${urn} resource 'redis': property`, text, 'update failed'],
      timedOut: false,
    });
    t.is(cause.code, code);
    t.is(cause.transient, transient);
    t.true(code in errorCatalogue);
    // Our words, not Pulumi's.
    t.notRegex(cause.message, /\/srv|\bat |provider|daemon:|docker\.sock|sha256:|urn:|\n/);
  });
}

test('a refusal by policy says which rules and what to do', (t) => {
  const { message } = explainFailure({ diagnostics: [known[0]?.[2] ?? ''], timedOut: false });
  t.true(message.includes('[host-isolation] privileged is on: remove it.'));
  t.true(message.includes('[loopback-ports] port 6379 is published on 0.0.0.0'));
});

test('a run that was stopped for its time is told as that, whatever it had said', (t) => {
  const cause = explainFailure({ diagnostics: [known[1]?.[2] ?? ''], timedOut: true });
  t.is(cause.code, 'provisioning_timeout');
  t.true(cause.transient);
});

const unknown = [
  `error: could not load /var/lib/swiftcache/passphrase: permission denied`,
  `Error: boom\n${trace}`,
  `panic: runtime error: invalid memory address [recovered]\n\tgoroutine 1 [running]:\nmain.main()`,
  `error: get encryption key: incorrect passphrase "correct horse battery"`,
  `WRONGPASS for sc_live_${'ab'.repeat(16)} at redis://swiftcache:${'c0'.repeat(32)}@127.0.0.1:20000`,
  '',
];

for (const text of unknown) {
  test(`nothing of an unknown cause gets through: "${text.slice(0, 40).split('\n')[0]}…"`, (t) => {
    t.deepEqual(explainFailure({ diagnostics: [text], timedOut: false }), {
      code: 'provisioning_failed',
      message: 'Provisioning failed for a reason that the operator finds in the log.',
      transient: true,
    });
  });
}

test('a run that said nothing has an unknown cause', (t) => {
  t.is(explainFailure({ diagnostics: [], timedOut: false }).code, 'provisioning_failed');
});

test('a key in a refusal by policy is masked', (t) => {
  const key = `sc_live_${'ab'.repeat(16)}`;
  const text = `policy refused: [pinned-image] image redis://:${key}@h is not pinned.`;
  const { code, message } = explainFailure({ diagnostics: [text], timedOut: false });
  t.is(code, 'policy_violation');
  t.false(message.includes(key));
});
