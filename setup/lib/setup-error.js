/** A failure that names its remedy. Every failure set-up foresees is one of these. */
export class SetupError extends Error {
  /**
   * @param {string} message what went wrong, in one line.
   * @param {object} [options]
   * @param {string} [options.remedy] what the reader does next; may have several lines.
   * @param {string} [options.logFile] where the whole story is.
   * @param {string} [options.lastLine] the last thing a failed program said.
   * @param {unknown} [options.cause]
   */
  constructor(message, { remedy, logFile, lastLine, cause } = {}) {
    super(message, { cause });
    this.name = 'SetupError';
    this.remedy = remedy;
    this.logFile = logFile;
    this.lastLine = lastLine;
  }
}
