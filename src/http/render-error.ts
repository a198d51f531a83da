/** The one function that turns an error into an answer of the control API (RFC 9457 problem details). */
import { type AppError, toAppError } from '../lib/errors.ts';
import type { HttpContext, HttpServices } from './route.ts';

/** Where this service shows what each code means. */
export const errorDocumentation = '/docs/errors.md';

/** Writes the answer and, for what is our fault, the log line with everything the caller must not see. */
export function renderError(
  context: HttpContext,
  { config, logger }: Pick<HttpServices, 'config' | 'logger'>,
  thrown: unknown,
): void {
  const error = toAppError(thrown);
  const { requestId } = context.state;
  if (error.status >= 500) {
    const cause = error.cause ?? error;
    logger.error({ requestId, code: error.code, detail: error.detail, err: cause }, error.title);
  } else {
    logger.debug({ requestId, code: error.code, detail: error.detail }, error.title);
  }
  context.status = error.status;
  context.set({ ...error.headers });
  context.type = 'application/problem+json';
  context.body = JSON.stringify(describeProblem(error, requestId, config.pathPrefix));
}

function describeProblem(error: AppError, requestId: string, pathPrefix: string): object {
  return {
    type: `${pathPrefix}${errorDocumentation}#${error.code}`,
    title: error.title,
    status: error.status,
    detail: error.message,
    // The product's documents show errors by these words.
    error: error.title,
    code: error.code,
    remedy: error.remedy,
    requestId,
    ...(error.fields.length > 0 && { errors: error.fields }),
    ...(error.limit && { limit: error.limit }),
  };
}
