import { newId } from '../../../src/lib/ids.ts';
import { password } from '../people.ts';
import { type Row, type Statuses, statusesForAll, statusesFrom } from './row.ts';

const auth = '/api/v1/auth';
const organizations = '/api/v1/organizations';
const keys = '/api/v1/account-keys';

/** An organization's key is no person, whatever its role. */
function statusesForPerson(status: number): Statuses {
  return { ...statusesForAll(403), nobody: 401, person: status };
}

const sessionRows: Record<string, Row> = {
  'post /api/v1/auth/sign-up': {
    path: () => `${auth}/sign-up`,
    body: () => ({ email: `${newId('user')}@example.com`, password, name: 'Ada' }),
    statuses: statusesForAll(201),
  },
  'post /api/v1/auth/log-in': {
    path: () => `${auth}/log-in`,
    body: ({ member }) => ({ email: member.email, password }),
    statuses: statusesForAll(200),
  },
  'post /api/v1/auth/log-out': { path: () => `${auth}/log-out`, statuses: statusesForAll(204) },
  'get /api/v1/auth/session': { path: () => `${auth}/session`, statuses: statusesForPerson(200) },
  'post /api/v1/auth/password': {
    path: () => `${auth}/password`,
    body: () => ({ currentPassword: password, newPassword: `${password} staple` }),
    statuses: statusesForPerson(204),
  },
};

const organizationRows: Record<string, Row> = {
  'get /api/v1/organizations': {
    path: () => organizations,
    statuses: { ...statusesForAll(200), nobody: 401 },
  },
  'post /api/v1/organizations': {
    path: () => organizations,
    body: () => ({ name: 'another' }),
    statuses: statusesForPerson(201),
  },
  'get /api/v1/organizations/:organizationId': {
    path: ({ organizationId }) => `${organizations}/${organizationId}`,
    statuses: statusesFrom('viewer', 200),
  },
  'patch /api/v1/organizations/:organizationId': {
    path: ({ organizationId }) => `${organizations}/${organizationId}`,
    body: () => ({ name: 'renamed' }),
    statuses: statusesFrom('admin', 200),
  },
  'delete /api/v1/organizations/:organizationId': {
    path: ({ organizationId }) => `${organizations}/${organizationId}`,
    // It still has the instances that the other rows are about.
    statuses: statusesFrom('owner', 409),
  },
  'get /api/v1/organizations/:organizationId/members': {
    path: ({ organizationId }) => `${organizations}/${organizationId}/members`,
    statuses: statusesFrom('viewer', 200),
  },
  'patch /api/v1/organizations/:organizationId/members/:userId': {
    path: ({ organizationId, member }) =>
      `${organizations}/${organizationId}/members/${member.userId}`,
    body: () => ({ role: 'viewer' }),
    statuses: statusesFrom('admin', 200),
  },
  'delete /api/v1/organizations/:organizationId/members/:userId': {
    path: ({ organizationId, member }) =>
      `${organizations}/${organizationId}/members/${member.userId}`,
    statuses: statusesFrom('admin', 204),
  },
};

const invitationRows: Record<string, Row> = {
  'post /api/v1/organizations/:organizationId/invitations': {
    path: ({ organizationId }) => `${organizations}/${organizationId}/invitations`,
    body: () => ({ role: 'developer' }),
    statuses: statusesFrom('admin', 201),
  },
  'get /api/v1/organizations/:organizationId/invitations': {
    path: ({ organizationId }) => `${organizations}/${organizationId}/invitations`,
    statuses: statusesFrom('admin', 200),
  },
  'delete /api/v1/organizations/:organizationId/invitations/:invitationId': {
    path: ({ organizationId, invitation }) =>
      `${organizations}/${organizationId}/invitations/${invitation.id}`,
    statuses: statusesFrom('admin', 204),
  },
  'post /api/v1/invitations/accept': {
    path: () => '/api/v1/invitations/accept',
    body: ({ invitation }) => ({ secret: invitation.secret }),
    statuses: statusesForPerson(200),
  },
};

const keyRows: Record<string, Row> = {
  'post /api/v1/account-keys': {
    path: () => keys,
    body: ({ organizationId }) => ({ organizationId, name: 'deploy', role: 'developer' }),
    statuses: statusesFrom('admin', 201),
  },
  'get /api/v1/account-keys': {
    path: ({ organizationId }) => `${keys}?organizationId=${organizationId}`,
    statuses: statusesFrom('admin', 200),
  },
  'get /api/v1/account-keys/:accountKeyId': {
    path: ({ accountKeyId }) => `${keys}/${accountKeyId}`,
    statuses: statusesFrom('admin', 200),
  },
  'patch /api/v1/account-keys/:accountKeyId': {
    path: ({ accountKeyId }) => `${keys}/${accountKeyId}`,
    body: () => ({ name: 'renamed' }),
    statuses: statusesFrom('admin', 200),
  },
  'delete /api/v1/account-keys/:accountKeyId': {
    path: ({ accountKeyId }) => `${keys}/${accountKeyId}`,
    statuses: statusesFrom('admin', 204),
  },
};

export const accountRows: Record<string, Row> = {
  ...sessionRows,
  ...organizationRows,
  ...invitationRows,
  ...keyRows,
  'get /api/v1/audit': {
    path: ({ organizationId }) => `/api/v1/audit?organizationId=${organizationId}`,
    statuses: statusesFrom('admin', 200),
  },
};
