/** The file in /data that says, by a byte in it, that dump.rdb is a backup to be loaded. */
export const restoreMark = 'restoring';
