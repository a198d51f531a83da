/**
 * An S3-compatible server on loopback for tests: moto, from the Python package index, as the tests of the
 * Python clients have theirs. It keeps everything in memory and ends with its test.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { ExecutionContext } from 'ava';
import { rootDir } from '../../src/config.ts';
import { pollUntil } from '../../src/lib/retry.ts';

const run = promisify(execFile);
const version = '5.2.5';
const packages = join(rootDir, '.setup/python-moto');
const environment = { ...process.env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' };
const installTimeoutMs = 240_000;
const startTimeoutMs = 60_000;

export interface S3Server {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** An empty bucket of this test's. */
  readonly bucket: string;
}

/** Starts a server with one bucket. @throws where this machine has no Python with pip. */
export async function startS3Server(t: Pick<ExecutionContext, 'teardown'>): Promise<S3Server> {
  await provideMoto();
  const port = await freePort();
  const child = spawn('python3', ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    env: environment,
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const server = {
    endpoint: `http://127.0.0.1:${port}`,
    accessKeyId: 'test-access-key',
    secretAccessKey: 'test-secret-of-the-s3-server',
    bucket: 'swiftcache-test',
  };
  await createBucket(server);
  return server;
}

/** Puts moto into a folder of its own, once a machine; two test files may both find it missing. */
async function provideMoto(): Promise<void> {
  const isThere = (): Promise<unknown> =>
    run('python3', ['-c', 'import moto.server'], { env: environment });
  const install = [
    '-m',
    'pip',
    'install',
    '-q',
    '--target',
    packages,
    `moto[server,s3]==${version}`,
  ];
  try {
    await isThere();
  } catch {
    await run('python3', install, { timeout: installTimeoutMs });
    await isThere();
  }
}

async function createBucket({ endpoint, bucket, ...credentials }: S3Server): Promise<void> {
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials });
  const create = async () => {
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    return true;
  };
  await pollUntil(create, { timeoutMs: startTimeoutMs, intervalMs: 200 });
  client.destroy();
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
