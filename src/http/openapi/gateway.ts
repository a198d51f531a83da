/**
 * The command gateway as the OpenAPI document shows it. It is no part of the control API and has rules of
 * its own, so it is described by hand, and in short: OpenAPI has no paths of any length, so the path form
 * is shown with one argument.
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
      parameters: [
        { name: 'command', in: 'path', required: true, schema: { type: 'string' }, example: 'get' },
        {
          name: 'argument',
          in: 'path',
          required: true,
          schema: { type: 'string' },
          example: 'greeting',
        },
      ],
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
};

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
  readonly schema: object;
}

function describe({ body, schema, parameters = [], ...about }: Shown): object {
  return {
    tags: [tagOf('/redis/')],
    ...about,
    security: [{ dataKey: [] }, { dataKeyInQuery: [] }],
    parameters: [instanceId, ...parameters],
    ...(body && { requestBody: { required: true, content: { 'application/json': body } } }),
    responses: {
      200: { description: 'What Redis replied', content: { 'application/json': { schema } } },
      400: failure('Redis, or the gateway, refused the command'),
      401: failure('No data key, or none that there is'),
      404: failure('There is no such instance, or the key does not open it'),
      413: failure('The body is larger than 10 MiB'),
      429: failure(
        'The rate of the key, or of its organization’s plan, is used up for this second',
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
