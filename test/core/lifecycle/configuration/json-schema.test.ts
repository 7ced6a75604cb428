/** The JSON Schema that editors check a configuration by, held against what the parser says. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import { parse } from 'yaml';
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

  it('refuses what the parser refuses, but for what keys are to each other, and how long a time may be', () => {
    const beyond =
      /names the same|is the name of|picks the same|is missing, or context|longer than|must be at least \d+ s|path of names|not YAML/;
    let refused = 0;
    for (const [text, message] of [...wrong, ...wrongTogether].filter(each => !beyond.test(each[1].source))) {
      equal(validate(parse(text)), false, `${text} ${message}`);
      refused += 1;
    }
    ok(refused > 60, `${refused} texts`);
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
