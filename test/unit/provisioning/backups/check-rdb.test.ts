/** The check's container: nothing stays open where it cannot be made, and none stays for good. */
import { Readable } from 'node:stream';
import test from 'ava';
import type Docker from 'dockerode';
import { checkRdb, sweepChecks } from '../../../../src/provisioning/backups/check-rdb.ts';
import type { Backup } from '../../../../src/store/entities/backup.ts';
import type { Instance } from '../../../../src/store/entities/instance.ts';
import { createTestClock } from '../../../support/clock.ts';

const backup = { sizeBytes: 4 } as Backup;
const instance = { image: 'redis', maxMemoryBytes: 1024, persistence: false } as Instance;
const { signal } = new AbortController();

test('where no container can be made, no backup is opened', async (t) => {
  let opened = 0;
  const open = async (): Promise<Readable> => {
    opened += 1;
    return Readable.from([]);
  };
  const vault = { open };
  const createContainer = () => Promise.reject(new Error('no memory'));
  const docker = { createContainer } as unknown as Docker;
  const services = { docker, vault, installationId: 'i', holder: 'h' };
  await t.throwsAsync(checkRdb(services, backup, instance, signal), { message: 'no memory' });
  t.is(opened, 0);
});

test('a container whose backup cannot be opened is removed', async (t) => {
  let removed = 0;
  const container = { remove: async () => (removed += 1) };
  const docker = { createContainer: async () => container } as unknown as Docker;
  const vault = { open: () => Promise.reject(new Error('unreadable')) };
  const services = { docker, vault, installationId: 'i', holder: 'h' };
  await t.throwsAsync(checkRdb(services, backup, instance, signal), { message: 'unreadable' });
  t.is(removed, 1);
});

test('the sweep removes what dead holders left, and what no check can be any more', async (t) => {
  const clock = createTestClock();
  const nowSeconds = clock.now().getTime() / 1_000;
  const of = (Id: string, holder: string, ageHours: number) => ({
    Id,
    Labels: { 'swiftcache.holder': holder },
    Created: nowSeconds - ageHours * 3_600,
  });
  const found = [
    of('dead', 'gone', 0),
    of('own, in hand', 'here', 0.5),
    of('own, left', 'here', 2),
  ];
  const removed: string[] = [];
  const docker = {
    listContainers: async () => found,
    getContainer: (id: string) => ({ remove: async () => removed.push(id) }),
  } as unknown as Docker;
  const isGone = (holder: string): boolean => holder === 'gone';
  await sweepChecks(docker, { clock, installationId: 'i', isGone });
  t.deepEqual(removed, ['dead', 'own, left']);
});
