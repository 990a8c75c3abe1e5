/**
 * Reed-Solomon codes over GF(2^8) with the polynomial 0x11d, as klauspost/reedsolomon and Backblaze's JavaReedSolomon have them: the matrix is that of
 * Vandermonde, of which row r and column c hold r^c, times the inverse of its upper square. Shards are of one length and lie behind one another, those of the
 * data first; byte i of each belongs together.
 */

const POLYNOMIAL = 0x11d;
const FIELD = 256;

const EXPONENTS = new Uint8Array(2 * FIELD);
const LOGARITHMS = new Uint8Array(FIELD);
for (let power = 0, value = 1; power < FIELD - 1; power++) {
  EXPONENTS[power] = value;
  EXPONENTS[power + FIELD - 1] = value;
  LOGARITHMS[value] = power;
  value <<= 1;
  if (value >= FIELD) value ^= POLYNOMIAL;
}

function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : EXPONENTS[LOGARITHMS[a]! + LOGARITHMS[b]!]!;
}

function power(base: number, exponent: number): number {
  if (exponent === 0) return 1;
  return base === 0 ? 0 : EXPONENTS[(LOGARITHMS[base]! * exponent) % (FIELD - 1)]!;
}

type Matrix = readonly Uint8Array[];

function product(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => {
    const result = new Uint8Array(b[0]!.length);
    row.forEach((factor, index) => {
      for (let column = 0; column < result.length; column++) result[column]! ^= multiply(factor, b[index]![column]!);
    });
    return result;
  });
}

/** The inverse of a square matrix that has one, by Gauss and Jordan. */
function inverse(matrix: Matrix): Matrix {
  const size = matrix.length;
  const rows = matrix.map((row, at) => {
    const both = new Uint8Array(2 * size);
    both.set(row);
    both[size + at] = 1;
    return both;
  });
  for (let column = 0; column < size; column++) {
    const pivot = rows.findIndex((row, at) => at >= column && row[column] !== 0);
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const main = rows[column]!;
    const factor = EXPONENTS[FIELD - 1 - LOGARITHMS[main[column]!]!]!;
    for (let at = 0; at < main.length; at++) main[at] = multiply(main[at]!, factor);
    for (const row of rows) {
      const share = row === main ? 0 : row[column]!;
      if (share !== 0) for (let at = 0; at < row.length; at++) row[at]! ^= multiply(main[at]!, share);
    }
  }
  return rows.map((row) => row.subarray(size));
}

const matrices = new Map<string, Matrix>();

/** Row r says how shard r is made of the data: of the first `data` each is itself. */
function matrixOf(data: number, parity: number): Matrix {
  const key = `${data} ${parity}`;
  let matrix = matrices.get(key);
  if (matrix === undefined) {
    const vandermonde = Array.from({ length: data + parity }, (_, row) =>
      Uint8Array.from({ length: data }, (_, column) => power(row, column)),
    );
    matrix = product(vandermonde, inverse(vandermonde.slice(0, data)));
    matrices.set(key, matrix);
  }
  return matrix;
}

/** Four products in one look-up: a byte of each of four shards. */
const LANES = 4;

/** Makes the shards of `targets` from others: `rows[t][s]` says what of `sources[s]` is in target t. */
function combine(rows: Matrix, sources: readonly Uint8Array[], targets: readonly Uint8Array[]): void {
  const length = targets[0]?.length ?? 0;
  const sums = new Uint32Array(length);
  const table = new Uint32Array(FIELD);
  for (let first = 0; first < targets.length; first += LANES) {
    sums.fill(0);
    sources.forEach((source, at) => {
      for (let value = 0; value < FIELD; value++) {
        let products = 0;
        for (let lane = 0; lane < LANES; lane++) products |= multiply(rows[first + lane]?.[at] ?? 0, value) << (8 * lane);
        table[value] = products;
      }
      for (let index = 0; index < length; index++) sums[index]! ^= table[source[index]!]!;
    });
    for (let lane = 0; first + lane < targets.length && lane < LANES; lane++) {
      const target = targets[first + lane]!;
      for (let index = 0; index < length; index++) target[index] = sums[index]! >>> (8 * lane);
    }
  }
}

function cut(shards: Uint8Array, count: number): Uint8Array[] {
  const length = shards.length / count;
  return Array.from({ length: count }, (_, at) => shards.subarray(at * length, (at + 1) * length));
}

/** Fills the last `parity` shards from the first `data`; together they are 256 at most. */
export function encode(shards: Uint8Array, data: number, parity: number): void {
  const all = cut(shards, data + parity);
  combine(matrixOf(data, parity).slice(data), all.slice(0, data), all.slice(data));
}

/** Fills the shards of the data that are not there. False when fewer than `data` of all are. */
export function reconstruct(shards: Uint8Array, data: number, parity: number, isThere: readonly boolean[]): boolean {
  const all = cut(shards, data + parity);
  const used = all.map((_, at) => at).filter((at) => isThere[at]);
  if (used.length < data) return false;
  const chosen = used.slice(0, data);
  const missing = Array.from({ length: data }, (_, at) => at).filter((at) => !isThere[at]);
  const matrix = matrixOf(data, parity);
  const back = inverse(chosen.map((at) => matrix[at]!));
  combine(
    missing.map((at) => back[at]!),
    chosen.map((at) => all[at]!),
    missing.map((at) => all[at]!),
  );
  return true;
}
