/**
 * Prints what set-up does: a line for each step when it is done, and until then, on a terminal,
 * a line that shows the time and what goes on; elsewhere, a line now and then.
 */
import fs from 'node:fs';
import process from 'node:process';
import { stripVTControlCharacters } from 'node:util';

const redrawMs = 100;
const lineEveryMs = 15_000;
const nameWidth = 13;
const summaryWidth = 64;
const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/**
 * @param {NodeJS.WriteStream} stream
 * @param {{isTerminal?: boolean, useColor?: boolean, now?: () => number}} [options]
 */
export function createProgress(
  stream,
  {
    isTerminal = Boolean(stream.isTTY),
    useColor = isTerminal && !process.env.NO_COLOR,
    now = Date.now,
  } = {},
) {
  const paint = createPaint(useColor);
  // Whoever read along may stop reading (`npm start | head`): the work goes on all the same.
  stream.on('error', () => {});
  let current;
  let isInterrupted = false;

  const clear = () => isTerminal && current && stream.write('\r\x1b[2K');
  const print = (line) => {
    clear();
    stream.write(`${line}\n`);
  };
  const stop = () => {
    clear();
    clearInterval(current?.timer);
    current = undefined;
  };
  const draw = () => {
    const elapsed = formatSeconds(now() - current.startedAt);
    if (!isTerminal) {
      stream.write(`… ${current.name.padEnd(nameWidth)} ${elapsed.trim()}  ${current.status}\n`);
      return;
    }
    const line = `${pickFrame(now())} ${current.name.padEnd(nameWidth)} ${elapsed}  ${current.status}`;
    stream.write(`\r\x1b[2K${[...line].slice(0, (stream.columns || 80) - 1).join('')}`);
  };

  return {
    start(name) {
      const timer = setInterval(draw, isTerminal ? redrawMs : lineEveryMs);
      timer.unref();
      current = { name, status: '', startedAt: now(), timer };
    },
    status(text) {
      if (current) current.status = toPlainLine(text);
    },
    note(text) {
      if (!isInterrupted) print(paint.dim(`· ${text}`));
    },
    finish(summary) {
      if (isInterrupted) return;
      const elapsed = formatSeconds(now() - current.startedAt);
      print(
        `${paint.green('✓')} ${current.name.padEnd(nameWidth)} ${summary.padEnd(summaryWidth)} ${elapsed}`,
      );
      stop();
    },
    fail(error, logFile) {
      if (isInterrupted) return;
      print(`${paint.red('✗')} ${current.name.padEnd(nameWidth)} ${describe(error)}`);
      for (const line of (error?.remedy ?? '').split('\n').filter(Boolean)) print(`  ${line}`);
      const shown = error?.logFile ?? logFile;
      if (shown && isWorthNaming(shown)) print(`  What it said in full: ${shown}`);
      stop();
    },
    interrupt() {
      if (current) print(`${paint.red('✗')} ${current.name.padEnd(nameWidth)} interrupted`);
      stop();
      // The step now fails because its programs are ended: that is no news.
      isInterrupted = true;
      stream.write('  Run the same command again: it goes on from here.\n');
    },
  };
}

/**
 * @param {number} durationMs
 * @returns {string} seconds with a tenth, or minutes and seconds from the first minute on.
 */
export function formatSeconds(durationMs) {
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1).padStart(6)} s`;
  const seconds = Math.round(durationMs / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`.padStart(8);
}

function pickFrame(timeMs) {
  return frames[Math.floor(timeMs / redrawMs) % frames.length];
}

function createPaint(useColor) {
  const wrap = (code) => (text) => (useColor ? `\x1b[${code}m${text}\x1b[0m` : text);
  return { red: wrap(31), green: wrap(32), dim: wrap(2) };
}

/** A step that failed before it ran a program has no log; a command to see one is always there. */
function isWorthNaming(log) {
  return !log.startsWith('/') || fs.existsSync(log);
}

function toPlainLine(text) {
  // What a program writes may move the cursor or change the colours: only its words are shown.
  return stripVTControlCharacters(text)
    .replace(/\p{Cc}/gu, ' ')
    .trim();
}

function describe(error) {
  if (error?.name === 'SetupError') return error.message;
  // Not foreseen, so the place it came from is worth more than a neat line.
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
