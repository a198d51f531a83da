/**
 * `npm run -s operator:env`: the shell lines that make plain `pulumi` work on this service's stacks.
 *
 * For use with eval. It sets where the state is and what decrypts it (a file's path, never the secret),
 * puts the pinned CLI and Node first on PATH, and wraps `pulumi` so that preview and up run under the
 * policy pack, and so that a run that meets a lock says what to do: Pulumi itself proposes `pulumi cancel`,
 * which takes the lock from whoever is at work.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadConfig, rootDir } from './config.ts';
import { backendEnvironment } from './provisioning/backend-environment.ts';
import { stateFolder } from './provisioning/file-backend.ts';
import { locateProject, prepareProject } from './provisioning/project.ts';

const config = loadConfig();
const project = locateProject(config);
// On a machine where the service never ran; where it does, its file is left alone.
if (!existsSync(join(project.dir, 'Pulumi.yaml'))) prepareProject(config);
const path = [config.pulumi.binDir, dirname(process.execPath)].join(':');

process.stdout.write(`export PATH=${quote(`${path}:`)}"$PATH"
export PULUMI_HOME=${quote(config.pulumi.home)}
${exportAll(backendEnvironment(config.stateBackendUrl))}
export PULUMI_CONFIG_PASSPHRASE_FILE=${quote(config.passphraseFile)}
export PULUMI_SKIP_UPDATE_CHECK=true
export DOCKER_HOST=${quote(config.dockerHost)}
pulumi() {
  case "\${1:-}" in
    preview|up|update) command pulumi -C ${quote(project.dir)} "$@" --policy-pack ${quote(join(rootDir, 'policies'))} ;;
    *) command pulumi -C ${quote(project.dir)} "$@" ;;
  esac
  set -- $?
${lockAdvice(config.stateBackendUrl)}  return "$1"
}
`);

/** Says what to do after a failed command, while there are locks; other backends than files show none. */
function lockAdvice(backendUrl: string): string {
  const root = stateFolder(backendUrl);
  if (!root) return '';
  const locks = join(root, 'locks');
  const advice =
    'A run holds a lock: the service or another shell works on a stack. Wait a few seconds and ' +
    'try again; "pulumi cancel" is only for a run that was killed.';
  return `  if [ "$1" -ne 0 ] && find ${quote(locks)} -name '*.json' 2>/dev/null | grep -q .; then
    echo ${quote(advice)} >&2
  fi
`;
}

function exportAll(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}=${quote(value)}`)
    .join('\n');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
