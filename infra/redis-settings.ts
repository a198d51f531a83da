/** The resources of our own provider plugin (infra/provider), as the program declares them. */
import * as pulumi from '@pulumi/pulumi';

/** Raised when what a resource of the plugin means changes; the plugin answers for every version. */
const pluginVersion = '1.0.0';

export interface InstancePasswordArgs {
  /** A password that is in use already; without it a new one is made. */
  value?: pulumi.Input<string>;
}

/** The platform user's password: 256 random bits made once, kept encrypted in the stack's state. */
export class InstancePassword extends pulumi.CustomResource {
  declare readonly value: pulumi.Output<string>;
  /** The hex SHA-256 of the password: what Redis's ACL file holds. No secret. */
  declare readonly sha256: pulumi.Output<string>;

  constructor(name: string, args: InstancePasswordArgs, options: pulumi.CustomResourceOptions) {
    super(
      'swiftcache:index:InstancePassword',
      name,
      { value: undefined, sha256: undefined, ...args },
      { ...options, version: pluginVersion },
    );
  }
}

export interface RedisSettingsArgs {
  /** The container the settings are for: a new one gets them again. */
  containerId: pulumi.Input<string>;
  host: pulumi.Input<string>;
  port: pulumi.Input<number>;
  password: pulumi.Input<string>;
  maxMemoryBytes: pulumi.Input<number>;
  evictionPolicy: pulumi.Input<string>;
  persistence: pulumi.Input<boolean>;
}

/** What Redis changes while it runs: memory, eviction, persistence. Set live, and kept for restarts. */
export class RedisSettings extends pulumi.CustomResource {
  declare readonly host: pulumi.Output<string>;
  declare readonly port: pulumi.Output<number>;

  constructor(name: string, args: RedisSettingsArgs, options: pulumi.CustomResourceOptions) {
    super(
      'swiftcache:index:RedisSettings',
      name,
      { ...args },
      { ...options, version: pluginVersion },
    );
  }
}
