/**
 * `npm run -s redis-ca [-- NAME …]`: makes a certificate for the redis:// door from an authority of one's
 * own, and prints how the service and its clients are told of it. The authority is made at the first run and
 * kept; each run makes a new certificate, which a running service takes over by itself. NAMEs are host names
 * and addresses besides those that the configuration speaks of.
 */
import { isIP } from 'node:net';
import { loadConfigWith } from '../src/config.ts';
import { instanceHostname } from '../src/instances/host-names.ts';
import { makePrivateTls, type PrivateTls } from '../src/private-tls.ts';

/** Settings that need a certificate, e.g. a port for TLS, may be there before it is: it is made here. */
const certificate = {
  SWIFTCACHE_REDIS_TLS_CERT_FILE: 'made here',
  SWIFTCACHE_REDIS_TLS_KEY_FILE: 'made here',
};

const namePattern =
  /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

try {
  const more = process.argv.slice(2);
  const wrong = more.filter((name) => isIP(name) === 0 && !namePattern.test(name));
  if (wrong.length > 0) throw new Error(`no host name or address: ${wrong.join(', ')}`);
  const config = loadConfigWith(certificate);
  const made = await makePrivateTls(config, { more, now: new Date() });
  const { domain, tlsPort } = config.door;
  const host = domain ? instanceHostname('inst_…', domain) : config.publicHost;
  process.stdout.write(describe(made, { host, port: tlsPort?.number ?? 6380 }));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function describe(made: PrivateTls, { host, port }: { host: string; port: number }): string {
  const { caFile, certFile, keyFile, names, isNewAuthority, authorityEndsAt, endsAt } = made;
  const url = `rediss://:KEY@${host}:${port}`;
  const ca = `ca: readFileSync('${caFile}')`;
  // Clients for Node send no server name by themselves; an address is none.
  const options = isIP(host) ? ca : `${ca}, servername: '${host}'`;
  const sni = isIP(host) ? '' : ` --sni ${host}`;
  const checked = isIP(host)
    ? `-verify_ip ${host}`
    : `-servername ${host} -verify_hostname ${host}`;
  return `
Authority     ${caFile} (${isNewAuthority ? 'made now' : 'kept'}, until ${dayOf(authorityEndsAt)})
Certificate   ${certFile} (made now, until ${dayOf(endsAt)})
For           ${names.join(', ')}

Tell the service, once; later certificates it takes over within seconds, without a restart:
export SWIFTCACHE_REDIS_TLS_CERT_FILE=${certFile}
export SWIFTCACHE_REDIS_TLS_KEY_FILE=${keyFile}

Give clients ${caFile} and nothing else of that folder. Then, with the data key for KEY:
redis-cli     redis-cli -u ${url}${sni} --cacert ${caFile} ping
node-redis    createClient({ url: '${url}', socket: { ${options} } })
ioredis       new Redis('${url}', { tls: { ${options} } })
redis-py      redis.from_url('${url}', ssl_ca_certs='${caFile}')
any Node      NODE_EXTRA_CA_CERTS=${caFile} node …
openssl       openssl s_client -connect ${host}:${port} ${checked} -CAfile ${caFile} -verify_return_error
`;
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
