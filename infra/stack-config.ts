/**
 * The configuration of a stack: the contract between whoever writes stacks/Pulumi.<stack>.yaml (the
 * API, or an operator with `pulumi config set`) and the program. All of it is plain data, no secrets.
 */
import type { Config } from '@pulumi/pulumi';

/** What an instance stack is made from. */
export interface InstanceSpec {
  readonly instanceId: string;
  /** The installation the instance belongs to: two services may share one Docker host. */
  readonly installationId: string;
  readonly region: string;
  readonly image: string;
  /** The bridge network of the region, by name. */
  readonly network: string;
  /** The port on the Docker host, bound to loopback. */
  readonly port: number;
  readonly maxMemoryBytes: number;
  readonly evictionPolicy: string;
  readonly persistence: boolean;
  /** False for a stopped instance: its container stays, and nothing expects it to run. */
  readonly running: boolean;
}

/** What a region stack is made from. */
export interface RegionSpec {
  readonly installationId: string;
  readonly region: string;
  readonly network: string;
}

/** Reads an instance's configuration. @throws where a key is missing or not of its type. */
export function readInstanceSpec(config: Config): InstanceSpec {
  return {
    instanceId: config.require('instanceId'),
    installationId: config.require('installationId'),
    region: config.require('region'),
    image: config.require('image'),
    network: config.require('network'),
    port: config.requireNumber('port'),
    maxMemoryBytes: config.requireNumber('maxMemoryBytes'),
    evictionPolicy: config.require('evictionPolicy'),
    persistence: config.requireBoolean('persistence'),
    running: config.getBoolean('running') ?? true,
  };
}

/** Reads a region's configuration. @throws where a key is missing. */
export function readRegionSpec(config: Config): RegionSpec {
  return {
    installationId: config.require('installationId'),
    region: config.require('region'),
    network: config.require('network'),
  };
}
