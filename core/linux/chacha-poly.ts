import koffi from 'koffi';
import { Failure } from '../failure.ts';

/** Bytes of a key, of a nonce, and of the tag by which a text is authenticated. */
export const KEY_LENGTH = 32;
export const NONCE_LENGTH = 12;
export const TAG_LENGTH = 16;

/** OpenSSL's controls of a cipher with a tag. */
const GET_TAG = 0x10;
const SET_TAG = 0x11;

/**
 * ChaCha20-Poly1305 by the OpenSSL that is part of Node, into memory of the caller. `node:crypto` makes an object and new memory for each
 * text, which costs more than the cipher: with it, encryption took twice as long.
 */
class ChaChaPoly {
  readonly #library = koffi.load(null);
  readonly #init = this.#library.func('int EVP_CipherInit_ex(void *, void *, void *, void *, void *, int)');
  readonly #update = this.#library.func('int EVP_CipherUpdate(void *, void *, void *, void *, int)');
  readonly #final = this.#library.func('int EVP_CipherFinal_ex(void *, void *, void *)');
  readonly #control = this.#library.func('int EVP_CIPHER_CTX_ctrl(void *, int, int, void *)');
  readonly #context: unknown = this.#library.func('void *EVP_CIPHER_CTX_new()')();
  /** Where OpenSSL says how many bytes it wrote; the text at the end is empty with this cipher. */
  readonly #written = Buffer.alloc(4);
  readonly #nothing = Buffer.alloc(TAG_LENGTH);

  constructor() {
    const cipher: unknown = this.#library.func('void *EVP_chacha20_poly1305()')();
    this.#require(this.#context !== null && this.#init(this.#context, cipher, null, null, null, 1) === 1);
  }

  /** Writes the encrypted text, and behind it the tag. */
  seal(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, place: Uint8Array): void {
    checkLengths(key, nonce, place.length, plain.length);
    this.#run(key, nonce, plain, place, true);
    this.#require(this.#final(this.#context, this.#nothing, this.#written) === 1);
    const tag = place.subarray(plain.length, plain.length + TAG_LENGTH);
    this.#require(this.#control(this.#context, GET_TAG, TAG_LENGTH, tag) === 1);
  }

  /** Writes the plain text. False when it is not authentic: then nobody may see what was written. */
  open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, place: Uint8Array): boolean {
    checkLengths(key, nonce, sealed.length, place.length);
    this.#run(key, nonce, sealed.subarray(0, place.length), place, false);
    this.#require(this.#control(this.#context, SET_TAG, TAG_LENGTH, sealed.subarray(place.length)) === 1);
    return this.#final(this.#context, this.#nothing, this.#written) === 1;
  }

  #run(key: Uint8Array, nonce: Uint8Array, from: Uint8Array, to: Uint8Array, isSealing: boolean): void {
    this.#require(this.#init(this.#context, null, null, key, nonce, isSealing ? 1 : 0) === 1);
    if (from.length === 0) return;
    this.#require(this.#update(this.#context, to, this.#written, from, from.length) === 1);
    this.#require(this.#written.readInt32LE() === from.length);
  }

  #require(isDone: boolean): void {
    if (!isDone) throw new Failure('internal', 'OpenSSL does not do ChaCha20-Poly1305');
  }
}

/** OpenSSL believes every length that it is told. */
function checkLengths(key: Uint8Array, nonce: Uint8Array, sealed: number, plain: number): void {
  if (key.length === KEY_LENGTH && nonce.length === NONCE_LENGTH && sealed === plain + TAG_LENGTH) return;
  throw new RangeError(`a key of ${key.length}, a nonce of ${nonce.length}, ${sealed} bytes sealed of ${plain}`);
}

let made: ChaChaPoly | undefined;

/** This thread's, made when something encrypted is met first. */
export function chaChaPoly(): ChaChaPoly {
  made ??= new ChaChaPoly();
  return made;
}
