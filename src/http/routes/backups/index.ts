import type { Route } from '../../route.ts';
import { createBackupRoute } from './create.ts';
import { deleteBackupRoute } from './delete.ts';
import { downloadBackupRoute } from './download.ts';
import { getBackupRoute } from './get.ts';
import { importBackupRoute } from './import.ts';
import { listBackupsOfInstanceRoute, listBackupsRoute } from './list.ts';
import { restoreRoute } from './restore.ts';

export const backupRoutes: readonly Route[] = [
  createBackupRoute,
  listBackupsOfInstanceRoute,
  importBackupRoute,
  restoreRoute,
  listBackupsRoute,
  getBackupRoute,
  deleteBackupRoute,
  downloadBackupRoute,
];
