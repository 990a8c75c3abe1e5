/** What the names of a snapshot's packs have before and after their number. */
export interface PackNames {
  readonly before: string;
  readonly after: string;
}

/** The name of pack number n, counted from 1: four digits at least. */
export function packName({ before, after }: PackNames, number: number): string {
  return `${before}${String(number).padStart(4, '0')}${after}`;
}
