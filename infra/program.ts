/**
 * The Pulumi program: what one stack of SwiftCache is.
 *
 * The command line runs it by way of index.ts (`main` in Pulumi.yaml), the API by way of the Automation
 * API, both with the same stack configuration. So each sees no change after the other, and
 * the policies, applied here as a stack transformation, bind both even where no policy pack is named.
 *
 * A stack is a Redis instance (`kind: instance`) or what a region's instances share (`kind: region`).
 */
import type { Output } from '@pulumi/pulumi';
import { Config } from '@pulumi/pulumi';
import type { Adoption } from './adoption.ts';
import { enforcePolicies } from './policy-transform.ts';
import { RedisInstance } from './redis-instance.ts';
import { Region } from './region.ts';
import { readInstanceSpec, readRegionSpec } from './stack-config.ts';

export type StackOutputs = Record<string, Output<unknown> | string | number>;

/** Declares the resources of the current stack, as its configuration says, and gives its outputs. */
export function buildStack(): StackOutputs {
  return buildStackAround({});
}

/** The same, taking over what exists already. */
export function buildStackAround(adoption: Adoption): StackOutputs {
  enforcePolicies();
  const config = new Config();
  if (config.require('kind') === 'region') {
    const region = new Region('region', readRegionSpec(config), adoption);
    return { network: region.networkName };
  }
  const instance = new RedisInstance('redis', readInstanceSpec(config), adoption);
  return { host: instance.host, port: instance.port, password: instance.password };
}
