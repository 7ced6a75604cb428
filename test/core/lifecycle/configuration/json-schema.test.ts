/** The JSON Schema that editors check a configuration by, held against what the parser says. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import fc from 'fast-check';
import { parse } from 'yaml';
import { hasCode } from '../../../../core/base/errors.ts';
import { parseConfiguration } from '../../../../core/lifecycle/configuration/configuration.ts';
import { createJsonSchema } from '../../../../core/lifecycle/configuration/json-schema.ts';
import { least, wrong, wrongTogether } from './configuration-texts.ts';

const root = new URL('../../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const pages = ['docs/configuration.md', 'docs/keep-policies.md'].map(read);
const examples = pages.flatMap(page => [...page.matchAll(/```yaml\n([^]*?)```/g)].map(found => found[1] ?? ''));

/** A whole configuration of an example, which may be a part of one. */
function complete(example: string): string {
  const inner = { references: 'keep', withoutRecord: 'delete' } as const;
  const key = /^(\w+):/m.exec(example)?.[1] ?? '';
  const part = key in inner ? `${inner[key as keyof typeof inner]}:\n${example.replace(/^/gm, '  ')}` : example;
  return /^registries:/m.test(example) ? example : `${least}${part}`;
}

interface Key {
  readonly name: string;
  readonly description: string | undefined;
}

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly oneOf?: readonly Node[];
  readonly description?: string;
  readonly const?: unknown;
}

/** Puts `to` in place of a value somewhere inside; takes it out where `to` is null. */
function change(from: unknown, [first = 0, ...more]: readonly number[], to: unknown): void {
  if (typeof from !== 'object' || from === null) return;
  const inside = from as Record<string, unknown>;
  const keys = Object.keys(inside);
  const key = keys[first % Math.max(1, keys.length)];
  if (key === undefined) return;
  if (more.length > 0 && typeof inside[key] === 'object' && inside[key] !== null) change(inside[key], more, to);
  else if (to === null && !Array.isArray(from)) delete inside[key];
  else inside[key] = structuredClone(to);
}

function keysOf({ properties = {}, items, anyOf = [], oneOf = [] }: Node): Key[] {
  const own = Object.entries(properties).filter(([, node]) => typeof node === 'object');
  return [
    ...own.flatMap(([name, node]) => [{ name, description: node.description }, ...keysOf(node)]),
    ...(items ? keysOf(items) : []),
    ...[...anyOf, ...oneOf].flatMap(keysOf),
  ];
}

describe('the JSON Schema of the configuration', () => {
  let validate: ValidateFunction;
  before(() => {
    validate = new Ajv({ allowUnionTypes: true, strictRequired: false }).compile(createJsonSchema());
  });

  it('is what stands in configuration.schema.json, which npm run schema writes', () => {
    equal(read('configuration.schema.json'), `${JSON.stringify(createJsonSchema(), undefined, 2)}\n`);
  });

  it('takes every example of the pages, as the parser does', () => {
    ok(examples.length >= 6);
    for (const example of examples.map(complete)) {
      parseConfiguration(example, 'example.yaml');
      ok(validate(parse(example)), `${example}\n${JSON.stringify(validate.errors)}`);
    }
  });

  it('refuses what the parser refuses, but for what keys are to each other', () => {
    const beyond =
      /names the same|is the name of|picks the same|is missing, or context|longer than|path of names|not YAML/;
    let refused = 0;
    for (const [text, message] of [...wrong, ...wrongTogether].filter(each => !beyond.test(each[1].source))) {
      equal(validate(parse(text)), false, `${text} ${message}`);
      refused += 1;
    }
    ok(refused > 60, `${refused} texts`);
  });

  it('takes whatever the parser takes, and the parser fails in no other way than by naming places, whatever stands there', () => {
    const whole = examples.filter(example => example.includes('registries:')).map(example => parse(example) as unknown);
    const value = fc.constantFrom<unknown>(null, 5, -1, true, '', 'x', '*', '24h', [], {}, [{}], [null], { name: 'x' });
    const steps = fc.array(fc.nat(), { minLength: 1, maxLength: 6 });
    let taken = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...whole),
        fc.array(fc.tuple(steps, fc.option(value)), { maxLength: 2 }),
        (from, changes) => {
          const changed = structuredClone(from);
          for (const [at, to] of changes) change(changed, at, to);
          try {
            parseConfiguration(JSON.stringify(changed, undefined, 1), 'c.yaml');
          } catch (thrown) {
            ok(hasCode(thrown, 'INPUT_INVALID'), String(thrown));
            for (const line of thrown.message.split('\n')) match(line, /^c\.yaml:\d+:\d+: \S+.* \S+/);
            return;
          }
          taken += 1;
          ok(validate(changed), JSON.stringify([changed, validate.errors]));
        },
      ),
      { numRuns: 500 },
    );
    ok(taken > 70, `${taken} taken`);
  });

  it('takes every pattern that the parser takes', () => {
    const bit = fc.constantFrom(
      ...'refs refs/ ^refs\\/ ^refs/ heads v a B 1 / \\/ \\ . .lock * + - _ ^ $ | ( ) ? { [ ] @{ ä \n'.split(' '),
    );
    const pattern = fc
      .tuple(fc.boolean(), fc.array(bit, { maxLength: 7 }))
      .map(([isExpression, bits]) => (isExpression ? `/${bits.join('')}/` : bits.join('')));
    let taken = 0;
    fc.assert(
      fc.property(fc.constantFrom('branch', 'tag', 'tags'), pattern, (kind, text) => {
        const keep = kind === 'tags' ? { tags: [text] } : { references: [{ [kind]: text }] };
        const whole = { ...(parse(least) as object), keep };
        try {
          parseConfiguration(JSON.stringify(whole), 'c.yaml');
        } catch {
          return;
        }
        taken += 1;
        ok(validate(whole), JSON.stringify([text, validate.errors]));
      }),
      { numRuns: 1000 },
    );
    ok(taken > 100, `${taken} taken`);
  });

  it('takes every time that the parser takes, and hardly any other', () => {
    const places: readonly ((time: string) => object)[] = [
      grace => ({ grace }),
      newerThan => ({ keep: { newerThan } }),
      olderThan => ({ delete: { untagged: { olderThan } } }),
      every => ({ reconcile: { every, minimumInterval: '0s' } }),
      minimumInterval => ({ reconcile: { every: '7d', minimumInterval } }),
    ];
    const count = fc.oneof(fc.nat(9), fc.nat(99), fc.nat(9999), fc.nat(999_999), fc.nat(999_999_999));
    const time = fc.tuple(count, fc.constantFrom('', '0', '00'), fc.constantFrom('s', 'm', 'h', 'd'));
    const told = { taken: 0, refused: 0, missed: 0 };
    fc.assert(
      fc.property(fc.constantFrom(...places), time, (place, [number, zeros, unit]) => {
        const whole = { ...(parse(least) as object), ...place(`${zeros}${number}${unit}`) };
        const isGreen = validate(whole);
        try {
          parseConfiguration(JSON.stringify(whole), 'c.yaml');
        } catch {
          told[isGreen ? 'missed' : 'refused'] += 1;
          return;
        }
        told.taken += 1;
        ok(isGreen, JSON.stringify([whole, validate.errors]));
      }),
      { numRuns: 1000 },
    );
    ok(told.taken > 250 && told.refused > 250 && told.missed < 100, JSON.stringify(told));
  });

  it('has each key explained on the pages, and for editors', () => {
    const keys = keysOf(createJsonSchema() as Node);
    ok(
      ['authority', 'minimumInterval', 'customResources', 'olderThan'].every(name =>
        keys.some(key => key.name === name),
      ),
    );
    const explained = new Set(
      pages.flatMap(page => [...page.matchAll(/`(?:\w+\.)*(\w+)(?:: [^`]*)?`/g)].map(found => found[1])),
    );
    const missing = keys.filter(({ name }) => !explained.has(name) && !['env', 'file'].includes(name));
    deepEqual(missing, []);
    deepEqual(
      keys.filter(({ description }) => description === undefined).map(key => key.name),
      [],
    );
  });
});
