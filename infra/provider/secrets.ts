/**
 * Secrets on Pulumi's wire. The SDK's provider server tells the engine that it accepts secrets but
 * hands them on as they come: an object with a signature and the value
 * (developer-docs/providers/implementers-guide in pulumi/pulumi, "Secrets").
 */
const signatureKey = '4dabf18193072939515e22adb298388d';
const secretSignature = '1b47061264138c4ac30d75fd1eb44270';

type Properties = Readonly<Record<string, unknown>>;

/** Gives the properties with every top-level secret in clear. */
export function openSecrets(properties: unknown): Properties {
  const entries = Object.entries((properties ?? {}) as Properties);
  return Object.fromEntries(entries.map(([name, value]) => [name, openSecret(value)]));
}

/** Marks a value as secret, so the engine encrypts it in the state and masks it in output. */
export function markSecret(value: string): Properties {
  return { [signatureKey]: secretSignature, value };
}

function openSecret(value: unknown): unknown {
  const wrapped = value as Properties | null | undefined;
  return wrapped?.[signatureKey] === secretSignature ? wrapped.value : value;
}
