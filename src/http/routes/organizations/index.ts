import type { Route } from '../../route.ts';
import { createRoute } from './create.ts';
import { deleteRoute } from './delete.ts';
import { deleteMemberRoute } from './delete-member.ts';
import { getRoute } from './get.ts';
import { listRoute } from './list.ts';
import { listMembersRoute } from './list-members.ts';
import { updateRoute } from './update.ts';
import { updateMemberRoute } from './update-member.ts';

export const organizationRoutes: readonly Route[] = [
  listRoute,
  createRoute,
  getRoute,
  updateRoute,
  deleteRoute,
  listMembersRoute,
  updateMemberRoute,
  deleteMemberRoute,
];
