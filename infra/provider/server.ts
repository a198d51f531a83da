/**
 * SwiftCache's own Pulumi provider plugin: InstancePassword and RedisSettings.
 *
 * It is a plugin and not a dynamic resource because it starts in less than half the time, can be kept
 * warm between runs, and leaves no code and no captured values in the state. It runs as a child of the
 * Pulumi CLI, prints its port and serves until its parent ends it.
 */
import { main } from '@pulumi/pulumi/provider/index.js';
import { SwiftCacheProvider } from './provider.ts';

await main(new SwiftCacheProvider(), process.argv.slice(2));
