/** The times of a hold on a row: renewed every `heartbeatMs`, free for anybody after `leaseMs` without. */
export const heartbeatMs = 10_000;
export const leaseMs = 45_000;
