/**
 * The image instances run, pinned by what it contains: pulled from Docker's registry, or one that
 * was loaded here by hand, or else built from Debian's packages. Once pinned it stays, also when a
 * registry can be reached later: another image would replace every instance's container.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { buildRedisImage } from '../../infra/redis-image/index.js';
import { callEngine } from '../lib/docker-engine.js';
import { temporaryFolder } from '../lib/paths.js';
import { findProgram } from '../lib/program.js';
import { tryRedisImage } from '../lib/redis-trial.js';
import { SetupError } from '../lib/setup-error.js';
import { redisImageName } from '../lib/versions.js';

const repository = 'swiftcache/redis';
const pullSilenceMs = 20_000;
/** Where no public host answered, the registry's is not waited for as long. */
const pullSilenceOfflineMs = 5000;

/** @type {import('../lib/steps.js').Step} */
export const redisImage = {
  name: 'redis-image',

  async check({ facts }) {
    const image = facts.redisImage;
    if (!image?.reference) return undefined;
    const found = await inspect(facts.docker, image.reference);
    return found === undefined ? undefined : summarize(image);
  },

  async act(context) {
    const image = await obtain(context);
    context.status(`trying ${image.tag}`);
    const redisVersion = await tryRedisImage(context.facts.docker, image.reference);
    context.facts.redisImage = { ...image, redisVersion };
  },

  verify: async ({ facts }) => summarize(facts.redisImage),
};

function summarize({ redisVersion, tag, source }) {
  return `Redis ${redisVersion}, ${tag} (${source})`;
}

async function obtain(context) {
  const { docker } = context.facts;
  const refusal = await tryPull(context);
  const named = await inspect(docker, redisImageName);
  if (named !== undefined) {
    if (refusal) context.note(`${refusal}; taking the ${redisImageName} that is here already`);
    return {
      reference: named.RepoDigests?.[0] ?? named.Id,
      tag: redisImageName,
      source: refusal ? 'local' : 'pulled',
    };
  }
  context.note(`${refusal}; building an image from this machine's package sources instead`);
  return build(context);
}

/** @returns {Promise<string | undefined>} why it did not work, undefined when it did. */
async function tryPull({ facts, network, status }) {
  const [name, tag] = redisImageName.split(':');
  status(`pulling ${redisImageName}`);
  try {
    const target = `/images/create?fromImage=${name}&tag=${tag}`;
    const { text } = await callEngine(facts.docker, 'POST', target, {
      timeoutMs: network.offline ? pullSilenceOfflineMs : pullSilenceMs,
      onData: (line) => status(readPullStatus(line)),
    });
    // The answer has begun, with status 200, before the engine knows how the pull ends.
    const failure = /"error":"((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
    return failure === undefined ? undefined : explainPull(failure);
  } catch (error) {
    return explainPull(error.message);
  }
}

function readPullStatus(text) {
  const [, words = ''] = /"status":"([^"]*)"/.exec(text) ?? [];
  const [, bar = ''] = /"progress":"[^"]*\]\s*([^"]*)"/.exec(text) ?? [];
  return `pulling ${redisImageName}: ${words} ${bar}`;
}

function explainPull(reason) {
  // The end of it names the trouble; the beginning repeats what was asked for.
  const short = reason.length > 90 ? `…${reason.slice(-90)}` : reason;
  return `${redisImageName} cannot be pulled (${short.replace(/\\"/g, '"')})`;
}

async function build(context) {
  const { docker } = context.facts;
  const remedy =
    `Bring the image here by hand, then run the same command again. Where there is a registry:\n` +
    `  docker pull ${redisImageName} && docker save ${redisImageName} -o redis.tar\n` +
    'and here:\n  docker load -i redis.tar';
  for (const program of ['apt-get', 'apt-cache', 'dpkg', 'dpkg-deb']) {
    if (findProgram(program)) continue;
    throw new SetupError(`An image is built from Debian's packages, but there is no ${program}.`, {
      remedy,
    });
  }
  await refreshPackageLists(context);
  const workDir = path.join(temporaryFolder, 'redis-image');
  const image = await buildRedisImage({
    workDir,
    repository,
    run: (command, args, options) => context.run(command, args, { ...options, remedy }),
  });
  await callEngine(docker, 'POST', '/images/load?quiet=1', {
    body: image.archive,
    timeoutMs: 120_000,
  });
  await fs.rm(workDir, { recursive: true, force: true });
  const loaded = await inspect(docker, image.tag);
  if (loaded === undefined) {
    throw new SetupError(`Docker took the image ${image.tag}, but does not have it.`, { remedy });
  }
  return { reference: loaded.Id, tag: image.tag, source: 'built' };
}

/** Lists that are missing or old name packages that are gone; only root may renew them. */
async function refreshPackageLists({ run, status, note }) {
  if (process.getuid() !== 0) return;
  status('renewing the package lists');
  try {
    await run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', 'update']);
  } catch {
    note('the package lists could not be renewed: going on with those that are here');
  }
}

async function inspect(docker, reference) {
  const target = `/images/${reference}/json`;
  const { status, json } = await callEngine(docker, 'GET', target, { accept: [404] });
  return status === 404 ? undefined : json;
}
