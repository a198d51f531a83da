import type {
  CheckResult,
  CreateResult,
  DiffResult,
  Provider,
  ReadResult,
  UpdateResult,
} from '@pulumi/pulumi/provider/index.js';
import { instancePassword } from './instance-password.ts';
import { redisSettings } from './redis-settings.ts';
import type { Properties, ResourceHandler } from './resource-handler.ts';
import { openSecrets } from './secrets.ts';

const handlers: Readonly<Record<string, ResourceHandler>> = {
  'swiftcache:index:InstancePassword': instancePassword,
  'swiftcache:index:RedisSettings': redisSettings,
};

/** Dispatches Pulumi's calls to the handler of the resource type named in the URN. */
export class SwiftCacheProvider implements Provider {
  readonly version = '1.0.0';

  async check(_urn: string, _olds: unknown, news: unknown): Promise<CheckResult> {
    return { inputs: news };
  }

  async diff(
    _id: string,
    urn: string,
    outputs: Properties,
    inputs: Properties,
  ): Promise<DiffResult> {
    return {
      changes: handlerOf(urn).changedInputs(openSecrets(outputs), openSecrets(inputs)).length > 0,
    };
  }

  async create(urn: string, inputs: unknown): Promise<CreateResult> {
    return await handlerOf(urn).create(openSecrets(inputs));
  }

  async update(id: string, urn: string, _olds: unknown, inputs: unknown): Promise<UpdateResult> {
    return await handlerOf(urn).update(id, openSecrets(inputs));
  }

  /** A refresh keeps what is recorded: live settings are the drift check's business. */
  async read(id: string, _urn: string, props?: unknown): Promise<ReadResult> {
    return { id, props };
  }

  /** Nothing to take back: settings and passwords end with the container and its volume. */
  async delete(): Promise<void> {}
}

/** The URN's third part from the left is the type, the last of a `$`-joined chain of parents. */
function handlerOf(urn: string): ResourceHandler {
  const type = urn.split('::')[2]?.split('$').at(-1) ?? '';
  const handler = handlers[type];
  if (!handler) throw new Error(`the swiftcache plugin has no resource type ${type}`);
  return handler;
}
