/** Does something with each, so many at once. The first failure is thrown when all that was begun has ended. */
export async function eachOf<T>(all: readonly T[], atOnce: number, action: (each: T) => Promise<void>): Promise<void> {
  const rest = all.values();
  const failures: unknown[] = [];
  const work = async (): Promise<void> => {
    for (const each of rest) {
      if (failures.length > 0) return;
      await action(each).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  if (failures.length > 0) throw failures[0];
}
