/**
 * Recognises plain requests: those that two parsers of HTTP cannot understand differently.
 *
 * A request is plain where all that has arrived on its connection is exactly that request, in the form that
 * clients send: GET, POST or PUT, HTTP/1.1, header names of letters, digits and hyphens, values of printable
 * ASCII, no name twice, CRLF and nothing else at the ends of lines, a body by Content-Length or none. Whatever
 * is not, is not judged here: it is node:http's, with all of its bytes.
 *
 * Guarantee: where a request is given, node:http would give the same method, target, headers and body, and
 * find nothing behind it (test/unit/gateway/plain-request.test.ts compares the two). So there is no byte that
 * could be taken for the beginning of another request.
 */
import type { IncomingHttpHeaders } from 'node:http';

export interface PlainRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** The target in origin form, as it was sent. */
  readonly url: string;
  /** By names in lower case. */
  readonly headers: IncomingHttpHeaders;
  /** Of a POST or PUT; may be empty. */
  readonly body: Buffer | undefined;
}

/** A larger request is none of these. */
export const plainBytesMax = 64 * 1024;
const headBytesMax = 8 * 1024;
const headersMax = 64;

/** What RFC 3986 lets stand in a path and a query, as it is. */
const requestLine = /^(GET|POST|PUT) (\/[\w\-.~:/?@!$&'()*+,;=%[\]]*) HTTP\/1\.1\r\n/;
const headerLine = /([A-Za-z\d-]+): ?([ -~]*)\r\n/y;
const wholeNumber = /^(0|[1-9]\d{0,6})$/;
const beginning = /^(GET|POST|PUT) \//;
const beginningBytes = 'POST /'.length;
/** They change how a connection or a body is read, or node:http gives them another form. */
const notPlain: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'expect',
  'upgrade',
  'te',
  'trailer',
  'keep-alive',
  'proxy-connection',
  'http2-settings',
  'set-cookie',
]);

/**
 * Looks at all that has arrived on a connection since its last answer.
 * @returns 'incomplete' where it may become a plain request, 'other' where it will not.
 */
export function readPlainRequest(bytes: Buffer): PlainRequest | 'incomplete' | 'other' {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0 || headEnd > headBytesMax) return mayBecomePlain(bytes) ? 'incomplete' : 'other';
  const head = bytes.toString('latin1', 0, headEnd + 2);
  const line = requestLine.exec(head);
  if (!line) return 'other';
  const headers = readHeaders(head, line[0].length);
  if (!headers?.host) return 'other';
  const method = line[1] as PlainRequest['method'];
  const url = line[2] as string;
  const bodyStart = headEnd + 4;
  const announced = headers['content-length'];
  if (method === 'GET') {
    const isWhole = announced === undefined && bytes.length === bodyStart;
    return isWhole ? { method, url, headers, body: undefined } : 'other';
  }
  if (announced === undefined || !wholeNumber.test(announced)) return 'other';
  const end = bodyStart + Number(announced);
  if (end > plainBytesMax || bytes.length > end) return 'other';
  if (bytes.length < end) return 'incomplete';
  return { method, url, headers, body: bytes.subarray(bodyStart) };
}

function mayBecomePlain(bytes: Buffer): boolean {
  if (bytes.length > headBytesMax) return false;
  // Too short to tell: a connection's first bytes may come one by one.
  return (
    bytes.length < beginningBytes || beginning.test(bytes.toString('latin1', 0, beginningBytes))
  );
}

/** Gives undefined where one of the lines is not plain. */
function readHeaders(head: string, start: number): IncomingHttpHeaders | undefined {
  const headers: IncomingHttpHeaders = Object.create(null);
  let count = 0;
  headerLine.lastIndex = start;
  while (headerLine.lastIndex < head.length) {
    const match = headerLine.exec(head);
    count += 1;
    if (!match || count > headersMax) return undefined;
    const name = (match[1] as string).toLowerCase();
    const value = match[2] as string;
    if (value.startsWith(' ') || value.endsWith(' ')) return undefined;
    if (name in headers || notPlain.has(name)) return undefined;
    if (name === 'connection' && value.toLowerCase() !== 'keep-alive') return undefined;
    headers[name] = value;
  }
  return headers;
}
