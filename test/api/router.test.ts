/** What holds for every route: a handler acts for what its caller may do now, and a path has its letters. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { AccountKeyEntity } from '../../src/store/entities/account-key.ts';
import { InstanceEntity } from '../../src/store/entities/instance.ts';
import { MembershipEntity } from '../../src/store/entities/membership.ts';
import { type Api, newInstance, startApi } from '../support/api.ts';
import { testOnEachDatabase } from '../support/databases.ts';
import { addAccountKey, addPerson } from '../support/people.ts';
import { isProblem } from '../support/problems.ts';

const instances = '/api/v1/instances';

/** Sends the headers of a create, does something, and only then sends the body. */
async function createSlowly(
  { url, owner }: Api,
  key: string,
  meanwhile: () => Promise<unknown>,
): Promise<{ status: number; code: string | undefined }> {
  const { hostname, port, host } = new URL(url);
  const body = JSON.stringify(newInstance(owner));
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  const head = [
    `POST ${instances} HTTP/1.1`,
    `Host: ${host}`,
    `Authorization: Bearer ${key}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  // The caller is known by then, and what was known is old enough.
  await delay(400);
  await meanwhile();
  socket.write(body);
  await once(socket, 'close');
  const text = Buffer.concat(chunks).toString();
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
  return { status, code: /"code":"(\w+)"/.exec(text)?.[1] };
}

testOnEachDatabase('a key removed while a body arrives makes nothing', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const { id, secret } = await addAccountKey(orm, { organizationId, role: 'owner' });
  const answer = await createSlowly(api, secret, () =>
    orm.em.fork().nativeDelete(AccountKeyEntity, { id }),
  );
  t.deepEqual(answer, { status: 401, code: 'invalid_authentication_token' });
  t.is(await orm.em.fork().count(InstanceEntity), 0);
});

testOnEachDatabase('a role taken while a body arrives is not used', async (t, orm) => {
  const api = await startApi(t, orm);
  const { organizationId } = api.owner;
  const { userId } = await addPerson(orm, { [organizationId]: 'developer' });
  const { secret } = await addAccountKey(orm, { userId, role: 'owner' });
  const whose = { organizationId, userId };
  const lesser = () => orm.em.fork().nativeUpdate(MembershipEntity, whose, { role: 'viewer' });
  t.deepEqual(await createSlowly(api, secret, lesser), { status: 403, code: 'forbidden' });
  const removed = () => orm.em.fork().nativeDelete(MembershipEntity, whose);
  t.deepEqual(await createSlowly(api, secret, removed), { status: 404, code: 'not_found' });
  t.is(await orm.em.fork().count(InstanceEntity), 0);
});

testOnEachDatabase('a body that takes its time is taken where nothing changed', async (t, orm) => {
  const api = await startApi(t, orm);
  const { status } = await createSlowly(api, api.owner.secret, async () => {});
  t.is(status, 201);
});

testOnEachDatabase('a path in other letters is no path', async (t, orm) => {
  const api = await startApi(t, orm);
  for (const path of ['/API/v1/instances/regions', '/api/V1/instances/regions']) {
    isProblem(t, await api.own('get', path), 'route_not_found');
  }
});
