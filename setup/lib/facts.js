/**
 * `.setup/facts.json`: what set-up found and made, for the service and for the next set-up.
 * It is only ever replaced as a whole, so that a reader never sees half of it.
 */
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

/**
 * @typedef {object} Facts
 * @property {{path: string, version: string}} [node]
 * @property {{host: string, version: string, certPath?: string}} [docker]
 * @property {{version: string, bin: string, source: 'official' | 'built'}} [pulumi]
 * @property {{version: string, path: string, source: 'official' | 'built'}} [dockerProvider]
 * @property {{reference: string, redisVersion: string, source: 'pulled' | 'local' | 'built',
 *   tag: string}} [redisImage]
 */

/**
 * Reads the facts. A missing or broken file is no facts: every step then looks for itself.
 *
 * @param {string} file
 * @returns {Facts}
 */
export function readFacts(file) {
  try {
    const facts = JSON.parse(fs.readFileSync(file, 'utf8'));
    return facts !== null && typeof facts === 'object' && !Array.isArray(facts) ? facts : {};
  } catch {
    return {};
  }
}

/**
 * @param {string} file
 * @param {Facts} facts
 */
export function writeFacts(file, facts) {
  const content = `${JSON.stringify(facts, null, 2)}\n`;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const temporaryFile = `${file}.${process.pid}`;
  fs.writeFileSync(temporaryFile, content);
  fs.renameSync(temporaryFile, file);
}
