/** What the use cases of instances and keys need; service.ts wires it. */
import type { Config } from '../config.ts';
import type { Clock } from '../lib/clock.ts';
import type { Orm } from '../store/database.ts';
import type { Instance } from '../store/entities/instance.ts';

/** The port to provisioning: use cases say what changed, nothing more. */
export interface Provisioner {
  /** Says that an instance's wanted state has changed; returns at once. */
  wake(): void;
}

/** The port to the Docker hosts: what instances take there, and what there is. */
export interface HostCapacity {
  /** The memory in MiB that an instance can come to use: its container's limit. */
  containerMib(maxMemoryBytes: number, persistence: boolean): number;
  /** The memory in MiB that a region's instances may use together. */
  regionMib(region: string): Promise<number>;
}

/** The port to the instances' own Redis, as the platform's user. */
export interface InstanceRuntime {
  /**
   * The memory of an instance's data in bytes, as maxmemory counts it.
   * @throws {AppError} `instance_unreachable`.
   */
  readUsedMemory(instance: Instance): Promise<number>;
}

/** The port to what holds access open: Redis's own users, the gateway and the door. */
export interface AccessControl {
  /**
   * Makes the given instances' ACL users those of the database and drops what removed keys held open.
   * To be called after the transaction that changed keys or bindings. Resolves when it is in force, or
   * after a bounded time: an instance that does not answer is mended by the sweep when it does.
   */
  enforce(instanceIds: readonly string[]): Promise<void>;
  /**
   * Forgets a key that was changed, unbound or removed, on every surface at once: what is known of it, and
   * the connections it holds (to one instance, where one is named).
   */
  forgetKey(keyId: string, instanceId?: string): void;
}

/** What JSON can say. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };

/** What a stack run would do to one resource. */
export interface PlannedChange {
  /** The resource's name in the stack, e.g. `redis` (the container) or `settings`. */
  readonly resource: string;
  readonly type: string;
  readonly action: string;
  readonly properties: { readonly name: string; readonly from: Json; readonly to: Json }[];
}

/** The port to Pulumi's preview. */
export interface Previewer {
  /** What Pulumi would change to make the instance as given, without doing it. @throws {AppError} */
  preview(wanted: Instance): Promise<PlannedChange[]>;
}

export interface InstanceServices {
  readonly orm: Orm;
  readonly clock: Clock;
  readonly config: Config;
  readonly provisioner: Provisioner;
  readonly capacity: HostCapacity;
  readonly runtime: InstanceRuntime;
  readonly access: AccessControl;
  readonly previewer: Previewer;
}
