/** Where Pulumi's file backend keeps what: the one place that knows its layout. */
import { join } from 'node:path';

const scheme = 'file://';
const project = 'swiftcache';

/** The folder of a file backend; undefined for any other. */
export function stateFolder(backendUrl: string): string | undefined {
  return backendUrl.startsWith(scheme)
    ? join(backendUrl.slice(scheme.length), '.pulumi')
    : undefined;
}

/** What the backend keeps of this project's stacks: `stacks` has a file for each, the others a folder. */
export const stateKinds = ['stacks', 'history', 'backups', 'locks/organization'] as const;
export type StateKind = (typeof stateKinds)[number];

/** This project's part of a kind; another project's lies beside it. @param folder what stateFolder gives. */
export function projectFolder(folder: string, kind: StateKind): string {
  return join(folder, kind, project);
}
