/** A day of the calendar of a time zone. */
export interface LocalDay {
  readonly date: Temporal.PlainDate;
  /** Days since 1970; the next day has the next number. */
  readonly number: number;
}

const DAY = 86_400_000;

/** On which days moments fall in a time zone. What was asked once is remembered: decisions ask for the same moments again and again. */
export class LocalDays {
  readonly timeZone: string;
  readonly #known = new Map<number, LocalDay>();

  constructor(timeZone: string) {
    this.timeZone = timeZone;
  }

  /** `time` in milliseconds since 1970. */
  of(time: number): LocalDay {
    const known = this.#known.get(time);
    if (known !== undefined) return known;
    const date = Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(this.timeZone).toPlainDate();
    const day = { date, number: date.toZonedDateTime('UTC').epochMilliseconds / DAY };
    this.#known.set(time, day);
    return day;
  }
}
