/** The regions an instance can live in, and the Docker host behind each. */
import type { Config } from '../config.ts';

export interface Region {
  readonly region: string;
  readonly regionName: string;
  readonly flag: string;
  readonly available: boolean;
  readonly dockerHost: string;
}

/** Lists the regions of this service. */
export function listRegions({ dockerHost }: Pick<Config, 'dockerHost'>): Region[] {
  return [
    {
      region: 'eu-central',
      regionName: 'Europe (Germany)',
      flag: '🇩🇪',
      available: true,
      dockerHost,
    },
  ];
}

/** The region of an id. @throws where it is not configured. */
export function requireRegion(config: Pick<Config, 'dockerHost'>, id: string): Region {
  const region = listRegions(config).find((candidate) => candidate.region === id);
  if (!region) throw new Error(`the region ${id} is not configured`);
  return region;
}

/** The ids of the regions, for the API's schemas. */
export const regionIds = ['eu-central'] as const;
