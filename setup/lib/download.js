/** Fetches files from public hosts, and finds out soon when there is no way to them. */
import fs from 'node:fs';
import path from 'node:path';
import { findProgram } from './program.js';
import { SetupError } from './setup-error.js';

const connectTimeoutMs = 5000;
/** For every host after the first that did not answer: most likely none does. */
const connectTimeoutOfflineMs = 1000;
const stallTimeoutMs = 30_000;

/**
 * Downloads a file. With `curl` where there is one, because it knows the machine's proxies and
 * certificates; else with Node's own `fetch`.
 *
 * @param {string} url
 * @param {string} file
 * @param {import('./context.js').Context} context its `network.offline` is set when the host
 *   cannot be reached.
 * @throws {SetupError} in words that end a sentence like "taking the other way, because …".
 */
export async function downloadFile(url, file, context) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const timeoutMs = context.network.offline ? connectTimeoutOfflineMs : connectTimeoutMs;
  const { host } = new URL(url);
  context.status(`asking ${host}`);
  try {
    if (findProgram('curl')) await downloadWithCurl(url, file, timeoutMs, context);
    else await downloadWithFetch(url, file, timeoutMs, context);
  } catch (error) {
    fs.rmSync(file, { force: true });
    if (error instanceof Refusal) {
      throw new SetupError(`${host} refuses the download (${error.message})`, { cause: error });
    }
    context.network.offline = true;
    const reason = error.lastLine ?? error.cause?.message ?? error.message;
    throw new SetupError(`${host} cannot be reached (${reason})`, { cause: error });
  }
}

/** The host answers, but not with the file: it is there, so the next one may be tried in full. */
class Refusal extends Error {}

async function downloadWithCurl(url, file, timeoutMs, context) {
  const stallSeconds = String(stallTimeoutMs / 1000);
  try {
    await context.run('curl', [
      ...['--fail', '--location', '--silent', '--show-error', '--proto', '=https'],
      ...['--connect-timeout', String(timeoutMs / 1000)],
      ...['--speed-limit', '1024', '--speed-time', stallSeconds],
      ...['--output', file, url],
    ]);
  } catch (error) {
    // Code 22: the server answered with a status of 400 or above.
    if (/code 22$/.test(error.message)) throw new Refusal('an HTTP error', { cause: error });
    throw error;
  }
}

async function downloadWithFetch(url, file, timeoutMs, context) {
  const controller = new AbortController();
  let timer = setTimeout(() => controller.abort(), timeoutMs);
  const output = fs.createWriteStream(file);
  try {
    const response = await fetch(url, { signal: controller.signal });
    if (!response.ok) throw new Refusal(`HTTP ${response.status}`);
    let size = 0;
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = setTimeout(() => controller.abort(), stallTimeoutMs);
      size += chunk.length;
      context.status(`${Math.round(size / 1e6)} MB of ${path.basename(file)}`);
      if (!output.write(chunk)) await new Promise((resolve) => output.once('drain', resolve));
    }
    await new Promise((resolve, reject) => {
      output.once('error', reject);
      output.end(resolve);
    });
  } finally {
    clearTimeout(timer);
    output.destroy();
  }
}
