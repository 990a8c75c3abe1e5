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

/** One sentence per offence, each naming the place of the value and what is wrong with it. */
export function describeSchemaErrors(errors: readonly SchemaError[] | null | undefined): string[] {
  return (errors ?? []).map((error) => {
    const place = error.instancePath === '' ? '' : `${error.instancePath} `;
    if (error.keyword === 'additionalProperties')
      return `${place}has the unknown key ${JSON.stringify(error.params.additionalProperty)}`.trim();
    if (error.keyword === 'enum') return `${place}must be one of ${JSON.stringify(error.params.allowedValues)}`;
    return `${place}${error.message ?? error.keyword}`;
  });
}
