import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import test from 'ava';
import { deadlines } from '../../../src/provisioning/deadlines.ts';
import { connectDocker, requireDocker } from '../../../src/provisioning/docker.ts';
import { explainFailure } from '../../../src/provisioning/failures.ts';
import { temporaryFolder } from '../../support/folders.ts';

test('a Docker that stands still is out of reach within seconds', async (t) => {
  const socket = join(temporaryFolder(t), 'docker.sock');
  const frozen = createServer(() => {}).listen(socket);
  await once(frozen, 'listening');
  t.teardown(() => {
    frozen.closeAllConnections();
    frozen.close();
  });
  const beganMs = performance.now();
  const error = await t.throwsAsync(requireDocker(connectDocker(`unix://${socket}`)));
  t.true(performance.now() - beganMs < deadlines.dockerPingMs + 3_000);
  const cause = explainFailure({ diagnostics: [String(error)], timedOut: false });
  t.like(cause, { code: 'docker_unreachable', transient: true });
});
