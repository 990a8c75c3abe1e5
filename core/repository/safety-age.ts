/**
 * How old something that no record names must be before it counts as left behind, in milliseconds: a run that is still
 * writing has stored objects that no record names yet.
 */
export const SAFETY_AGE = 24 * 60 * 60 * 1000;
