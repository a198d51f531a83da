/**
 * One set-up at a time: a lock file that names its owner. An owner that died, however it died,
 * holds nothing: its process is gone, or its number now belongs to a process that started later.
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const pollMs = 200;
/** Taking over is a matter of microseconds: a guard older than this was left by a dead process. */
const guardAgeMsMax = 10_000;

/**
 * Waits until the lock is ours.
 *
 * @param {string} file
 * @param {{onWait?: (pid: number) => void}} [options] `onWait` is called once for each owner that
 *   is waited for.
 * @returns {Promise<() => void>} gives the lock back; may be called more than once.
 */
export async function acquireLock(file, { onWait = () => {} } = {}) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const owner = { pid: process.pid, startedAt: readStartTime(process.pid) };
  let waitedFor;

  while (!tryCreate(file, owner)) {
    const other = readOwner(file);
    if (other === undefined) continue;
    if (isAlive(other)) {
      if (other.pid !== waitedFor) onWait(other.pid);
      waitedFor = other.pid;
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    } else {
      await removeDead(file);
    }
  }
  return () => {
    if (readOwner(file)?.pid === process.pid) fs.rmSync(file, { force: true });
  };
}

/**
 * When a process started, in words that differ between two processes of the same number.
 *
 * @param {number} pid
 * @returns {string | undefined} undefined when there is no such process.
 */
export function readStartTime(pid) {
  try {
    if (process.platform === 'linux') {
      // The name, in brackets, may hold anything; the start is the 20th field after it.
      const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    }
    const answer = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
    return answer.trim() || undefined;
  } catch {
    return undefined;
  }
}

function isAlive({ pid, startedAt }) {
  return startedAt !== undefined && readStartTime(pid) === startedAt;
}

/** The content comes into being together with the name, so that nobody reads half an owner. */
function tryCreate(file, owner) {
  const draft = `${file}.${process.pid}`;
  fs.writeFileSync(draft, JSON.stringify(owner));
  try {
    fs.linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

function readOwner(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    // Not ours to read as an owner (a power cut leaves an empty file): nobody's.
    if (error instanceof SyntaxError) return { pid: 0 };
    throw error;
  }
}

/**
 * Two who wait may both see the owner dead. Without a guard the slower one would remove not the
 * dead lock but the quicker one's new lock.
 */
async function removeDead(file) {
  const guard = `${file}.takeover`;
  try {
    fs.mkdirSync(guard);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    const { mtimeMs = Date.now() } = fs.statSync(guard, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > guardAgeMsMax) fs.rmSync(guard, { recursive: true, force: true });
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    return;
  }
  try {
    const owner = readOwner(file);
    if (owner !== undefined && !isAlive(owner)) fs.rmSync(file, { force: true });
  } finally {
    fs.rmSync(guard, { recursive: true, force: true });
  }
}
