/** What is used of PHP as WebAssembly; the packages' own declarations are not found under their exports. */
declare module '@php-wasm/universal' {
  export class PHP {
    constructor(runtime: number);
    mkdir(path: string): void;
    writeFile(path: string, data: string): void;
    run(request: { code: string }): Promise<{ text: string; errors: string; exitCode: number }>;
    exit(): void;
  }
  export function loadPHPRuntime(module: unknown): Promise<number>;
}
declare module '@php-wasm/node-7-4' {
  export function getPHPLoaderModule(): Promise<unknown>;
}
declare module '@php-wasm/node-8-3' {
  export function getPHPLoaderModule(): Promise<unknown>;
}
