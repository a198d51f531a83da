/** What the service and its provisioning workers say to each other over the fork's channel. */

/** What every stack run needs to know; no secret among it but those in the state backend's address. */
export interface WorkerSettings {
  readonly projectDir: string;
  readonly stacksDir: string;
  readonly backendUrl: string;
  readonly passphraseFile: string;
  readonly pulumiHome: string;
  readonly pulumiBinDir: string;
  readonly dockerHost: string;
}

/** The stack configuration values, keys with their namespace. */
export type StackValues = Readonly<Record<string, string | number | boolean>>;

export type Job =
  | {
      readonly kind: 'apply';
      readonly stack: string;
      readonly values: StackValues;
      /** True when nothing of this stack can exist yet: then it is made without looking first. */
      readonly fresh: boolean;
      /** True after a run whose end nobody saw: then locks and half-made things are put right first. */
      readonly recover: boolean;
      /** The print of the stack's configuration that the values build on; any, where it is not given. */
      readonly configSeen?: string;
      /** True once the instance has run: what is in its volume is somebody's data. */
      readonly hasData: boolean;
      /** The platform's password of an instance that has run, for a stack that must be made anew. */
      readonly password?: string;
    }
  | {
      readonly kind: 'destroy';
      readonly stack: string;
      readonly recover: boolean;
      readonly hasData: false;
      /** True after several tries in vain: then the stack is forgotten, for its things go by label. */
      readonly forget: boolean;
    }
  /** Tells what an apply of these values would change; nothing is changed or written. */
  | {
      readonly kind: 'preview';
      readonly stack: string;
      readonly values: StackValues;
      readonly recover: false;
      readonly hasData: true;
    };

/** Named parts of a run, for the operation's steps. */
export type Phase =
  | 'prepare'
  | 'recover'
  | 'volume'
  | 'container'
  | 'settings'
  | 'finish'
  | 'destroy';

export type StackOutputs = Readonly<Record<string, unknown>>;

/** A failed run: what Pulumi said, for classification and the log; never for a user. */
export interface RunFailure {
  readonly diagnostics: readonly string[];
  readonly timedOut: boolean;
}

export type ToWorker =
  | { readonly type: 'settings'; readonly settings: WorkerSettings }
  | { readonly type: 'job'; readonly job: Job }
  /** The answer to `ask`. */
  | { readonly type: 'leave'; readonly isGiven: boolean };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'phase'; readonly phase: Phase }
  /** The run goes on; it may be silent for so long until its next sign. */
  | { readonly type: 'progress'; readonly silenceMs: number }
  /** May the run begin to change things? Asked right before each command that does. */
  | { readonly type: 'ask' }
  | {
      readonly type: 'done';
      readonly outputs: StackOutputs;
      readonly timingsMs: Record<string, number>;
    }
  | { readonly type: 'failed'; readonly failure: RunFailure };
