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
/** Without a byte for so long, a request is given up. */
const silenceTimeoutMs = 60_000;

/** Opens `s3://bucket/prefix?region=…&endpoint=…&forcePathStyle=true`. */
export function openS3Store(url: string): ObjectStore {
  const { hostname: Bucket, pathname, searchParams } = new URL(url);
  const prefix = pathname.replace(/^\/+|\/+$/g, '');
  const keyOf = (name: string): string => (prefix ? `${prefix}/${name}` : name);
  let opened: Promise<Client> | undefined;
  const client = (): Promise<Client> => {
    opened ??= connect(searchParams);
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
        if ((error as Error).name !== 'NoSuchKey') throw error;
        throw new ObjectMissing(name, { cause: error });
      }
    },
    async remove(name) {
      const { DeleteObjectCommand } = await import('@aws-sdk/client-s3');
      await (await client()).send(new DeleteObjectCommand({ Bucket, Key: keyOf(name) }));
    },
  };
}

/** The SDK is loaded by those who use it: it takes a part of a second. */
async function connect(options: URLSearchParams): Promise<Client> {
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
    requestHandler: { connectionTimeout: connectTimeoutMs, requestTimeout: silenceTimeoutMs },
  });
}
