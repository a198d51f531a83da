/** A worker that does as its job's stack is named. */
import { spawn } from 'node:child_process';
import type { FromWorker, ToWorker } from '../../../src/provisioning/messages.ts';

const tell = (message: FromWorker): void => void process.send?.(message);
const done = (outputs: Record<string, unknown>): void => {
  tell({ type: 'done', outputs, timingsMs: {} });
};

let isHanging = false;

process.on('message', (message: ToWorker) => {
  if (message.type === 'leave') done({ isGiven: message.isGiven });
  if (message.type !== 'job') return;
  const behaviour = message.job.stack;
  if (behaviour === 'answers') done({ folder: process.env.TMPDIR });
  if (behaviour === 'asks') tell({ type: 'ask' });
  if (behaviour === 'hangs') {
    isHanging = true;
    // What it started leads a group of its own, and neither of them ends when it is asked to.
    spawn('sleep', ['60'], { detached: true, stdio: 'ignore' }).unref();
    tell({ type: 'progress', silenceMs: 50 });
  }
});
process.on('disconnect', () => {
  if (isHanging) setInterval(() => {}, 1_000);
  else process.exit();
});
