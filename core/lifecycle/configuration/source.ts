/** The text of a configuration as YAML, with the places that faults are told by. */
import { type Document, LineCounter, parseDocument, visit } from 'yaml';
import { inputError } from '../../base/errors.ts';
import { listYamlFaults } from '../../base/yaml-fault.ts';

/** A text that was parsed, and what messages call it. */
export interface Source {
  readonly name: string;
  readonly document: Document;
  readonly lines: LineCounter;
  /** What it says, as plain values. */
  readonly value: unknown;
}

/** Reads the text. Throws INPUT_INVALID with a line `name:line:column: …` for each fault, which quotes nothing of it. */
export function readSource(text: string, name: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const faults = listYamlFaults(document, lines);
  const source = { name, document, lines };
  const isNot = 'the configuration is not YAML';
  if (faults.length > 0) {
    throw inputError(faults.map(({ offset, reason }) => showPlace(source, offset, `${isNot}: ${reason}`)).join('\n'));
  }
  const lost = findLostAlias(document);
  if (lost !== undefined) throw inputError(showPlace(source, lost, `${isNot}: an alias has no anchor above it`));
  try {
    return { ...source, value: document.toJS() as unknown };
  } catch {
    // The reason would quote the alias.
    throw inputError(showPlace(source, 0, 'the configuration uses far too many aliases'));
  }
}

/** Puts the place in front of a message; lines and columns count from 1. */
export function showPlace({ name, lines }: Pick<Source, 'name' | 'lines'>, offset: number, text: string): string {
  const { line, col } = lines.linePos(offset);
  return `${name}:${line}:${col}: ${text}`;
}

function findLostAlias(document: Document): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Alias: (_key, alias) => {
      if (alias.resolve(document)) return undefined;
      offset = alias.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}
