/** Load by wrk, whose own cost is small beside what it measures. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

interface Load {
  readonly connections: number;
  readonly seconds: number;
  /** As many as can be where it is left out. */
  readonly perSecond?: number;
}

export interface WrkFigures {
  readonly requests: number;
  readonly perSecond: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The report is one line of JSON, whatever wrk prints around it. Times are in microseconds. */
const report = `
done = function(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('REPORT {"requests":%d,"us":%d,"failed":%d,"mean":%.1f,"p50":%d,"p99":%d}\\n',
    summary.requests, summary.duration, failed, latency.mean, latency:percentile(50), latency:percentile(99)))
end
`;

/**
 * Sends one request again and again, or several by turns, on so many connections, from one thread.
 * @throws where any of them failed: figures of failures are none.
 */
export async function runWrk(
  request: HttpRequest | readonly HttpRequest[],
  { connections, seconds, perSecond }: Load,
): Promise<WrkFigures> {
  const requests = [request].flat();
  const [first] = requests;
  if (!first) throw new Error('there is no request');
  const dir = mkdtempSync(join(tmpdir(), 'swiftcache-wrk-'));
  const script = join(dir, 'request.lua');
  try {
    const pace = perSecond === undefined ? '' : delays((connections * 1000) / perSecond);
    writeFileSync(script, describe(requests) + pace + report, { mode: 0o600 });
    const flags = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '20s', '-s', script];
    const { stdout } = await run('wrk', [...flags, first.url], { maxBuffer: 10_000_000 });
    const figures = JSON.parse(/^REPORT (.+)$/m.exec(stdout)?.[1] ?? '{}');
    if (figures.failed !== 0 || figures.requests === 0) {
      throw new Error(`${first.method} ${new URL(first.url).pathname}: ${stdout}`);
    }
    return {
      requests: figures.requests,
      perSecond: figures.requests / (figures.us / 1e6),
      meanMs: figures.mean / 1000,
      p50Ms: figures.p50 / 1000,
      p99Ms: figures.p99 / 1000,
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Sends the request once. @throws where it is not answered with 200. */
export async function sendOnce({ url, ...init }: HttpRequest): Promise<string> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${text}`);
  return text;
}

/** Each connection waits between 0 and twice this many milliseconds, less what an answer takes, before it asks. */
function delays(betweenMs: number): string {
  return `
math.randomseed(os.time())
delay = function() return math.random() * ${(2 * betweenMs).toFixed(3)} end
`;
}

/** All are put together before the first is sent: what Lua does is not what is measured. */
function describe(requests: readonly HttpRequest[]): string {
  const rows = requests.map(({ method, url, headers, body }) => {
    const { pathname, search } = new URL(url);
    const pairs = Object.entries(headers).map(
      ([name, value]) => `[ ${quote(name)} ] = ${quote(value)}`,
    );
    const content = body === undefined ? 'nil' : quote(body);
    return `{ ${quote(method)}, ${quote(pathname + search)}, { ${pairs.join(', ')} }, ${content} }`;
  });
  return `
local rows = { ${rows.join(',\n')} }
local texts, turn = {}, 0
init = function()
  for at, row in ipairs(rows) do
    row[3]["Host"] = wrk.headers["Host"]
    texts[at] = wrk.format(row[1], row[2], row[3], row[4])
  end
end
request = function()
  turn = turn % #texts + 1
  return texts[turn]
end
`;
}

/** A Lua string of any text: the long bracket takes all but its own end. */
function quote(text: string): string {
  return `[====[${text}]====]`;
}
