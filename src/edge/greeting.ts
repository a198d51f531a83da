/** What the door answers to each request of a client that has not signed in. Pure. */
import * as refusals from './refusals.ts';
import { encodeRequest, parseInteger } from './resp-request.ts';

export interface SignIn {
  readonly kind: 'sign-in';
  readonly user: string | undefined;
  readonly secret: string;
  /** The same request for the instance itself, whose Redis knows the user as `aclUser`. */
  encodeFor(aclUser: string): Buffer;
}

export type Answer =
  | SignIn
  | { readonly kind: 'refuse'; readonly refusal: refusals.Refusal }
  | { readonly kind: 'reply'; readonly reply: string; readonly close: boolean }
  /** A web browser made to speak to Redis by a hostile page: Redis hangs up on these, and so do we. */
  | { readonly kind: 'hang-up' };

/** Decides on one request; `args` holds at least the command. */
export function answerGreeting(args: readonly Buffer[]): Answer {
  const [command, ...rest] = args as [Buffer, ...Buffer[]];
  switch (command.toString('latin1').toLowerCase()) {
    case 'auth':
      return answerAuth(rest);
    case 'hello':
      return answerHello(rest);
    case 'quit':
      return { kind: 'reply', reply: '+OK\r\n', close: true };
    case 'reset':
      if (rest.length > 0) return refuse(wrongNumberOfArguments('reset'));
      return { kind: 'reply', reply: '+RESET\r\n', close: false };
    case 'post':
    case 'host:':
      return { kind: 'hang-up' };
    default:
      return refuse(refusals.noAuth);
  }
}

function answerAuth(args: readonly Buffer[]): Answer {
  const [first, second] = args;
  if (!first) return refuse(wrongNumberOfArguments('auth'));
  if (args.length > 2) return refuse(refusals.plainError('syntax error'));
  const secret = (second ?? first).toString('utf8');
  return {
    kind: 'sign-in',
    user: second ? first.toString('utf8') : undefined,
    secret,
    encodeFor: (aclUser) => encodeRequest(['AUTH', aclUser, secret]),
  };
}

function answerHello([version, ...options]: readonly Buffer[]): Answer {
  if (!version) return refuse(refusals.helloNeedsAuth);
  const protocol = parseInteger(version.toString('latin1'));
  if (protocol === undefined) {
    return refuse(refusals.plainError('Protocol version is not an integer or out of range'));
  }
  if (protocol < 2 || protocol > 3) return refuse(refusals.unsupportedProtocol);
  const read = readHelloOptions(options);
  if ('code' in read) return refuse(read);
  if (!read.auth) return refuse(refusals.helloNeedsAuth);
  const { user, secret } = read.auth;
  const setName = read.name ? ['SETNAME', read.name] : [];
  return {
    kind: 'sign-in',
    user,
    secret,
    encodeFor: (aclUser) =>
      encodeRequest(['HELLO', `${protocol}`, 'AUTH', aclUser, secret, ...setName]),
  };
}

interface HelloOptions {
  auth?: { user: string; secret: string };
  name?: Buffer;
}

function readHelloOptions(options: readonly Buffer[]): HelloOptions | refusals.Refusal {
  const read: HelloOptions = {};
  for (let position = 0; position < options.length; ) {
    const [option, first, second] = options.slice(position) as [Buffer, Buffer?, Buffer?];
    const name = option.toString('latin1').toLowerCase();
    if (name === 'auth' && first && second && !read.auth) {
      read.auth = { user: first.toString('utf8'), secret: second.toString('utf8') };
      position += 3;
    } else if (name === 'setname' && first) {
      if (!isClientName(first)) return badClientName;
      read.name = first;
      position += 2;
    } else {
      const shown = option.toString('utf8');
      return refusals.plainError(`Syntax error in HELLO option '${shown}'`, 'a bad HELLO option');
    }
  }
  return read;
}

const badClientName = refusals.plainError(
  'Client names cannot contain spaces, newlines or special characters.',
);

function isClientName(name: Buffer): boolean {
  return name.every((byte) => byte >= 0x21 && byte <= 0x7e);
}

function wrongNumberOfArguments(command: string): refusals.Refusal {
  return refusals.plainError(`wrong number of arguments for '${command}' command`);
}

function refuse(refusal: refusals.Refusal): Answer {
  return { kind: 'refuse', refusal };
}
