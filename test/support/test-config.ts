import { type Config, loadConfig } from '../../src/config.ts';

/** A configuration that no variable and no set-up of this machine has a part in. */
export function testConfig(environment: Record<string, string> = {}): Config {
  return loadConfig({
    DOCKER_HOST: 'unix:///nonexistent/docker.sock',
    SWIFTCACHE_REDIS_IMAGE: `sha256:${'a'.repeat(64)}`,
    SWIFTCACHE_INSTANCE_PORTS: '40000-49999',
    ...environment,
  });
}
