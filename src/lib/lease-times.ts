/** The times of a hold on a row: renewed every `heartbeatMs`, free for anybody after `leaseMs` without. */
export const heartbeatMs = 10_000;
export const leaseMs = 45_000;
/** Further ahead than a hold or a wait is ever put: such a time was written before the clock was set back. */
export const aheadMaxMs = 120_000;
