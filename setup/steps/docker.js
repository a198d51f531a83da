/**
 * A Docker engine that answers: the one the user chose, else the machine's, else, as root on
 * Debian or Ubuntu, one that is installed and started here.
 */
import fs from 'node:fs';
import process from 'node:process';
import { defaultHost, findDockerAddress } from '../lib/docker-address.js';
import { startEngine } from '../lib/docker-daemon.js';
import { readEngineVersion } from '../lib/docker-engine.js';
import { findProgram } from '../lib/program.js';
import { SetupError } from '../lib/setup-error.js';

const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** @type {import('../lib/steps.js').Step} */
export const docker = {
  name: 'docker',

  async check(context) {
    const { from, ...address } = findDockerAddress();
    try {
      return await describeEngine(address, context);
    } catch (error) {
      if (from !== 'default') throw explainChosen(address.host, from, error);
      if (error.cause?.code === 'EACCES') throw explainDenied(error);
      return undefined;
    }
  },

  async act(context) {
    if (process.platform !== 'linux' || process.getuid() !== 0 || !isDebianLike()) {
      throw explainMissing();
    }
    if (!findProgram('dockerd', systemFolders)) await installEngine(context);
    await startEngine(context, findProgram('dockerd', systemFolders) ?? 'dockerd');
  },

  verify: (context) => describeEngine({ host: defaultHost }, context),
};

async function describeEngine(address, { facts }) {
  const version = await readEngineVersion(address);
  facts.docker = { ...address, version };
  return `${version} at ${address.host}`;
}

async function installEngine({ run, note }) {
  note('no Docker engine on this machine: installing docker.io from the system packages');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const remedy = 'Install a Docker engine yourself (https://docs.docker.com/engine/install/).';
  const options = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::http::Timeout=20'];
  // A run that was interrupted may have left packages unpacked, which stops every installation.
  await run('dpkg', ['--configure', '-a'], { env, remedy });
  await run('apt-get', [...options, 'update'], { env, remedy });
  const names = ['docker.io', 'iptables'];
  const flags = ['install', '-y', '--no-install-recommends'];
  await run('apt-get', [...options, ...flags, ...names], { env, remedy });
}

function isDebianLike() {
  try {
    return /^(ID|ID_LIKE)=.*\b(debian|ubuntu)\b/m.test(fs.readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

function explainChosen(host, from, cause) {
  return new SetupError(`${from} names the Docker engine ${host}, which does not answer.`, {
    remedy: [
      cause.message,
      cause.remedy ?? `Start that engine, or choose another: change or unset ${nameChoice(from)}.`,
    ].join('\n'),
    cause,
  });
}

function nameChoice(from) {
  return from === 'DOCKER_HOST' ? from : 'the context (`docker context use default`)';
}

function explainDenied(cause) {
  return new SetupError('Docker runs, but this user may not use its socket.', {
    remedy:
      'Add yourself to the group `docker`, then sign in again (or run `newgrp docker`):\n' +
      '  sudo usermod -aG docker "$USER"',
    cause,
  });
}

function explainMissing() {
  const hints = {
    darwin: 'Install and start Docker Desktop or Colima: https://docs.docker.com/desktop/',
    win32: 'Use WSL 2 with Docker Desktop: https://docs.docker.com/desktop/wsl/',
  };
  const isInstalled = findProgram('dockerd', systemFolders) !== undefined;
  const linux = isInstalled
    ? 'It is installed but does not run. Start it: sudo systemctl enable --now docker'
    : 'Install Docker Engine: https://docs.docker.com/engine/install/\n' +
      'On Debian and Ubuntu: sudo apt-get install docker.io iptables';
  const group = 'Then let this user use it: sudo usermod -aG docker "$USER", and sign in again.';
  return new SetupError('No Docker engine answers on this machine.', {
    remedy: hints[process.platform] ?? [linux, group].join('\n'),
  });
}
