import { containerRule, listOf } from './rule.ts';

const loopbackAddresses = ['127.0.0.1', '::1'];

/** Docker publishes past the host's firewall; only the service's own doors face the world. */
export const loopbackPorts = containerRule(
  'loopback-ports',
  'Published ports are bound to a loopback address.',
  ({ ports, publishAllPorts }) => [
    ...(publishAllPorts === true ? ['publishAllPorts is on: publish single ports.'] : []),
    ...listOf(ports)
      .filter(({ ip }) => typeof ip !== 'string' || !loopbackAddresses.includes(ip))
      .map(({ internal, ip }) => {
        return `port ${internal} is published on ${ip ?? 'every address'}: set ip to 127.0.0.1.`;
      }),
  ],
);
