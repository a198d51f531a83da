import test from 'ava';
import type { Way } from '../../../src/keys/lost-ways.ts';
import { type Ask, createAskedPorts } from '../../../src/processes/asked-ports.ts';
import { captureLog } from '../../support/log-lines.ts';

const { logger } = captureLog();

/** As a connection has it: with more of the key than anybody needs to be told. */
function way(id: string, instanceId: string, ipWhitelist: string[] = []): Way {
  const key = { id, ipWhitelist, secretHash: 'f00d' };
  return { key, instance: { id: instanceId } };
}

test('ways of one key to one instance are asked about once, and lost together', async (t) => {
  const questions: unknown[] = [];
  const ask = async (_what: string, question: unknown) => {
    questions.push(question);
    return [0, 2];
  };
  const ports = createAskedPorts(ask as Ask, { usedKeyIds: new Set(), logger, isShared: true });
  const narrowed = way('key_a', 'inst_a', ['10.0.0.1']);
  const ways = [
    way('key_a', 'inst_a'),
    way('key_a', 'inst_b'),
    narrowed,
    way('key_a', 'inst_a'),
    way('key_a', 'inst_b'),
  ];
  const lost = await ports.findLostWays?.(ways);
  t.deepEqual(lost, new Set([ways[0], ways[3], narrowed] as Way[]));
  t.deepEqual(questions, [
    [
      { key: { id: 'key_a', ipWhitelist: [] }, instance: { id: 'inst_a' } },
      { key: { id: 'key_a', ipWhitelist: [] }, instance: { id: 'inst_b' } },
      { key: { id: 'key_a', ipWhitelist: ['10.0.0.1'] }, instance: { id: 'inst_a' } },
    ],
  ]);
});

test('a process whose service alone has the database asks about no ways', (t) => {
  const ask = () => Promise.reject(new Error('not to be asked'));
  const ports = createAskedPorts(ask as Ask, { usedKeyIds: new Set(), logger, isShared: false });
  t.is(ports.findLostWays, undefined);
});
