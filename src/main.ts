/** The process: load the configuration, start the service, say what to do next, stop cleanly. */
import { loadConfig } from './config.ts';
import { createLogger } from './lib/logger.ts';
import { startService } from './service.ts';
import { welcomeText } from './welcome.ts';

/** Longer than any orderly stop; then the process ends all the same. */
const stopTimeoutMs = 30_000;

// Databases, state and configuration are the service's own: nobody else on the machine reads them.
process.umask(0o077);

try {
  const config = loadConfig();
  const logger = createLogger(config.logLevel);
  const service = await startService(config, logger);
  process.stdout.write(welcomeText(service, process.stdout.isTTY));
  stopOnSignal(async () => {
    process.stdout.write('\nStopping; instances keep running. Ctrl-C again to stop at once.\n');
    await service.stop();
  });
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`\nSwiftCache did not start: ${text}\n`);
  process.exit(1);
}

/** The first signal stops in order; a second one, or a stop that hangs, ends the process. */
function stopOnSignal(stop: () => Promise<void>): void {
  let stopping = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      setTimeout(() => process.exit(1), stopTimeoutMs).unref();
      stop().then(
        () => process.exit(0),
        (error) => {
          process.stderr.write(`the stop was not clean: ${String(error)}\n`);
          process.exit(1);
        },
      );
    });
  }
}
