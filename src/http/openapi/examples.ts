/** Examples of whole bodies, put together from those of their fields. */

export type Schema = Readonly<Record<string, unknown>>;
export type Schemas = Readonly<Record<string, Schema>>;

const depthMax = 12;

/**
 * Makes a value that fits a JSON schema: from `example` where the schema has one, else from what it allows.
 * @param schemas the document's `components.schemas`.
 * @param options `isInput`: of optional fields, only those that have an example of their own.
 */
export function exampleOf(
  schema: Schema,
  schemas: Schemas,
  options: { readonly isInput: boolean },
  depth = 0,
): unknown {
  if (depth > depthMax) return null;
  const next = (inner: Schema): unknown => exampleOf(inner, schemas, options, depth + 1);
  if ('example' in schema) return schema.example;
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  if ('default' in schema && options.isInput) return schema.default;
  if (typeof schema.$ref === 'string') return next(resolve(schema.$ref, schemas));
  const choices = (schema.anyOf ?? schema.oneOf) as readonly Schema[] | undefined;
  if (choices) return chooseOf(choices, next);
  return plainExample(schema, next, options);
}

function resolve(reference: string, schemas: Schemas): Schema {
  const name = reference.replace('#/components/schemas/', '');
  return schemas[name] ?? {};
}

/** Of something that may be null, the value where it is a plain one; a whole object is the exception. */
function chooseOf(choices: readonly Schema[], next: (schema: Schema) => unknown): unknown {
  const isNullable = choices.some(({ type }) => type === 'null');
  const [first] = choices.filter(({ type }) => type !== 'null');
  if (!first) return null;
  const isWhole = '$ref' in first || first.type === 'object';
  return isNullable && isWhole && !('example' in first) ? null : next(first);
}

function plainExample(
  schema: Schema,
  next: (schema: Schema) => unknown,
  { isInput }: { readonly isInput: boolean },
): unknown {
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case 'object': {
      const required = (schema.required ?? []) as readonly string[];
      const properties = Object.entries((schema.properties ?? {}) as Schemas);
      const shown = properties.filter(([name, inner]) => {
        return !isInput || required.includes(name) || 'example' in inner;
      });
      return Object.fromEntries(shown.map(([name, inner]) => [name, next(inner)]));
    }
    case 'array': {
      return schema.items ? [next(schema.items as Schema)] : [];
    }
    case 'integer':
    case 'number':
      return Math.max(0, Number(schema.minimum ?? 0));
    case 'boolean':
      return false;
    case 'string':
      return 'text';
    default:
      return null;
  }
}
