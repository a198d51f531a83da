import * as docker from '@pulumi/docker';
import * as pulumi from '@pulumi/pulumi';
import { type Adoption, importOption } from './adoption.ts';
import { redisStartCommand } from './redis-command.ts';
import { InstancePassword, RedisSettings } from './redis-settings.ts';
import { resourceName } from './resource-name.ts';
import { containerMemoryMib } from './sizing.ts';
import type { InstanceSpec } from './stack-config.ts';

const redisUser = '999:999';
const loopback = '127.0.0.1';

/**
 * One Redis instance: a named volume, a hardened container, and the settings that Redis changes live.
 *
 * What may change in place stays out of the container's definition: memory settings and persistence go
 * through RedisSettings, so that a resize replaces nothing. The container's own memory limit is the one
 * property that Docker updates in place.
 */
export class RedisInstance extends pulumi.ComponentResource {
  readonly host: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
  readonly password: pulumi.Output<string>;

  constructor(name: string, spec: InstanceSpec, adoption: Adoption = {}) {
    super('swiftcache:infra:RedisInstance', name);
    const volume = this.createVolume(spec, adoption);
    const password = this.createPassword(adoption);
    const container = this.createContainer(spec, volume, password);
    const settings = this.createSettings(spec, container, password);

    this.host = settings.host;
    this.port = settings.port;
    this.password = password.value;
    this.registerOutputs({ host: this.host, port: this.port, password: this.password });
  }

  private createVolume(spec: InstanceSpec, adoption: Adoption): docker.Volume {
    return new docker.Volume(
      'data',
      { name: resourceName(spec.instanceId), labels: labelsOf(spec) },
      { parent: this, ...importOption(adoption.volume) },
    );
  }

  private createPassword({ password }: Adoption): InstancePassword {
    const args = password === undefined ? {} : { value: pulumi.secret(password) };
    return new InstancePassword('password', args, { parent: this });
  }

  private createContainer(
    spec: InstanceSpec,
    volume: docker.Volume,
    password: InstancePassword,
  ): docker.Container {
    const memoryMib = containerMemoryMib(spec.maxMemoryBytes, spec.persistence);
    return new docker.Container(
      'redis',
      {
        name: resourceName(spec.instanceId),
        image: spec.image,
        command: redisStartCommand(password.sha256),
        user: redisUser,
        labels: labelsOf(spec),
        memory: memoryMib,
        // Equal to memory, so there is no swap; left out, every preview shows a change.
        memorySwap: memoryMib,
        readOnly: true,
        tmpfs: { '/tmp': 'rw,noexec,nosuid,nodev,size=16m' },
        capabilities: { drops: ['ALL'] },
        securityOpts: ['no-new-privileges:true'],
        networksAdvanced: [{ name: spec.network }],
        ports: [{ internal: 6379, external: spec.port, ip: loopback, protocol: 'tcp' }],
        volumes: [{ containerPath: '/data', volumeName: resourceName(spec.instanceId) }],
        // The provider's default removes volumes with the container and kills at once.
        removeVolumes: false,
        destroyGraceSeconds: 30,
        restart: 'unless-stopped',
        // Else a refresh would take a stopped container for a lost one.
        mustRun: spec.running,
        logDriver: 'json-file',
        logOpts: { 'max-size': '10m', 'max-file': '3' },
        healthcheck: {
          // Any answer, NOAUTH included, shows that Redis serves; no answer exits with 1.
          tests: ['CMD', 'redis-cli', 'ping'],
          interval: '30s',
          timeout: '5s',
          retries: 3,
        },
      },
      // The volume is named by value, so that the policies can judge it; hence the order is said here.
      // Two containers cannot have one name, also where an operator asks for another by --replace.
      { parent: this, dependsOn: [volume], deleteBeforeReplace: true },
    );
  }

  private createSettings(
    spec: InstanceSpec,
    container: docker.Container,
    password: InstancePassword,
  ): RedisSettings {
    return new RedisSettings(
      'settings',
      {
        containerId: container.id,
        host: loopback,
        port: spec.port,
        password: password.value,
        maxMemoryBytes: spec.maxMemoryBytes,
        evictionPolicy: spec.evictionPolicy,
        persistence: spec.persistence,
      },
      { parent: this },
    );
  }
}

function labelsOf(spec: InstanceSpec): { label: string; value: string }[] {
  return [
    { label: 'swiftcache.installation', value: spec.installationId },
    { label: 'swiftcache.instance', value: spec.instanceId },
    { label: 'swiftcache.region', value: spec.region },
  ];
}
