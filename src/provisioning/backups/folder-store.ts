/** Backups in a folder: files of its owner alone, written under another name and then renamed. */
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ObjectMissing, type ObjectStore } from './object-store.ts';

/** Opens a folder, which need not be there. Names are made by this service, of its own ids. */
export function openFolderStore(root: string): ObjectStore {
  return {
    async write(name, content) {
      const file = join(root, name);
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      const temporary = `${file}.part`;
      try {
        const handle = await open(temporary, 'w', 0o600);
        // It closes with its stream, after its bytes are on the disk.
        await pipeline(content, handle.createWriteStream({ flush: true }));
        await rename(temporary, file);
        await syncFolder(dirname(file));
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
    async read(name) {
      try {
        const handle = await open(join(root, name), 'r');
        return createReadStream('', { fd: handle });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        throw new ObjectMissing(name, { cause: error });
      }
    },
    async remove(name) {
      await rm(join(root, name), { force: true });
      await rm(join(root, `${name}.part`), { force: true });
    },
  };
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync();
  await handle.close();
}
