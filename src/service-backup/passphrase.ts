/** The passphrase of an archive: from a file that nobody else can read, or typed; never an argument. */
import { readFileSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

const lengthMin = 12;

/**
 * Reads the passphrase.
 * @param file its file; where none is given, it is asked for at the terminal.
 * @param isNew asks twice, and refuses one that is short.
 * @throws where there is neither, or the file is open to others.
 */
export async function readPassphrase(file: string | undefined, isNew: boolean): Promise<string> {
  const passphrase = file === undefined ? await askPassphrase(isNew) : readPassphraseFile(file);
  if (isNew && passphrase.length < lengthMin) {
    throw new Error(`The passphrase needs ${lengthMin} characters or more.`);
  }
  return passphrase;
}

function readPassphraseFile(file: string): string {
  if ((statSync(file).mode & 0o077) !== 0) {
    throw new Error(`${file} can be read by others: chmod 600 ${file}`);
  }
  return readFileSync(file, 'utf8').trim();
}

async function askPassphrase(isNew: boolean): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new Error('There is no terminal to ask for the passphrase: give --passphrase-file FILE.');
  }
  const passphrase = await ask('Passphrase of the archive: ');
  if (isNew && (await ask('Once more: ')) !== passphrase)
    throw new Error('The two are not the same.');
  return passphrase;
}

async function ask(question: string): Promise<string> {
  process.stderr.write(question);
  // What is typed is shown nowhere.
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  try {
    return (await terminal.question('')).trim();
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
