/**
 * What the Pulumi CLI is told about the state backend, wherever it is started: workers, the reading of
 * states, the service's archive, an operator's shell.
 *
 * PostgreSQL's driver in the CLI has a pool of two connections per processor, and lists a folder over two at
 * once. `pulumi stack ls` does so for many stacks side by side: from as many stacks on as there are
 * connections, each waits for the others for ever. One after the other they do not, and it takes no longer.
 */
export function backendEnvironment(backendUrl: string): Record<string, string> {
  const isPostgres = backendUrl.startsWith('postgres');
  return {
    PULUMI_BACKEND_URL: backendUrl,
    ...(isPostgres && { GOMAXPROCS: '2', PULUMI_DIY_BACKEND_PARALLEL: '1' }),
  };
}
