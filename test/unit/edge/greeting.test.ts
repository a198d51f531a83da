import test from 'ava';
import { answerGreeting } from '../../../src/edge/greeting.ts';
import { plainError, renderError } from '../../../src/edge/refusals.ts';

function answer(...args: string[]) {
  return answerGreeting(args.map((arg) => Buffer.from(arg)));
}

function refusalText(...args: string[]): string {
  const given = answer(...args);
  return given.kind === 'refuse' ? renderError(given.refusal).toString() : given.kind;
}

const helloNeedsAuth =
  '-NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH ' +
  '<user> <pass> option can be used to authenticate the client and select the RESP protocol ' +
  'version at the same time\r\n';
const syntaxError = "-ERR Syntax error in HELLO option '";

// Each text is what redis-server 7.0.15 answered before authentication.
const refused: readonly [string[], string][] = [
  [['PING'], '-NOAUTH Authentication required.\r\n'],
  [['GET', 'x'], '-NOAUTH Authentication required.\r\n'],
  [['COMMAND'], '-NOAUTH Authentication required.\r\n'],
  [['AUTH'], "-ERR wrong number of arguments for 'auth' command\r\n"],
  [['auth', 'a', 'b', 'c'], '-ERR syntax error\r\n'],
  [['RESET', 'x'], "-ERR wrong number of arguments for 'reset' command\r\n"],
  [['HELLO'], helloNeedsAuth],
  [['HELLO', '3'], helloNeedsAuth],
  [['HELLO', '3', 'SETNAME', 'x'], helloNeedsAuth],
  [['HELLO', '4', 'AUTH', 'u', 'p'], '-NOPROTO unsupported protocol version\r\n'],
  [['HELLO', '1'], '-NOPROTO unsupported protocol version\r\n'],
  [['HELLO', 'AUTH', 'u', 'p'], '-ERR Protocol version is not an integer or out of range\r\n'],
  [['HELLO', '03'], '-ERR Protocol version is not an integer or out of range\r\n'],
  [['HELLO', '3', 'AUTH', 'u'], `${syntaxError}AUTH'\r\n`],
  [['HELLO', '3', 'SETNAME'], `${syntaxError}SETNAME'\r\n`],
  [['HELLO', '3', 'FOO'], `${syntaxError}FOO'\r\n`],
  [
    ['HELLO', '3', 'AUTH', 'u', 'p', 'SETNAME', 'a b'],
    '-ERR Client names cannot contain spaces, newlines or special characters.\r\n',
  ],
];

for (const [args, expected] of refused) {
  test(`${args.join(' ')} is refused in Redis's own words`, (t) => {
    t.is(refusalText(...args), expected);
  });
}

test('QUIT is answered and closes, RESET is answered and does not', (t) => {
  t.deepEqual(answer('quit'), { kind: 'reply', reply: '+OK\r\n', close: true });
  t.deepEqual(answer('ReSet'), { kind: 'reply', reply: '+RESET\r\n', close: false });
});

test('an HTTP request is hung up on, as Redis does, so no web page can speak to it', (t) => {
  t.is(answer('POST', '/', 'HTTP/1.1').kind, 'hang-up');
  t.is(answer('Host:', 'x').kind, 'hang-up');
});

test('a sign-in is sent on in the same form, with the ACL user in place of the user name', (t) => {
  const cases: readonly [string[], string | undefined, string[]][] = [
    [['AUTH', 'pw'], undefined, ['AUTH', 'key_x', 'pw']],
    [['AUTH', 'default', 'pw'], 'default', ['AUTH', 'key_x', 'pw']],
    [['HELLO', '2', 'AUTH', 'u', 'pw'], 'u', ['HELLO', '2', 'AUTH', 'key_x', 'pw']],
    [
      ['hello', '3', 'setname', 'me', 'auth', 'u', 'pw'],
      'u',
      ['HELLO', '3', 'AUTH', 'key_x', 'pw', 'SETNAME', 'me'],
    ],
  ];
  for (const [args, user, sent] of cases) {
    const given = answer(...args);
    if (given.kind !== 'sign-in') return t.fail(args.join(' '));
    t.is(given.user, user);
    t.is(given.secret, 'pw');
    const words = given.encodeFor('key_x').toString().split('\r\n');
    t.deepEqual(
      words.filter((word) => word !== '' && !/^[*$]/.test(word)),
      sent,
    );
  }
});

test('an error line cannot be ended early by what a client sent', (t) => {
  const line = refusalText('HELLO', '3', "x\r\n+OK\r\n$5\r\n\0'");
  t.regex(line, /^-ERR [^\r\n]*\r\n$/);
  t.is(renderError(plainError('a\r\nb')).toString(), '-ERR a  b\r\n');
});
