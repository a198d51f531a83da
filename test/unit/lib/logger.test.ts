import { randomBytes } from 'node:crypto';
import test from 'ava';
import { createAccountSecret, createDataSecret } from '../../../src/keys/format.ts';
import { type Logger, maskSecrets } from '../../../src/lib/logger.ts';
import { captureLog } from '../../support/log-lines.ts';

/** Ways in which a key could come into a line. */
const waysForKeys: Record<string, (logger: Logger, key: string) => void> = {
  'a message': (logger, key) => logger.info(`signed in with ${key}.`),
  'a quoted message': (logger, key) => logger.info(`{"key":"${key}"}`),
  'a field of any name': (logger, key) => logger.info({ text: key }),
  'a deep field': (logger, key) => logger.info({ a: { b: { c: [{ d: `x ${key}` }] } } }),
  'the name of a field': (logger, key) => logger.info({ [key]: 1 }),
  'an error': (logger, key) => logger.error({ err: new Error(`refused ${key}`) }),
  'an error alone': (logger, key) => logger.error(new Error(`refused ${key}`)),
  "an error's property": (logger, key) => {
    logger.error({ err: Object.assign(new Error('refused'), { command: ['AUTH', key] }) });
  },
  "an error's cause": (logger, key) => {
    logger.error({ err: new Error('refused', { cause: new Error(`was ${key}`) }) });
  },
  'a header': (logger, key) => logger.info({ headers: { authorization: `Bearer ${key}` } }),
  'a URL password': (logger, key) => logger.info(`redis://:${key}@127.0.0.1:6379`),
  'a query': (logger, key) => logger.info(`GET /redis/inst_a/get/b?x=1&_token=${key}`),
  'an encoded query': (logger, key) => logger.info({ url: `/redis?_token=${key}&x=1` }),
  'a child logger': (logger, key) => logger.child({ who: key }).info('bound'),
  'a format argument': (logger, key) => logger.info('who: %s', key),
  'two in a line': (logger, key) => logger.info(`${key} ${key},${key}`),
  'the begin of a second line': (logger, key) => logger.info(`it was\n${key}`),
  'a tab before it': (logger, key) => logger.info({ line: `it was\t${key}` }),
};

for (const isTTY of [false, true]) {
  const form = isTTY ? 'readable' : 'JSON';
  for (const [way, write] of Object.entries(waysForKeys)) {
    test(`no key reaches a ${form} line by way of ${way}`, (t) => {
      const { logger, text } = captureLog('debug', isTTY);
      const keys = Array.from({ length: 50 }, () => [createDataSecret(), createAccountSecret()])
        .flat()
        .map(({ secret }) => secret);
      for (const key of keys) write(logger, key);
      const written = text();
      t.true(written.length > 0);
      const leaked = keys.filter((key) => written.includes(key.slice('sk_live_'.length)));
      t.is(leaked.length, 0, `e.g. ${leaked[0]}`);
    });
  }
}

const secretFields = ['password', 'token', 'secret', 'key', 'authorization', 'plainTextKey'];

for (const name of [...secretFields, 'masterKey', 'passphrase']) {
  test(`the value of a field named ${name} is never written, down to the third level`, (t) => {
    const { logger, text } = captureLog();
    const value = randomBytes(16).toString('hex');
    logger.info({ [name]: value });
    logger.info({ request: { [name]: value } });
    logger.info({ request: { body: { [name]: value } } });
    logger.child({ [name]: value }).info('a child');
    t.is(text().trim().split('\n').length, 4);
    t.false(text().includes(value), text());
  });
}

test('a password in a URL is masked, whatever the scheme and the user', (t) => {
  for (const scheme of ['redis', 'rediss', 'postgres', 'https']) {
    for (const user of ['', 'default', 'inst_a2b3']) {
      const masked = maskSecrets(`${scheme}://${user}:p4ss-w0rd!@host:1/x`);
      t.is(masked, `${scheme}://${user}:***@host:1/x`);
    }
  }
});

test('a token in a query is masked, whatever it looks like, and its neighbours stay', (t) => {
  const masked = maskSecrets('GET /redis/a/get/b?_token=0pen-5esame&x=1 and /c?y=2&_token=abc');
  t.is(masked, 'GET /redis/a/get/b?_token=***&x=1 and /c?y=2&_token=***');
});

test('what is no secret stays readable', (t) => {
  for (const text of [
    'GET /api/v1/instances 200',
    'sk_live_ and sc_live_ are prefixes',
    'redis://127.0.0.1:6379',
    'http://127.0.0.1:8080/openapi.json?a=1&b=2',
    'inst_abcdefghijklmnop key_abcdefghijklmnop',
  ]) {
    t.is(maskSecrets(text), text);
  }
});

test('a line is one JSON object with level, message and fields', (t) => {
  const { logger, text } = captureLog();
  logger.info({ instanceId: 'inst_a' }, 'instance is running');
  t.is(text().split('\n').length, 2);
  t.like(JSON.parse(text()), { level: 30, instanceId: 'inst_a', msg: 'instance is running' });
});

test('a masked line is still one JSON object', (t) => {
  const { logger, text } = captureLog();
  logger.info({ url: `redis://:${createDataSecret().secret}@h:1`, other: 'stays' });
  logger.info({ query: `?_token=${createDataSecret().secret}`, other: 'stays' });
  logger.info({ query: '?_token=a\\"b\\\\', other: 'stays' });
  for (const line of text().trim().split('\n')) t.like(JSON.parse(line), { other: 'stays' });
});

test('what is below the level is not written', (t) => {
  const { logger, text } = captureLog('warn');
  logger.info('quiet');
  logger.warn('loud');
  t.false(text().includes('quiet'));
  t.true(text().includes('loud'));
});
