/**
 * `npm run -s fleet:upgrade [-- --to IMAGE] [--only inst_…,inst_…] [--dry-run]`: takes the instances of
 * this service to another Redis image, one at a time, beside the running service. It stops at the first
 * that does not come to answer, which is back on its old image by then. Run again, it goes on; with
 * `--to OLD_IMAGE` it goes back.
 */
import { parseArgs } from 'node:util';
import { loadPolicyContext } from '../policies/context.ts';
import { pinnedImage } from '../policies/pinned-image.ts';
import { containerType } from '../policies/rule.ts';
import { type Config, loadConfig } from '../src/config.ts';
import { prepareDataDirectory } from '../src/data-directory.ts';
import { requireRegion } from '../src/instances/regions.ts';
import {
  type FleetMember,
  type FleetServices,
  planFleet,
  upgradeMember,
} from '../src/instances/upgrade-fleet.ts';
import { shortImage } from '../src/instances/upgrade-instance.ts';
import { systemClock } from '../src/lib/clock.ts';
import { createSealer } from '../src/lib/crypto.ts';
import { connectDocker } from '../src/provisioning/docker.ts';
import { createInstanceRuntime } from '../src/provisioning/ports.ts';
import { openDatabase } from '../src/store/database.ts';

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      to: { type: 'string' },
      only: { type: 'string' },
      'dry-run': { type: 'boolean', default: false },
    },
  });
  const config = loadConfig();
  const image = values.to ?? config.redisImage;
  const orm = await openDatabase(config);
  try {
    const only = values.only?.split(',').map((id) => id.trim());
    const fleet = await planFleet(orm, image, only);
    await requireUsable(config, image, fleet);
    say(`To ${image}`);
    for (const member of fleet) say(describe(member));
    if (values['dry-run']) return;
    const { masterKey } = prepareDataDirectory(config);
    const runtime = createInstanceRuntime(createSealer(masterKey));
    // The service looks at the database every second; nothing here can wake it sooner.
    const provisioner = { wake: () => {} };
    await upgrade({ orm, clock: systemClock, config, provisioner, runtime }, fleet, image);
  } finally {
    await orm.close();
  }
}

/** One after another; the first failure ends it, with a line that names the instance. */
async function upgrade(
  services: FleetServices,
  fleet: readonly FleetMember[],
  image: string,
): Promise<void> {
  const due = fleet.filter(({ leftBecause }) => leftBecause === undefined);
  let upgraded = 0;
  for (const [index, member] of due.entries()) {
    const { id } = member.instance;
    const place = `${index + 1}/${due.length}  ${id}`;
    say(`${place}  upgrading`);
    const startedMs = performance.now();
    try {
      const left = await upgradeMember(services, member, image);
      if (left !== undefined) {
        say(`${place}  left: ${left}`);
        continue;
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const left = due.length - index - 1;
      throw new Error(
        `${place}  failed: ${reason}\nStopped; ${left} not begun, ${upgraded} upgraded.`,
      );
    }
    upgraded += 1;
    say(`${place}  answers after ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  }
  say(`Done: ${upgraded} upgraded, ${fleet.length - upgraded} left as they are.`);
}

function describe({ instance, leftBecause }: FleetMember): string {
  const { id, name, maxMemoryBytes, persistence, image } = instance;
  const size = `${Math.round(maxMemoryBytes / (1024 * 1024))} MiB`;
  const data = persistence ? 'keeps its data' : 'loses its data (no persistence)';
  const outcome = leftBecause === undefined ? data : `left: ${leftBecause}`;
  return `  ${id}  ${shortImage(image)}  ${size.padStart(9)}  ${outcome}  ${name}`;
}

/**
 * Before anything is touched: policies allow the image and, for the way back, those that are in use, and
 * the new one is on every Docker host concerned. @throws with what to do.
 */
async function requireUsable(
  config: Config,
  image: string,
  fleet: readonly FleetMember[],
): Promise<void> {
  const context = loadPolicyContext();
  const due = fleet.flatMap((member) =>
    member.leftBecause === undefined ? [member.instance] : [],
  );
  const images = new Set([image, ...due.map((instance) => instance.appliedImage ?? image)]);
  for (const reference of images) {
    const [problem] = pinnedImage.check(containerType, { image: reference }, context);
    if (!problem) continue;
    const use = reference === image ? 'the image to take' : 'an image in use, hence the way back';
    throw new Error(`Policies refuse ${use}: ${problem} See policies/allowed-images.json.`);
  }
  for (const region of new Set(due.map((instance) => instance.region))) {
    const docker = connectDocker(requireRegion(config, region).dockerHost);
    const isThere = await docker
      .getImage(image)
      .inspect()
      .then(
        () => true,
        (error: { statusCode?: number }) => {
          if (error.statusCode === 404) return false;
          throw error;
        },
      );
    if (!isThere) {
      throw new Error(`${image} is not on the Docker host of ${region}: pull or load it first.`);
    }
  }
}
