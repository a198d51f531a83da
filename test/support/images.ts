/** Redis images for tests, made from the one that set-up pinned; they go with the test. */
import type { ExecutionContext } from 'ava';
import { loadConfig } from '../../src/config.ts';
import { newId } from '../../src/lib/ids.ts';
import { docker } from './docker.ts';

export const pinnedImage = loadConfig({}).redisImage;

/** Makes another image from the pinned one by a line of a Dockerfile, and gives its id. */
export async function makeImage(t: ExecutionContext, change: string): Promise<string> {
  const container = await docker.createContainer({ Image: pinnedImage, Cmd: ['true'] });
  try {
    // A label of its own gives each its own id, also where two tests make the same change.
    const changes = [change, `LABEL swiftcache.test=${newId('op')}`];
    const { Id } = (await container.commit({ changes })) as { Id: string };
    t.teardown(() => docker.getImage(Id).remove({ force: true }));
    return Id;
  } finally {
    await container.remove({ force: true });
  }
}
