import { MemoryBackend } from '../../../core/repository/backends/memory.ts';

/** A distant place in memory that tells its objects in the order of their names, so many a request. */
export class OrderedBackend extends MemoryBackend {
  pageLength: number | undefined = 100;
  readonly isDistant = true;

  override async *list(prefix: string) {
    const all = [];
    for await (const object of super.list(prefix)) all.push(object);
    yield* all.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
