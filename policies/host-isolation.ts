import { containerRule, listOf, type ResourceProperties } from './rule.ts';

/** Each of these would let a tenant's process reach the host or another tenant. */
export const hostIsolation = containerRule(
  'host-isolation',
  'No privileged mode, host namespaces, added capabilities, devices, host paths or Docker socket.',
  (properties) => [
    ...(properties.privileged === true ? ['privileged is on: remove it.'] : []),
    ...namespaceProblems(properties),
    ...hostNetworkProblems(properties),
    ...capabilityProblems(properties),
    ...confinementProblems(properties),
    ...(listOf(properties.devices).length > 0 ? ['devices are passed in: remove them.'] : []),
    ...hostPathProblems(properties),
  ],
);

function namespaceProblems(properties: ResourceProperties): string[] {
  return ['networkMode', 'pidMode', 'ipcMode', 'usernsMode'].flatMap((name) => {
    const mode = properties[name];
    const shared = typeof mode === 'string' && (mode === 'host' || mode.startsWith('container:'));
    return shared ? [`${name} is "${mode}": a container keeps its own namespaces.`] : [];
  });
}

function hostNetworkProblems({ networksAdvanced }: ResourceProperties): string[] {
  const joinsHost = listOf(networksAdvanced).some(({ name }) => name === 'host');
  return joinsHost ? ["networksAdvanced names the host's network: use a bridge."] : [];
}

function capabilityProblems({ capabilities }: ResourceProperties): string[] {
  const added = listOf((capabilities as ResourceProperties | undefined)?.adds);
  return added.length > 0 ? [`capabilities are added (${added.join(', ')}): remove them.`] : [];
}

function confinementProblems({ securityOpts }: ResourceProperties): string[] {
  const options: unknown[] = Array.isArray(securityOpts) ? securityOpts : [];
  return options
    .filter((option) => /=unconfined$|^label[=:]disable$/.test(String(option)))
    .map((option) => `securityOpts has ${option}: keep Docker's own profiles.`);
}

function hostPathProblems({ volumes, mounts }: ResourceProperties): string[] {
  const paths = [
    ...listOf(volumes).map((volume) => volume.hostPath),
    ...listOf(mounts).map((mount) => (mount.type === 'bind' ? mount.source : undefined)),
  ];
  return paths
    .filter((path) => path !== undefined && path !== '')
    .map((path) => `the host's ${path} is mounted: use a named volume.`);
}
