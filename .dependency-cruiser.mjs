/** The directions of ARCHITECTURE.md as rules; each says why it is there. */
const layer = (name, comment, from, to) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from },
  to: { path: to },
});

export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'A cycle has no first file to read. Move the shared part below both.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'surfaces-apart',
      comment:
        'The API, the gateway and the door can run in different processes: what two of them need belongs below them.',
      severity: 'error',
      from: { path: '^src/(http|gateway|edge)/' },
      to: { path: '^src/(http|gateway|edge)/', pathNot: '^src/$1/' },
    },
    layer(
      'no-upward-from-store',
      'The store knows rows, not what they are used for.',
      '^src/store/',
      '^src/(?!store/|lib/|config\\.ts)',
    ),
    layer(
      'door-without-database',
      'A door process has no database: what is known of keys comes through src/keys/ports.ts.',
      '^src/(edge|processes)/',
      '^src/(store/|keys/database-ports\\.ts)',
    ),
    layer('lib-is-the-bottom', 'lib knows nothing of the product.', '^src/lib/', '^src/(?!lib/)'),
    layer(
      'duties-know-no-work',
      'Duties say who works; what the work is, service-duties.ts tells them.',
      '^src/duties/',
      '^src/(?!duties/|store/|lib/)',
    ),
    layer(
      'use-cases-below-surfaces',
      'Use cases serve every surface, so they know none, and they reach provisioning through a port.',
      '^src/(instances|backups|keys|accounts|audit|metrics)/',
      '^src/(http|gateway|edge|provisioning)/',
    ),
    layer(
      'pulumi-only-in-provisioning',
      'Pulumi installs process-wide handlers: it stays in the worker and the program.',
      '^src/(?!provisioning/)',
      '^(infra/|node_modules/@pulumi/)',
    ),
    {
      name: 'service-without-pulumi',
      comment:
        'The service loads it by no detour either: it would cost 65 MiB and a second at the start.',
      severity: 'error',
      from: { path: '^src/main\\.ts$' },
      to: { path: '^node_modules/@pulumi/', reachable: true },
    },
    layer('infra-stands-alone', 'Operators run infra without the service.', '^infra/', '^src/'),
    layer(
      'policies-know-no-product',
      'Rules are pure functions of a resource; the sizes they measure by come from infra/sizing.ts.',
      '^policies/',
      '^(src/|infra/(?!sizing\\.ts))',
    ),
    layer(
      'nothing-imports-tests',
      'Tests are leaves.',
      '^(src|infra|policies|bench|scripts|setup|clients)/',
      '^test/',
    ),
    layer(
      'clients-stand-alone',
      'Clients are copied into other programs: they know the API and nothing of the service.',
      '^clients/',
      '^(src|infra|policies|scripts|setup|bench)/',
    ),
    {
      name: 'rules-only-in-transform-and-pack',
      comment: 'The rules bind through these two places; a third would be a way around them.',
      severity: 'error',
      from: { path: '^(src|infra)/', pathNot: '^infra/policy-transform\\.ts$' },
      to: { path: '^policies/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.json'] },
  },
};
