/**
 * Backups in an S3-compatible store, by the AWS SDK. Credentials come the SDK's own way (AWS_* variables,
 * profile, the machine's role); they are no part of the address.
 */
import type { Readable } from 'node:stream';
import type { S3Client as Client } from '@aws-sdk/client-s3';
import { ObjectMissing, type ObjectStore } from './object-store.ts';

/** Parts of a large object: ten thousand are allowed, so this is 160 GB. */
const partBytes = 16 * 1024 * 1024;
const partsAtOnce = 2;
const connectTimeoutMs = 5_000;
/** Without a byte either way for so long, a request is given up, in the midst of a body too. */
const silenceTimeoutMs = 60_000;
const tries = 3;

interface S3Limits {
  readonly silenceTimeoutMs: number;
  readonly tries: number;
}

/** Opens `s3://bucket/prefix?region=…&endpoint=…&forcePathStyle=true`. */
export function openS3Store(
  url: string,
  limits: S3Limits = { silenceTimeoutMs, tries },
): ObjectStore {
  const { hostname: Bucket, pathname, searchParams } = new URL(url);
  const prefix = pathname.replace(/^\/+|\/+$/g, '');
  const keyOf = (name: string): string => (prefix ? `${prefix}/${name}` : name);
  let opened: Promise<Client> | undefined;
  const client = (): Promise<Client> => {
    opened ??= connect(searchParams, limits);
    return opened;
  };
  return {
    async write(name, content) {
      const { Upload } = await import('@aws-sdk/lib-storage');
      const params = { Bucket, Key: keyOf(name), Body: content };
      const sizes = { partSize: partBytes, queueSize: partsAtOnce };
      await new Upload({ client: await client(), params, ...sizes }).done();
    },
    async read(name) {
      const { GetObjectCommand } = await import('@aws-sdk/client-s3');
      try {
        const command = new GetObjectCommand({ Bucket, Key: keyOf(name) });
        const { Body } = await (await client()).send(command);
        return Body as Readable;
      } catch (error) {
        if (isMissing(error)) throw new ObjectMissing(name, { cause: error });
        throw explainDenial(error);
      }
    },
    async remove(name) {
      const { DeleteObjectCommand } = await import('@aws-sdk/client-s3');
      await (await client()).send(new DeleteObjectCommand({ Bucket, Key: keyOf(name) }));
    },
  };
}

/** A store behind another may give no code with its 404. */
function isMissing(error: unknown): boolean {
  const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  if (name === 'NoSuchBucket') return false;
  return name === 'NoSuchKey' || name === 'NotFound' || $metadata?.httpStatusCode === 404;
}

/** Who may not list is told of an object that is not there what a stranger is told: 403. */
function explainDenial(error: unknown): unknown {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  if ($metadata?.httpStatusCode !== 403) return error;
  const message =
    'the store denies reading: the credentials may not, or the object is missing and ' +
    's3:ListBucket, without which the store does not say so, is not granted';
  return new Error(message, { cause: error });
}

/** The SDK is loaded by those who use it: it takes a part of a second. */
async function connect(options: URLSearchParams, limits: S3Limits): Promise<Client> {
  const { S3Client } = await import('@aws-sdk/client-s3');
  const endpoint = options.get('endpoint');
  const region = options.get('region');
  return new S3Client({
    ...(region && { region }),
    ...(endpoint && { endpoint }),
    forcePathStyle: options.get('forcePathStyle') === 'true',
    // What is stored carries its own proof; not every store knows the newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: limits.tries,
    // Its requestTimeout only warns, and would bound a slow upload; silence is what is given up.
    requestHandler: {
      connectionTimeout: connectTimeoutMs,
      socketTimeout: limits.silenceTimeoutMs,
    },
  });
}
