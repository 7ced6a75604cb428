/**
 * Everything this process prints. The agent executes any line that holds `##vso[`, wherever it stands, and
 * colours or folds lines by `##[`: so text from outside passes through here, on every way out of the process.
 * https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
 */
import { tl } from './task-lib.ts';

const command = '##vso[';

/**
 * Text as it may be printed: one line, and no marker in it. Characters that a comparison by culture skips go too,
 * because the agent's own search for the marker is such a comparison.
 */
export function neutralise(text: string): string {
  return text
    .replace(/[\r\n\u2028\u2029\u0085]+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, character => (character === '\t' ? ' ' : ''))
    .replace(/##(?=\s*(?:vso)?\s*\[)/gi, '# #');
}

/** A line of task-lib's making: its own command stays, what it carries is neutralised. A secret must stay exact. */
export function neutraliseCommand(line: string): string {
  const text = line.replace(/\r?\n$/, '');
  if (!text.startsWith(command)) return neutralise(text);
  if (text.startsWith(`${command}task.setsecret]`)) return text;
  return command + neutralise(text.slice(command.length));
}

type Write = (text: string) => void;

/** What task-lib writes to; takes one whole line at a time. */
function lineStream(write: Write): NodeJS.WriteStream {
  const stream = { write: (text: string) => write(`${neutraliseCommand(text)}\n`) };
  return stream as unknown as NodeJS.WriteStream;
}

let commands: NodeJS.WriteStream | undefined;

/** Puts the neutraliser on standard output and standard error. Call it first; calling it again does nothing. */
export function guardOutput(): void {
  if (commands) return;
  const write: Write = process.stdout.write.bind(process.stdout);
  commands = lineStream(write);
  tl.setStdStream(commands);
  tl.setErrStream(commands);
  for (const stream of [process.stdout, process.stderr]) {
    const original = stream.write.bind(stream) as (text: string, ...rest: unknown[]) => boolean;
    stream.write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
      const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8');
      return original(text.split('\n').map(neutralise).join('\n'), ...rest);
    };
  }
}

/** Prints one line. */
export function writeLine(text: string): void {
  process.stdout.write(`${neutralise(text)}\n`);
}

/** Runs `read` without task-lib's debug lines, which show every value that is read, secrets too. */
export function quietly<T>(read: () => T): T {
  tl.setStdStream(lineStream(() => {}));
  try {
    return read();
  } finally {
    tl.setStdStream(commands ?? process.stdout);
  }
}
