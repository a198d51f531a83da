/**
 * Tries a Redis image the way instances run it: without rights, without root, with nothing to
 * write to but a new volume and `/tmp`, started by a shell line, asked by `redis-cli`.
 */
import { createHash } from 'node:crypto';
import { callEngine } from './docker-engine.js';
import { repositoryFolder } from './paths.js';
import { SetupError } from './setup-error.js';

const trialTimeoutMs = 30_000;
const pollMs = 100;
const healthIntervalNs = 200_000_000;
/** One name for each copy of the repository: what an interrupted trial left is found by it. */
const name = `swiftcache-setup-${createHash('sha256').update(repositoryFolder).digest('hex').slice(0, 8)}`;

/**
 * @param {import('./docker-engine.js').Address} docker
 * @param {string} reference
 * @returns {Promise<string>} the version the server says it is.
 * @throws {SetupError} when it does not answer PING, with what it said.
 */
export async function tryRedisImage(docker, reference) {
  await removeTrial(docker);
  try {
    await callEngine(docker, 'POST', `/containers/create?name=${name}`, {
      body: describeContainer(reference),
    });
    await callEngine(docker, 'POST', `/containers/${name}/start`);
    const state = await waitForHealth(docker);
    const log = `/containers/${name}/logs?stdout=1&stderr=1&tail=20`;
    const { text } = await callEngine(docker, 'GET', log);
    if (state.Health?.Status === 'healthy') return /\bv=(\d[\w.]*)/.exec(text)?.[1] ?? 'unknown';
    const said = text.replace(/[^\x20-\x7e\n]/g, '').trim();
    const reason = state.Health?.Log?.at(-1)?.Output ?? state.Error;
    throw new SetupError(`A container of ${reference} does not answer PING.`, {
      remedy: [said, reason].filter(Boolean).join('\n'),
    });
  } finally {
    await removeTrial(docker);
  }
}

function describeContainer(reference) {
  return {
    Image: reference,
    User: '999:999',
    Entrypoint: [],
    Cmd: [
      'sh',
      '-c',
      'redis-server --version && echo "appendonly no" > /data/redis.conf && ' +
        'exec redis-server /data/redis.conf --dir /data',
    ],
    Labels: { 'dev.swiftcache.setup': 'trial' },
    Healthcheck: {
      Test: ['CMD', 'redis-cli', 'ping'],
      Interval: healthIntervalNs,
      Timeout: 5_000_000_000,
      Retries: 50,
    },
    HostConfig: {
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      NetworkMode: 'none',
      Memory: 64 * 2 ** 20,
      Tmpfs: { '/tmp': '' },
      Mounts: [{ Type: 'volume', Source: name, Target: '/data' }],
    },
  };
}

async function waitForHealth(docker) {
  const deadline = Date.now() + trialTimeoutMs;
  for (;;) {
    const { json } = await callEngine(docker, 'GET', `/containers/${name}/json`);
    const isSettled = !json.State.Running || json.State.Health?.Status === 'healthy';
    if (isSettled || Date.now() > deadline) return json.State;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function removeTrial(docker) {
  const accept = [404];
  await callEngine(docker, 'DELETE', `/containers/${name}?force=1&v=1`, { accept });
  await callEngine(docker, 'DELETE', `/volumes/${name}`, { accept });
}
