/** What a validator compiled by ajv says about one offence. */
export interface SchemaError {
  /** JSON Pointer (RFC 6901) of the offending value. */
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

/** A validator as `build/validators.ts` compiles it; `errors` belongs to the last call. */
export interface Validator<T> {
  (value: unknown): value is T;
  errors?: readonly SchemaError[] | null;
}

/** What has to stand in the place of a text, for people, by the regular expression that it has to match. */
export type Meant = ReadonlyMap<string, string>;

/** One sentence per offence, each naming the place of the value and what is wrong with it. */
export function describeSchemaErrors(errors: readonly SchemaError[] | null | undefined, meant?: Meant): string[] {
  const all = errors ?? [];
  // That none of several forms fits is said by what is wrong with each.
  const telling = all.filter(({ keyword, instancePath }, at) => {
    if (keyword === 'anyOf') return false;
    return keyword !== 'type' || !all.some((other, index) => index < at && other.instancePath === instancePath);
  });
  return (telling.length > 0 ? telling : all).map((error) => {
    const place = error.instancePath === '' ? '' : `${error.instancePath} `;
    const types = all.filter(({ keyword, instancePath }) => keyword === 'type' && instancePath === error.instancePath);
    const isAnyType = error.keyword === 'type' && types.length > 1;
    return `${place}${isAnyType ? `must be ${types.map(({ params }) => params.type).join(' or ')}` : describe(error, meant)}`;
  });
}

function describe({ keyword, params, message }: SchemaError, meant: Meant | undefined): string {
  if (keyword === 'additionalProperties') return `has the unknown key ${JSON.stringify(params.additionalProperty)}`;
  if (keyword === 'enum') return `must be one of ${JSON.stringify(params.allowedValues)}`;
  if (keyword === 'required') return `lacks ${JSON.stringify(params.missingProperty)}`;
  if (keyword === 'minLength' && params.limit === 1) return 'must not be empty';
  if (keyword === 'minItems' && params.limit === 1) return 'is an empty list';
  const words = keyword === 'pattern' ? meant?.get(String(params.pattern)) : undefined;
  return words === undefined ? (message ?? keyword) : `must be ${words}`;
}
