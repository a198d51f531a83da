/**
 * `npm run account-key [-- NAME]`: makes another account key for the first organization, for an operator
 * on the service's machine whose first key is lost. The key is printed once and is nowhere else.
 */
import { bootstrapOrganization, issueAccountKey } from '../src/accounts/account-keys.ts';
import { loadConfig } from '../src/config.ts';
import { systemClock } from '../src/lib/clock.ts';
import { openDatabase } from '../src/store/database.ts';

const orm = await openDatabase(loadConfig());
const services = { orm, clock: systemClock };
const { organizationId } = await bootstrapOrganization(services, undefined);
const name = process.argv[2] ?? 'made on the command line';
const { secret } = await issueAccountKey(services, { organizationId, name });
await orm.close();
process.stdout.write(`Organization     ${organizationId}\nAccount key      ${secret}\n`);
