import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { type Adoption, importOption } from './adoption.ts';
import type { RegionSpec } from './stack-config.ts';

/**
 * What the instances of a region share: one bridge network. Containers on it cannot reach each other
 * (no inter-container communication) nor, without masquerading, anything outside; only published ports
 * lead in.
 */
export class Region extends pulumi.ComponentResource {
  readonly networkName: pulumi.Output<string>;

  constructor(name: string, spec: RegionSpec, adoption: Adoption = {}) {
    super('swiftcache:infra:Region', name);
    const network = new docker.Network(
      'network',
      {
        name: spec.network,
        driver: 'bridge',
        options: {
          'com.docker.network.bridge.enable_icc': 'false',
          'com.docker.network.bridge.enable_ip_masquerade': 'false',
        },
        labels: [
          { label: 'swiftcache.installation', value: spec.installationId },
          { label: 'swiftcache.region', value: spec.region },
        ],
      },
      { parent: this, ...importOption(adoption.network) },
    );
    this.networkName = network.name;
    this.registerOutputs({ networkName: this.networkName });
  }
}
