import test from 'ava';
import { parseReading } from '../../../src/metrics/parse-sample.ts';

/** What Redis 7.0.15 gave, shortened: lines that nobody reads are left out. */
const info = [
  '# Server',
  'redis_version:7.0.15',
  'run_id:aeb61c09548f3d0df7c38568d857fbe637f3d675',
  'server_time_usec:1795274244515335',
  'config_file:',
  '',
  '# Clients',
  'connected_clients:3',
  '',
  '# Memory',
  'used_memory:990600',
  'used_memory_human:967.38K',
  'maxmemory:0',
  'mem_fragmentation_ratio:12.87',
  'mem_not_counted_for_evict:600',
  '',
  '# Stats',
  'total_commands_processed:39',
  'total_net_input_bytes:340',
  'total_net_output_bytes:70',
  'expired_keys:4',
  'evicted_keys:2',
  'keyspace_hits:15',
  'keyspace_misses:5',
  '',
  '# Commandstats',
  'cmdstat_get:calls=20,usec=46,usec_per_call=2.30,rejected_calls=0,failed_calls=0',
  'cmdstat_eval:calls=1,usec=52,usec_per_call=52.00,rejected_calls=0,failed_calls=0',
  'cmdstat_set:calls=1,usec=8,usec_per_call=8.00,rejected_calls=7,failed_calls=0',
  'cmdstat_memory|usage:calls=1,usec=8,usec_per_call=8.00,rejected_calls=0,failed_calls=0',
  'cmdstat_memory|purge:calls=1,usec=8,usec_per_call=8.00,rejected_calls=0,failed_calls=0',
  'cmdstat_info:calls=2,usec=264,usec_per_call=132.00,rejected_calls=0,failed_calls=0',
  'cmdstat_auth:calls=2,usec=20,usec_per_call=10.00,rejected_calls=1,failed_calls=1',
  'cmdstat_hello:calls=2,usec=20,usec_per_call=10.00,rejected_calls=0,failed_calls=0',
  'cmdstat_ping:calls=3,usec=3,usec_per_call=1.00,rejected_calls=9,failed_calls=0',
  'cmdstat_client|setinfo:calls=2,usec=3,usec_per_call=1.00,rejected_calls=0,failed_calls=0',
  'cmdstat_config|get:calls=2,usec=20,usec_per_call=10.00,rejected_calls=0,failed_calls=0',
  'cmdstat_acl|save:calls=1,usec=900,usec_per_call=900.00,rejected_calls=0,failed_calls=0',
  'cmdstat_latency|histogram:calls=2,usec=66,usec_per_call=33.00,rejected_calls=0,failed_calls=0',
  '',
].join('\r\n');

const histograms = [
  ...['get', ['calls', 20, 'histogram_usec', [1, 9, 4, 16, 8, 20]]],
  ...['eval', ['calls', 1, 'histogram_usec', [66, 1]]],
  ...['set', ['calls', 1, 'histogram_usec', [8, 1]]],
  ...['info', ['calls', 2, 'histogram_usec', [132, 1, 264, 2]]],
  ...['config|get', ['calls', 2, 'histogram_usec', [8, 2]]],
];

test("Redis's answers become counters, without what the platform sends too", (t) => {
  t.deepEqual(parseReading(info, histograms), {
    runId: 'aeb61c09548f3d0df7c38568d857fbe637f3d675',
    serverTimeUs: 1_795_274_244_515_335,
    commands: 20 + 1 + 1 + 1,
    bytesIn: 340,
    bytesOut: 70,
    hits: 15,
    misses: 5,
    evicted: 2,
    expired: 4,
    memoryUsed: 990_000,
    clients: 2,
    latency: { 1: 9, 4: 7, 8: 5, 66: 1 },
  });
});

test('a Redis that nobody used yet tells no command and no latency', (t) => {
  const idle = info.slice(0, info.indexOf('cmdstat_'));
  const { commands, latency } = parseReading(idle, []);
  t.is(commands, 0);
  t.deepEqual(latency, {});
});

test('an answer that is not what it should be is refused, not taken for zero', (t) => {
  for (const broken of [
    '',
    info.replace('keyspace_hits:15', 'keyspace_hits:many'),
    info.replace('run_id', 'runid'),
    info.replace('cmdstat_get:calls=20', 'cmdstat_get:'),
  ]) {
    t.throws(() => parseReading(broken, histograms), { message: /^INFO gave no/ });
  }
  t.throws(() => parseReading(info, undefined), { message: /LATENCY/ });
});
