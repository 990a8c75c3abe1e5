/** The parts of JSON Schema 2020-12 that this project's schemas use and that have a meaning for types. */
interface SchemaShape {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null';
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly SchemaShape[];
  readonly properties?: { readonly [name: string]: SchemaShape };
  readonly required?: readonly string[];
  readonly items?: SchemaShape;
}

type ObjectType<Properties extends { readonly [name: string]: SchemaShape }, Required extends PropertyKey> = {
  readonly [Name in keyof Properties as Name extends Required ? Name : never]: FromSchema<Properties[Name]>;
} & {
  readonly [Name in keyof Properties as Name extends Required ? never : Name]?: FromSchema<Properties[Name]>;
};

type Flattened<Type> = { [Name in keyof Type]: Type[Name] };

/**
 * The TypeScript type of the values that a schema, written `as const`, accepts. So a message's type and its published
 * schema cannot drift apart.
 */
export type FromSchema<Schema extends SchemaShape> = Schema extends { readonly const: infer Value }
  ? Value
  : Schema extends { readonly enum: readonly (infer Value)[] }
    ? Value
    : Schema extends { readonly anyOf: readonly (infer Choice extends SchemaShape)[] }
      ? FromSchema<Choice>
      : Schema extends { readonly type: 'string' }
        ? string
        : Schema extends { readonly type: 'integer' | 'number' }
          ? number
          : Schema extends { readonly type: 'boolean' }
            ? boolean
            : Schema extends { readonly type: 'null' }
              ? null
              : Schema extends { readonly type: 'array'; readonly items: infer Item extends SchemaShape }
                ? readonly FromSchema<Item>[]
                : Schema extends { readonly properties: infer Properties extends { readonly [name: string]: SchemaShape } }
                  ? Flattened<
                      ObjectType<Properties, Schema extends { readonly required: readonly (infer Name extends string)[] } ? Name : never>
                    >
                  : Schema extends { readonly type: 'object' }
                    ? { readonly [name: string]: unknown }
                    : unknown;
