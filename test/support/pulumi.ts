/** The operator's way in: `pulumi` in a shell prepared by operator:env, as the README says. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { rootDir } from '../../src/config.ts';
import type { TestService } from './service.ts';

const run = promisify(execFile);

/**
 * Runs `pulumi <command>` as an operator of the service would. @throws when it exits with non-zero.
 * @param root the repository that the service runs from.
 */
export async function runPulumi(
  service: TestService,
  command: string,
  root: string = rootDir,
): Promise<string> {
  const script = `eval "$(npm run -s operator:env)" && pulumi ${command} --non-interactive --color never`;
  const { stdout } = await run('bash', ['-c', script], {
    cwd: root,
    env: { ...process.env, ...service.environment },
  });
  return stdout;
}
