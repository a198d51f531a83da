/**
 * The command gateway as the OpenAPI document shows it. It is no part of the control API and has rules of
 * its own, so it is described by hand, and in short: OpenAPI has no paths of any length, so the path form
 * is shown with one argument, and subscriptions with one channel.
 */
import { tagOf } from './tags.ts';

const instanceId = {
  name: 'instanceId',
  in: 'path',
  required: true,
  schema: { type: 'string' },
  example: 'inst_abc123',
};

const command = { type: 'array', minItems: 1, items: { type: ['string', 'number', 'boolean'] } };

/** What the gateway's schemas are called in the document. */
export const gatewaySchemas = {
  CommandResult: {
    type: 'object',
    properties: {
      result: {
        description: "Redis's reply as JSON: a string, a number, a list, an object, null.",
        example: 'OK',
      },
    },
    required: ['result'],
    additionalProperties: false,
  },
  CommandError: {
    type: 'object',
    properties: {
      error: { description: 'In the words of Redis, where it is its own.', type: 'string' },
    },
    required: ['error'],
    additionalProperties: false,
    example: { error: 'ERR value is not an integer or out of range' },
  },
} as const;

const streams =
  'Each subscription is an event, then each message is one: its fields, parted by commas. POST is taken ' +
  'too. A stream ends with its key, its instance or the service; a comment before the end says why.';

/** The paths under /redis/. */
export const gatewayPaths: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  '/redis/{instanceId}': {
    post: describe({
      operationId: 'runCommand',
      summary: 'Run a command written as a JSON array',
      body: { schema: command, example: ['SET', 'greeting', 'hello', 'EX', 60] },
      schema: { $ref: '#/components/schemas/CommandResult' },
    }),
  },
  '/redis/{instanceId}/{command}/{argument}': {
    get: describe({
      operationId: 'runCommandInPath',
      summary: 'Run a command written as a path',
      description:
        'Any number of arguments, none too, each a segment of the path; shown here with one. Query ' +
        'parameters follow as further arguments. PUT and POST are taken too: the body is then the ' +
        'last argument of the path.',
      parameters: [segment('command', 'get'), segment('argument', 'greeting')],
      schema: { $ref: '#/components/schemas/CommandResult' },
    }),
  },
  '/redis/{instanceId}/pipeline': {
    post: describe({
      operationId: 'runPipeline',
      summary: 'Run up to 1,000 commands, each with its own result',
      ...severalCommands(),
    }),
  },
  '/redis/{instanceId}/multi-exec': {
    post: describe({
      operationId: 'runTransaction',
      summary: 'Run up to 1,000 commands as one transaction',
      description:
        'All of them in one MULTI … EXEC. A transaction that Redis discards is one error, and nothing ' +
        'of it has run.',
      ...severalCommands(),
    }),
  },
  '/redis/{instanceId}/subscribe/{channel}': {
    get: describe({
      operationId: 'subscribe',
      summary: 'Stream the messages of channels as server-sent events',
      description: `Any number of channels, each a segment of the path; shown here with one. ${streams}`,
      parameters: [segment('channel', 'news')],
      ...eventStream('data: subscribe,news,1\n\ndata: message,news,hello\n\n'),
    }),
  },
  '/redis/{instanceId}/psubscribe/{pattern}': {
    get: describe({
      operationId: 'subscribeToPatterns',
      summary: 'Stream the messages of channels whose names fit patterns',
      description: `Any number of patterns, each a segment of the path; shown here with one. ${streams}`,
      parameters: [segment('pattern', 'news.*')],
      ...eventStream(
        'data: psubscribe,news.*,1\n\ndata: pmessage,news.*,news.today,{"text":"hello"}\n\n',
      ),
    }),
  },
  '/redis/{instanceId}/monitor': {
    get: describe({
      operationId: 'monitorCommands',
      summary: 'Stream the commands that the instance runs',
      description: `Data keys do not have the right to it: the answer is Redis's NOPERM. ${streams}`,
      ...eventStream('data: "OK"\n\ndata: 1700000000.1 [0 10.0.0.7:5000] "GET" "greeting"\n\n'),
    }),
  },
};

function segment(name: string, example: string): object {
  return { name, in: 'path', required: true, schema: { type: 'string' }, example };
}

function eventStream(example: string): Pick<Shown, 'contentType' | 'schema'> {
  return { contentType: 'text/event-stream', schema: { type: 'string', example } };
}

function severalCommands(): Pick<Shown, 'body' | 'schema'> {
  return {
    body: {
      schema: { type: 'array', minItems: 1, maxItems: 1000, items: command },
      example: [
        ['SET', 'greeting', 'hello'],
        ['GET', 'greeting'],
      ],
    },
    schema: {
      type: 'array',
      items: {
        oneOf: [
          { $ref: '#/components/schemas/CommandResult' },
          { $ref: '#/components/schemas/CommandError' },
        ],
      },
      example: [{ result: 'OK' }, { result: 'hello' }],
    },
  };
}

interface Shown {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly object[];
  readonly body?: { readonly schema: object; readonly example: unknown };
  /** Of the answer that goes well; JSON where left out. */
  readonly contentType?: string;
  readonly schema: object;
}

function describe(shown: Shown): object {
  const { body, schema, parameters = [], contentType = 'application/json', ...about } = shown;
  return {
    tags: [tagOf('/redis/')],
    ...about,
    security: [{ dataKey: [] }, { dataKeyInQuery: [] }],
    parameters: [instanceId, ...parameters],
    ...(body && { requestBody: { required: true, content: { 'application/json': body } } }),
    responses: {
      200: { description: 'What Redis replied', content: { [contentType]: { schema } } },
      400: failure('Redis, or the gateway, refused the command'),
      401: failure('No data key, or none that there is'),
      403: failure('The key may not be used from this address'),
      404: failure('There is no such instance, or the key does not open it'),
      413: failure('The body is larger than 10 MiB'),
      429: failure(
        'The rate of the key, or of its organization’s plan, is used up for this second; or too many ' +
          'keys that open nothing came from this address',
      ),
      500: failure('Redis did not answer; the command may have run'),
      503: failure('The instance does not run, or there is too much at once'),
      default: failure('Anything else'),
    },
  };
}

function failure(description: string): object {
  const schema = { $ref: '#/components/schemas/CommandError' };
  return { description, content: { 'application/json': { schema } } };
}
