import { hostname } from 'node:os';
import { PROGRAM } from '../version.ts';
import { askPanel, type ProgramWatch, programIn, runProgram } from './local-program.ts';
import type { Message } from './message.ts';

/** Who gets root's mail, as the system has it. */
const FALLBACK = 'root';
/** What is an address beyond doubt: what the panel says may be anything. */
const ADDRESS = /^[A-Za-z0-9._+=-]{1,64}@[A-Za-z0-9.-]{1,253}$/;
/** Base64 of so many bytes is a line of 76, and a multiple of 3 keeps the lines independent. */
const BYTES_A_LINE = 57;
/** An encoded word is at most 75 characters long, `=?UTF-8?B?` and `?=` included. */
const BYTES_A_WORD = 45;

/** Mails a message by the system's sendmail. Throws what kept it from being taken. */
export async function sendMail(to: true | readonly string[], message: Message, systemRoot: string, watch: ProgramWatch): Promise<void> {
  const program = programIn(systemRoot, 'sendmail');
  if (program === undefined) throw new Error('there is no sendmail on this server');
  const addresses = to === true ? [await administrator(systemRoot, watch)] : to;
  await runProgram(program, ['-i', '-t'], mailText(addresses, message), watch);
}

/** The address that the panel has of its administrator; root where it does not say. */
async function administrator(systemRoot: string, watch: ProgramWatch): Promise<string> {
  try {
    const answer = await askPanel(systemRoot, 'admin:get-email', [], watch);
    return typeof answer === 'string' && ADDRESS.test(answer) ? answer : FALLBACK;
  } catch {
    watch.signal.throwIfAborted();
    return FALLBACK;
  }
}

/** A message as RFC 5322 has it. Every header is made here, and of one line. */
export function mailText(to: readonly string[], { id, time, subject, text, isUrgent }: Message): string {
  const host = hostname().replaceAll(/[^A-Za-z0-9.-]/g, '') || 'localhost';
  const headers = [
    `From: ${PROGRAM.name} <root@${host}>`,
    `To: ${to.join(', ')}`,
    `Subject: ${encodedWords(subject)}`,
    `Date: ${new Date(time).toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${id}@${host}>`,
    'Auto-Submitted: auto-generated',
    ...(isUrgent ? ['Importance: high'] : []),
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
  ];
  return `${headers.join('\n')}\n\n${base64Lines(Buffer.from(text))}\n`;
}

function base64Lines(bytes: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_A_LINE) lines.push(bytes.toString('base64', at, at + BYTES_A_LINE));
  return lines.join('\n');
}

/** A header's text as RFC 2047 has it, where it is not plain ASCII. */
function encodedWords(text: string): string {
  if (/^[ -~]*$/.test(text) && text.length < 900) return text;
  const words: string[] = [];
  let word = '';
  for (const character of text) {
    if (Buffer.byteLength(word + character) > BYTES_A_WORD) {
      words.push(word);
      word = '';
    }
    word += character;
  }
  return [...words, word].map((each) => `=?UTF-8?B?${Buffer.from(each).toString('base64')}?=`).join('\n ');
}
