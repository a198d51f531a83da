/** Preloaded (`node --import`), prints the address of every module that its process resolves, one a line. */
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    process.stdout.write(`${resolved.url}\n`);
    return resolved;
  },
});
