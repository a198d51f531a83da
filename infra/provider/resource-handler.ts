import type { CreateResult, UpdateResult } from '@pulumi/pulumi/provider/index.js';

export type Properties = Readonly<Record<string, unknown>>;

/** What a resource type of this plugin does; inputs are plain objects, secrets in clear. */
export interface ResourceHandler {
  create(inputs: unknown): Promise<CreateResult>;
  update(id: string, inputs: unknown): Promise<UpdateResult>;
  /** The names of the inputs that differ from the recorded outputs. */
  changedInputs(outputs: Properties, inputs: Properties): string[];
}
