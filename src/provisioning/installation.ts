/** What this installation is called, so that two services on one Docker host keep apart. */
import { newId } from '../lib/ids.ts';
import type { Orm } from '../store/database.ts';
import { SettingEntity } from '../store/entities/setting.ts';

const settingName = 'installation';

/** The installation's id, made at the first call. */
export async function ensureInstallationId(orm: Orm): Promise<string> {
  const em = orm.em.fork();
  const found = await em.findOne(SettingEntity, { name: settingName });
  if (found) return found.value;
  const value = newId('swc');
  em.create(SettingEntity, { name: settingName, value });
  await em.flush();
  return value;
}
