/** Finds out which Docker engine the user means, by the rules of Docker's own client. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { SetupError } from './setup-error.js';

export const defaultHost = 'unix:///var/run/docker.sock';

/**
 * DOCKER_HOST, else the context named by DOCKER_CONTEXT or chosen with `docker context use`, else
 * the socket every installation has.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {import('./docker-engine.js').Address & {from: string}} `from` says who named it.
 * @throws {SetupError} when a context is chosen that does not exist.
 */
export function findDockerAddress(env = process.env) {
  if (env.DOCKER_HOST) {
    const tls = env.DOCKER_TLS_VERIFY || env.DOCKER_TLS;
    const certPath = tls ? env.DOCKER_CERT_PATH || configFolder(env) : undefined;
    return { host: env.DOCKER_HOST, ...(certPath && { certPath }), from: 'DOCKER_HOST' };
  }
  const context = env.DOCKER_CONTEXT || readCurrentContext(env);
  if (context === undefined || context === 'default') return { host: defaultHost, from: 'default' };
  return { ...readContext(context, env), from: `the Docker context "${context}"` };
}

function configFolder(env) {
  return env.DOCKER_CONFIG || path.join(env.HOME || os.homedir(), '.docker');
}

function readCurrentContext(env) {
  return readJson(path.join(configFolder(env), 'config.json'))?.currentContext || undefined;
}

function readContext(name, env) {
  const id = createHash('sha256').update(name).digest('hex');
  const contexts = path.join(configFolder(env), 'contexts');
  const endpoint = readJson(path.join(contexts, 'meta', id, 'meta.json'))?.Endpoints?.docker;
  if (!endpoint?.Host) {
    throw new SetupError(`The Docker context "${name}" is chosen, but it does not exist.`, {
      remedy: 'Choose another with `docker context use`, or set DOCKER_HOST.',
    });
  }
  const certPath = path.join(contexts, 'tls', id, 'docker');
  return { host: endpoint.Host, ...(fs.existsSync(certPath) && { certPath }) };
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
