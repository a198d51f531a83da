/** The name of both the container and the volume of an instance on the Docker host. */
export function resourceName(instanceId: string): string {
  return `swiftcache-${instanceId}`;
}
