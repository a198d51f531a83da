/** What the service and its provisioning workers say to each other over the fork's channel. */

/** What every stack run needs to know; no secret and no database address among it. */
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
      /** True once the instance has run: what is in its volume is somebody's data. */
      readonly hasData: boolean;
    }
  | {
      readonly kind: 'destroy';
      readonly stack: string;
      readonly recover: boolean;
      readonly hasData: false;
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
  | { readonly type: 'job'; readonly job: Job };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'phase'; readonly phase: Phase }
  | {
      readonly type: 'done';
      readonly outputs: StackOutputs;
      readonly timingsMs: Record<string, number>;
    }
  | { readonly type: 'failed'; readonly failure: RunFailure };
