/**
 * A door process: the redis:// door on the service's ports, and nothing else. It reads the certificate's files
 * itself; all that it knows of keys it asks the service.
 */
import { createEdge, type EntranceSettings } from './edge/edge.ts';
import { serveBeside } from './processes/process.ts';

/** What a process is started with. */
export interface DoorProcessSettings {
  readonly host: string;
  readonly port: number;
  readonly tlsPort: number | undefined;
  /** Whether others listen on the ports as well. */
  readonly isShared: boolean;
  readonly entrance: EntranceSettings;
}

serveBeside(({ host, port, tlsPort, isShared, entrance }: DoorProcessSettings, given) => {
  const edge = createEdge({ ...given, entrance });
  const place = (number: number) => ({ host, port: { number, fixed: true }, isShared });
  return {
    ...edge,
    async listen() {
      await edge.listen(place(port));
      if (tlsPort !== undefined) await edge.listenTls(place(tlsPort));
    },
  };
});
