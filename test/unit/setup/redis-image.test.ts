import test from 'ava';
import { buildImageArchive, buildTar } from '../../../infra/redis-image/archive.js';
import { upstreamVersion } from '../../../infra/redis-image/index.js';

const folder = { name: 'data', mode: 0o755, uid: 999, gid: 999 };
const file = { name: 'bin/sh', mode: 0o755, content: Buffer.from('#!') };
const options = { repository: 'r:1', architecture: 'amd64', config: {} };

test('the same content is the same image, in whatever order and whenever it was gathered', (t) => {
  const first = buildImageArchive({ ...options, entries: [folder, file] });
  const second = buildImageArchive({ ...options, entries: [file, folder] });
  t.true(first.archive.equals(second.archive));
  t.is(first.tag, `r:1-${first.id.slice('sha256:'.length).slice(0, 12)}`);
});

test('other content, another owner or another start is another image', (t) => {
  const ids = [
    buildImageArchive({ ...options, entries: [folder, file] }),
    buildImageArchive({ ...options, entries: [{ ...folder, uid: 0 }, file] }),
    buildImageArchive({ ...options, entries: [folder, { ...file, content: Buffer.from('#') }] }),
    buildImageArchive({ ...options, config: { User: '0' }, entries: [folder, file] }),
  ].map(({ id }) => id);
  t.is(new Set(ids).size, ids.length);
});

test('archives hold whole blocks, numeric owners and no times', (t) => {
  const tar = buildTar([folder]);
  t.is(tar.length % 512, 0);
  t.is(tar.toString('latin1', 0, 6), 'data/\0');
  t.is(Number.parseInt(tar.toString('latin1', 108, 115), 8), 999);
  t.is(Number.parseInt(tar.toString('latin1', 136, 147), 8), 0);
  t.throws(() => buildTar([{ name: 'x'.repeat(101), mode: 0o644, content: Buffer.alloc(0) }]));
});

test('Debian’s version of a package gives the version of Redis', (t) => {
  t.is(upstreamVersion('5:7.0.15-1~deb12u10'), '7.0.15');
  t.is(upstreamVersion('5:7.0.15-1ubuntu0.24.04.2'), '7.0.15');
});
