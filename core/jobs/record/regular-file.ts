import { closeSync, constants, fstatSync, openSync, readFileSync, writeFileSync } from 'node:fs';

/** Nothing that stands in the place of a file has anybody wait: a FIFO, for one, would for ever. */

const { O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC, O_APPEND, O_NOFOLLOW, O_NONBLOCK } = constants;

const SAFELY = O_NOFOLLOW | O_NONBLOCK;
const PRIVATE = 0o600;

/** The text of a file; empty, which no record is, of what is none. Throws what the system says, of a link, too. */
export function readRegular(file: string): string {
  const descriptor = openSync(file, O_RDONLY | SAFELY);
  try {
    return textOf(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** The same of an open file. */
export function textOf(descriptor: number, encoding: 'utf8' | 'latin1'): string {
  return fstatSync(descriptor).isFile() ? readFileSync(descriptor, encoding) : '';
}

/** Throws what the system says; that it is a link, or that nobody reads what is no file. */
export function writeRegular(file: string, text: string): void {
  write(file, text, O_TRUNC);
}

/** Throws as `writeRegular`. */
export function appendRegular(file: string, text: string): void {
  write(file, text, O_APPEND);
}

function write(file: string, text: string, how: number): void {
  const descriptor = openSync(file, O_WRONLY | O_CREAT | how | SAFELY, PRIVATE);
  try {
    writeFileSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}
