interface PlainTypes {
  string: string;
  integer: number;
  number: number;
  boolean: boolean;
  null: null;
}

type RequiredKeys<S> = S extends { readonly required: readonly (infer K)[] } ? K : never;

type Simplify<T> = { readonly [K in keyof T]: T[K] };

/**
 * The TypeScript type of the values that a JSON Schema written `as const` accepts, for the keywords that this project's
 * schemas use: `const`, `enum`, `anyOf`, `type`, `items`, `properties`, `required`.
 */
export type FromSchema<S> = S extends { readonly const: infer C }
  ? C
  : S extends { readonly enum: readonly (infer E)[] }
    ? E
    : S extends { readonly anyOf: readonly (infer Member)[] }
      ? FromSchema<Member>
      : S extends { readonly type: 'array'; readonly items: infer Item }
        ? readonly FromSchema<Item>[]
        : S extends { readonly type: 'object'; readonly properties: infer P }
          ? Simplify<
              { readonly [K in keyof P as K extends RequiredKeys<S> ? K : never]: FromSchema<P[K]> } & {
                readonly [K in keyof P as K extends RequiredKeys<S> ? never : K]?: FromSchema<P[K]>;
              }
            >
          : S extends { readonly type: infer T extends keyof PlainTypes }
            ? PlainTypes[T]
            : unknown;
