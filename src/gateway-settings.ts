/** What of the configuration is the command gateway's: the variables, checked, and what they become. */
import { z } from 'zod';
import { wholeNumber } from './lib/whole-number.ts';

/** `https://app.example.com`, as browsers write it, or `*`. */
const isOrigin = (text: string): boolean =>
  text === '*' || (/^https?:[^*]+$/.test(text) && URL.parse(text)?.origin === text);

const originList = z
  .string()
  .transform((text) => text.split(',').map((origin) => origin.trim()))
  .refine((origins) => origins.every(isOrigin), {
    message: 'needs origins such as https://app.example.com, with commas between, or *',
  });

/** The gateway's part of the environment. */
export const gatewayVariables = {
  SWIFTCACHE_CORS_ORIGINS: originList.optional(),
  SWIFTCACHE_PATH_PREFIX: z
    .string()
    .regex(/^(\/[\w.~-]+)+$/, 'write it as /cache, without a slash at the end')
    .optional(),
  SWIFTCACHE_GATEWAY_BODY_MIB: wholeNumber(1, 64).prefault('10'),
  SWIFTCACHE_GATEWAY_PIPELINE_MAX: wholeNumber(1, 100_000).prefault('1000'),
  SWIFTCACHE_GATEWAY_PROCESSES: wholeNumber(1, 64).prefault('1'),
  SWIFTCACHE_GATEWAY_COMPRESSION: z.enum(['on', 'off']).default('off'),
};

const gatewaySchema = z.object(gatewayVariables);

/** What the command gateway is told from outside. */
export interface GatewaySettings {
  /** Whose pages may call it from a browser; `*` for all, empty for none. */
  readonly corsOrigins: readonly string[];
  readonly bodyBytesMax: number;
  readonly pipelineCommandsMax: number;
  /** Whether answers of 32 KiB and more are compressed for clients that take it. */
  readonly compression: boolean;
  /** Processes that serve it, the service's own included. */
  readonly processes: number;
}

export function toGatewaySettings(env: z.infer<typeof gatewaySchema>): GatewaySettings {
  return {
    corsOrigins: env.SWIFTCACHE_CORS_ORIGINS ?? [],
    bodyBytesMax: env.SWIFTCACHE_GATEWAY_BODY_MIB * 1024 * 1024,
    pipelineCommandsMax: env.SWIFTCACHE_GATEWAY_PIPELINE_MAX,
    compression: env.SWIFTCACHE_GATEWAY_COMPRESSION === 'on',
    processes: env.SWIFTCACHE_GATEWAY_PROCESSES,
  };
}
