import test from 'ava';
import fc from 'fast-check';
import { readJsonArray } from '../../../src/gateway/command-json.ts';
import { quoteOddNumbers } from '../../../src/gateway/json-numbers.ts';

const quoteNumbers = (json: string): string => String(quoteOddNumbers(Buffer.from(json)));

const table: readonly [string, string][] = [
  ['[1,-1,0,123456789012345]', '[1,-1,0,123456789012345]'],
  ['[1.0,-0,1e2,-1.5E+7,0.10]', '["1.0","-0","1e2","-1.5E+7","0.10"]'],
  ['[9007199254740993]', '["9007199254740993"]'],
  [' [ 1.0 ,\t2 ] ', ' [ "1.0" ,\t2 ] '],
  ['["1.0","\\"",2.0,"\\\\",3.0]', '["1.0","\\"","2.0","\\\\","3.0"]'],
  ['["é1.0",1.0]', '["é1.0","1.0"]'],
  ['1.0', '"1.0"'],
  ['{1.0:2.0}', '{1.0:2.0}'],
];

for (const [json, quoted] of table) {
  test(`the odd numbers alone are quoted in ${json}`, (t) => {
    t.is(quoteNumbers(json), quoted);
  });
}

test('text without odd numbers is not copied', (t) => {
  const json = Buffer.from('["SET","k",1,"1.0"]');
  t.is(quoteOddNumbers(json), json);
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

const wrongNumbers = [
  '01',
  '1.',
  '.5',
  '-',
  '+1',
  '1e',
  '1.5.5',
  '--1',
  '-01.0',
  '1.0 2.0',
  '1.0"a"',
];

test('what is no JSON stays none', (t) => {
  for (const number of wrongNumbers) t.false(isJson(quoteNumbers(`[${number}]`)), number);
  const piece = fc.constantFrom(...'0123456789.-+eE"\\[]{}:, tru', '1.0', '"a"', 'true');
  const check = fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
    const json = `[${pieces.join('')}]`;
    t.is(isJson(quoteNumbers(json)), isJson(json), json);
  });
  fc.assert(check, { numRuns: 3_000 });
});

/** Of this process alone: what else the machine does counts little. */
function measureCpu(action: () => unknown): number {
  const before = process.cpuUsage();
  action();
  return process.cpuUsage(before).user;
}

test('a body full of odd numbers is read about as fast as JSON of its size is parsed', (t) => {
  const body = Buffer.from(`["SET"${',1.0'.repeat(1_000_000)}]`);
  const text = String(body);
  const ratios = Array.from({ length: 3 }, () => {
    const parseCost = measureCpu(() => JSON.parse(text));
    return measureCpu(() => readJsonArray(body, 'command')) / parseCost;
  });
  // A reviver takes fifteen to forty times as long.
  t.true(Math.min(...ratios) < 10, String(ratios));
});
