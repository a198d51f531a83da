/**
 * Speaks to the Docker engine itself, over HTTP on its socket: quick, and without a Docker client,
 * which a server that runs Docker need not have.
 */
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { SetupError } from './setup-error.js';

/**
 * @typedef {object} Address
 * @property {string} host as in DOCKER_HOST.
 * @property {string} [certPath] a folder with ca.pem, cert.pem and key.pem, for TLS.
 */

/**
 * Sends one request and reads the answer whole.
 *
 * @param {Address} address
 * @param {string} method
 * @param {string} target path and query.
 * @param {{body?: object | Buffer, timeoutMs?: number, onData?: (text: string) => void,
 *   accept?: number[]}} [options] `timeoutMs` bounds the silence, not the whole; `accept` names
 *   statuses above 399 that are answers too.
 * @returns {Promise<{status: number, text: string, json: any}>} `json` is undefined when the
 *   answer is not JSON.
 * @throws {SetupError} when the engine cannot be reached or refuses; `cause` tells which.
 */
export function callEngine(address, method, target, options = {}) {
  const { body, timeoutMs = 10_000, onData = () => {}, accept = [] } = options;
  const content = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const type = Buffer.isBuffer(body) ? 'application/x-tar' : 'application/json';
  return new Promise((resolve, reject) => {
    const { request: send, ...where } = resolveAddress(address);
    const fail = (cause) =>
      reject(new SetupError(`Docker at ${address.host}: ${cause.message}`, { cause }));
    const request = send({ ...where, method, path: target, timeout: timeoutMs }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => {
        chunks.push(chunk);
        onData(chunk.toString('utf8'));
      });
      response.once('error', fail);
      response.once('end', () => {
        const status = response.statusCode ?? 0;
        const text = Buffer.concat(chunks).toString('utf8');
        const json = parseJson(text);
        if (status < 400 || accept.includes(status)) resolve({ status, text, json });
        else fail(new Error(json?.message ?? `HTTP ${status}`));
      });
    });
    request.once('timeout', () =>
      request.destroy(new Error(`no answer for ${timeoutMs / 1000} s`)),
    );
    request.once('error', fail);
    if (content !== undefined) {
      request.setHeader('Content-Type', type);
      request.setHeader('Content-Length', Buffer.byteLength(content));
    }
    request.end(content);
  });
}

/**
 * @param {Address} address
 * @returns {Promise<string>} the engine's version.
 * @throws {SetupError} as `callEngine`.
 */
export async function readEngineVersion(address) {
  const { json } = await callEngine(address, 'GET', '/version', { timeoutMs: 5000 });
  if (typeof json?.Version !== 'string') {
    throw new SetupError(`${address.host} answers, but not as a Docker engine does.`);
  }
  return json.Version;
}

function resolveAddress({ host, certPath }) {
  const url = new URL(host);
  if (url.protocol === 'unix:') {
    return { request: http.request, socketPath: decodeURIComponent(url.pathname) };
  }
  if (!['tcp:', 'http:', 'https:'].includes(url.protocol)) {
    throw new SetupError(`${host}: this kind of address is not supported here.`, {
      remedy:
        'Give the engine an address of unix:// or tcp://. One behind ssh can be brought here:\n' +
        '  ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock USER@HOST &\n' +
        '  export DOCKER_HOST=unix:///tmp/docker.sock',
    });
  }
  const base = { hostname: url.hostname, port: url.port || (certPath ? 2376 : 2375) };
  if (certPath === undefined) return { request: http.request, ...base };
  const read = (name) => fs.readFileSync(path.join(certPath, name));
  const tls = { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
  return { request: https.request, ...base, ...tls };
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
