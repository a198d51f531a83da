/**
 * `npm run -s operator:env`: the shell lines that make plain `pulumi` work on this service's stacks.
 *
 * For use with eval. It sets where the state is and what decrypts it (a file's path, never the secret),
 * puts the pinned CLI and Node first on PATH, and wraps `pulumi` so that preview and up run under the
 * policy pack.
 */
import { dirname, join } from 'node:path';
import { loadConfig, rootDir } from './config.ts';
import { locateProject } from './provisioning/project.ts';

const config = loadConfig();
const project = locateProject(config);
const path = [config.pulumi.binDir, dirname(process.execPath)].join(':');

process.stdout.write(`export PATH=${quote(`${path}:`)}"$PATH"
export PULUMI_HOME=${quote(config.pulumi.home)}
export PULUMI_BACKEND_URL=${quote(config.stateBackendUrl)}
export PULUMI_CONFIG_PASSPHRASE_FILE=${quote(config.passphraseFile)}
export PULUMI_SKIP_UPDATE_CHECK=true
export DOCKER_HOST=${quote(config.dockerHost)}
pulumi() {
  case "\${1:-}" in
    preview|up|update) command pulumi -C ${quote(project.dir)} "$@" --policy-pack ${quote(join(rootDir, 'policies'))} ;;
    *) command pulumi -C ${quote(project.dir)} "$@" ;;
  esac
}
`);

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
