/** A connection to Redis that sends commands as bytes and gives replies as bytes: what a gateway's answer is compared with. */
import { once } from 'node:events';
import { connect } from 'node:net';

/** A reply in RESP2, taken apart. */
export type Reply =
  | { readonly kind: 'bulk' | 'status' | 'error'; readonly bytes: Buffer }
  | { readonly kind: 'integer'; readonly text: string }
  | { readonly kind: 'array'; readonly items: readonly Reply[] }
  | { readonly kind: 'null' };

export interface DirectRedis {
  /** One command at a time. */
  call(...parts: readonly (string | Buffer)[]): Promise<{ bytes: Buffer; reply: Reply }>;
  close(): void;
}

/** Connects and signs in. */
export async function connectDirectly(
  port: number,
  user: { name: string; secret: string },
): Promise<DirectRedis> {
  const socket = connect(port, '127.0.0.1').setNoDelay();
  await once(socket, 'connect');
  let rest: Buffer = Buffer.alloc(0);
  let settle: ((error?: Error) => void) | undefined;
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    settle?.();
  });
  socket.on('error', () => {});
  socket.on('close', () => settle?.(new Error('Redis closed the connection')));
  const direct: DirectRedis = {
    call(...parts) {
      return new Promise((resolve, reject) => {
        settle = (error) => {
          if (error) return void reject(error);
          const parsed = parseReply(rest, 0);
          if (!parsed) return;
          const bytes = rest.subarray(0, parsed.end);
          rest = rest.subarray(parsed.end);
          settle = undefined;
          if (rest.length > 0) reject(new Error('more than one reply'));
          else resolve({ bytes, reply: parsed.reply });
        };
        socket.write(encode(parts));
      });
    },
    close: () => void socket.destroy(),
  };
  const { reply } = await direct.call('AUTH', user.name, user.secret);
  if (reply.kind !== 'status') throw new Error('could not sign in');
  return direct;
}

function encode(parts: readonly (string | Buffer)[]): Buffer {
  const bytes = parts.map((part) => Buffer.from(part as Buffer));
  return Buffer.concat([
    Buffer.from(`*${bytes.length}\r\n`),
    ...bytes.flatMap((part) => [Buffer.from(`$${part.length}\r\n`), part, Buffer.from('\r\n')]),
  ]);
}

/** Reads one RESP2 reply; undefined until it is whole. */
export function parseReply(bytes: Buffer, from: number): { reply: Reply; end: number } | undefined {
  const lineEnd = bytes.indexOf('\r\n', from);
  if (lineEnd < 0) return undefined;
  const type = String.fromCharCode(bytes[from] ?? 0);
  const line = bytes.subarray(from + 1, lineEnd);
  const end = lineEnd + 2;
  if (type === '+') return { reply: { kind: 'status', bytes: line }, end };
  if (type === '-') return { reply: { kind: 'error', bytes: line }, end };
  if (type === ':') return { reply: { kind: 'integer', text: line.toString() }, end };
  const length = Number(line.toString());
  if (length < 0) return { reply: { kind: 'null' }, end };
  if (type === '$') {
    if (bytes.length < end + length + 2) return undefined;
    return {
      reply: { kind: 'bulk', bytes: bytes.subarray(end, end + length) },
      end: end + length + 2,
    };
  }
  if (type !== '*') throw new Error(`no reply of RESP2 begins with ${JSON.stringify(type)}`);
  const items: Reply[] = [];
  let at = end;
  for (let index = 0; index < length; index += 1) {
    const item = parseReply(bytes, at);
    if (!item) return undefined;
    items.push(item.reply);
    at = item.end;
  }
  return { reply: { kind: 'array', items }, end: at };
}
