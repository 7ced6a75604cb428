/**
 * Regular expressions whose match takes time in proportion to the text, whatever the expression: patterns and names are
 * other people's words, and a backtracking matcher can be made to run for years by either. What has no linear matcher
 * (backreferences, looking around) is refused. The syntax is JavaScript's; https://swtch.com/~rsc/regexp/regexp2.html
 */
import { inputError } from './errors.ts';
import { type Node, parseRegex } from './regex-syntax.ts';

/** A compiled expression. */
export interface LinearRegex {
  /** Whether it is found in `text`, as `RegExp.test` of JavaScript finds it. */
  matches(text: string): boolean;
  /** Whether every match is the whole text: it begins with `^` and ends with `$`, outside of any `|`. */
  readonly isWhole: boolean;
}

/** One step of the machine. Where `to` has two steps, it goes on at both. */
type Step =
  | { readonly kind: 'take'; readonly takes: (code: number) => boolean }
  | { readonly kind: 'start' | 'end' | 'match' }
  | { readonly kind: 'go'; readonly to: number[] };

/** Time is this times the length of the text. */
const maxSteps = 2000;

/** Compiles an expression without its slashes. Throws `INPUT_INVALID`, saying what of it is not known here. */
export function compileRegex(source: string): LinearRegex {
  const root = parseRegex(source);
  const steps: Step[] = [];
  emit(root, steps);
  steps.push({ kind: 'match' });
  return { matches: createRun(steps), isWhole: isWhole(root) };
}

function isWhole(root: Node): boolean {
  const parts = root.kind === 'sequence' ? root.parts : [root];
  return parts[0]?.kind === 'start' && parts.at(-1)?.kind === 'end';
}

function push(steps: Step[], step: Step): void {
  if (steps.length >= maxSteps) throw tooLarge();
  steps.push(step);
}

function tooLarge(): Error {
  return inputError(`it repeats too much: with its repetitions written out it has more than ${maxSteps} parts`);
}

function emit(node: Node, steps: Step[]): void {
  switch (node.kind) {
    case 'take':
      push(steps, { kind: 'take', takes: node.takes });
      return;
    case 'start':
    case 'end':
      push(steps, { kind: node.kind });
      return;
    case 'sequence':
      for (const part of node.parts) emit(part, steps);
      return;
    case 'choice':
      emitChoice(node.parts, steps);
      return;
    case 'repeat':
      for (let count = 0; count < node.least; count += 1) emit(node.part, steps);
      if (node.most === Number.POSITIVE_INFINITY) emitLoop(node.part, steps);
      else for (let count = node.least; count < node.most; count += 1) emitOptional(node.part, steps);
  }
}

function emitChoice(parts: readonly Node[], steps: Step[]): void {
  const fork: number[] = [];
  push(steps, { kind: 'go', to: fork });
  const ends: number[][] = [];
  for (const part of parts) {
    fork.push(steps.length);
    emit(part, steps);
    const end: number[] = [];
    ends.push(end);
    push(steps, { kind: 'go', to: end });
  }
  for (const end of ends) end.push(steps.length);
}

function emitLoop(part: Node, steps: Step[]): void {
  const fork: number[] = [];
  const start = steps.length;
  push(steps, { kind: 'go', to: fork });
  emit(part, steps);
  push(steps, { kind: 'go', to: [start] });
  fork.push(start + 1, steps.length);
}

function emitOptional(part: Node, steps: Step[]): void {
  const fork: number[] = [];
  push(steps, { kind: 'go', to: fork });
  fork.push(steps.length);
  emit(part, steps);
  fork.push(steps.length);
}

/** Walks all ways through the machine at once: no step is entered twice for one place in the text. */
function createRun(steps: readonly Step[]): (text: string) => boolean {
  // Kept from run to run, so that two hundred thousand names are not two hundred thousand arrays.
  const enteredAt = new Float64Array(steps.length);
  const waiting: number[] = [];
  let round = 0;
  /** Enters all steps that can be reached without taking anything; gives those behind the ones that take the character. */
  const advance = (from: readonly number[], text: string, at: number): number[] | 'match' => {
    const next: number[] = [];
    round += 1;
    waiting.length = 0;
    waiting.push(...from);
    for (let step = waiting.pop(); step !== undefined; step = waiting.pop()) {
      if (enteredAt[step] === round) continue;
      enteredAt[step] = round;
      const it = steps[step];
      if (it?.kind === 'match') return 'match';
      if (it?.kind === 'take') {
        if (at < text.length && it.takes(text.charCodeAt(at))) next.push(step + 1);
      } else waiting.push(...followers(it, step, at, text.length));
    }
    return next;
  };
  const isAnchored = steps[0]?.kind === 'start';
  return text => {
    let current: number[] | 'match' = [];
    for (let at = 0; at <= text.length; at += 1) {
      // A match may begin anywhere.
      current.push(0);
      current = advance(current, text, at);
      if (current === 'match') return true;
      if (isAnchored && current.length === 0) return false;
    }
    return false;
  };
}

/** Where a step that takes nothing leads to. */
function followers(it: Step | undefined, step: number, at: number, end: number): readonly number[] {
  if (it?.kind === 'go') return it.to;
  return (it?.kind === 'start' && at === 0) || (it?.kind === 'end' && at === end) ? [step + 1] : [];
}
