/** What Redis is told live: the parameters of CONFIG SET that an instance's settings come down to. */

interface LiveSettings {
  readonly maxMemoryBytes: number;
  readonly evictionPolicy: string;
  readonly persistence: boolean;
}

/** The parameters with their values, as CONFIG GET gives them back. */
export function liveParameters(settings: LiveSettings): Readonly<Record<string, string>> {
  return {
    maxmemory: String(settings.maxMemoryBytes),
    'maxmemory-policy': settings.evictionPolicy,
    appendonly: settings.persistence ? 'yes' : 'no',
    appendfsync: 'everysec',
    save: settings.persistence ? '3600 1 300 100 60 10000' : '',
  };
}
