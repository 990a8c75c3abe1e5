/** A kind of database server; MariaDB counts as MySQL. */
export type Engine = 'mysql' | 'postgresql';

export const ENGINES: readonly Engine[] = ['mysql', 'postgresql'];

/** What people call it. */
export const ENGINE_NAMES: Readonly<Record<Engine, string>> = { mysql: 'MySQL', postgresql: 'PostgreSQL' };
