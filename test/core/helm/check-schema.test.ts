import assert from 'node:assert/strict';
import { AppError } from '../../../core/base/errors.ts';
import { checkSchema } from '../../../core/helm/check-schema.ts';
import { pinImages } from '../../../core/helm/pin-images.ts';
import { helms, runHelm } from '../../support/helm.ts';
import { makeChart, withChartFolder } from './hand-made.ts';

const chartYaml = 'apiVersion: v2\nname: shop\nversion: 1.0.0\n';
const chartOf = (values: string, schema: string | object, more: Record<string, string> = {}) =>
  makeChart({
    'Chart.yaml': chartYaml,
    'values.yaml': values,
    'values.schema.json': typeof schema === 'string' ? schema : JSON.stringify(schema),
    ...more,
  });

const isInputError = (message: RegExp) => (thrown: unknown) =>
  thrown instanceof AppError && thrown.code === 'INPUT_INVALID' && message.test(thrown.message);

const drafts = {
  '04': 'http://json-schema.org/draft-04/schema#',
  '06': 'http://json-schema.org/draft-06/schema#',
  '07': 'http://json-schema.org/draft-07/schema#',
  '2019-09': 'https://json-schema.org/draft/2019-09/schema',
  '2020-12': 'https://json-schema.org/draft/2020-12/schema',
  none: undefined,
};

describe('the schema of values', () => {
  const tag = { properties: { image: { properties: { tag: { type: 'string', maxLength: 40 } } } } };

  for (const [draft, $schema] of Object.entries(drafts)) {
    it(`of draft ${draft} refuses a pin that is too long, as helm does, and the error says which input to change`, async () => {
      const chart = chartOf('image:\n  repository: shop/web\n  tag: hunter2\n', {
        ...($schema && { $schema }),
        ...tag,
      });
      assert.deepEqual(checkSchema(chart, []), []);
      const digest = `sha256:${'a'.repeat(64)}` as const;
      const pinned = pinImages(chart, {
        images: [{ repository: 'shop/web', digest, tag: '1' }],
        mode: 'tagAndDigest',
        mapping: [],
        isOwnRegistry: () => false,
      });
      assert.throws(
        () => checkSchema(pinned.chart, pinned.pins),
        isInputError(
          /^values\.schema\.json refuses the values of the chart: "image\.tag" must NOT have more than 40 characters\. An image is pinned there: choose another pin \(pin: digest/,
        ),
      );
      // The oldest helm knows the drafts up to 7 alone.
      for (const helm of draft.startsWith('20') ? helms.slice(1) : helms) {
        await withChartFolder(pinned.chart, folder =>
          assert.rejects(runHelm(helm, ['template', 'x', folder], folder), /tag/, helm.version),
        );
        await withChartFolder(chart, folder => runHelm(helm, ['template', 'x', folder], folder));
      }
    });
  }

  it('holds every value, but no message does', () => {
    const chart = chartOf('password: hunter2\nport: "http"\n', {
      additionalProperties: false,
      required: ['host'],
      properties: { port: { type: 'integer', enum: [80] }, password: { pattern: '^[A-Z]+$' } },
    });
    assert.throws(
      () => checkSchema(chart, []),
      isInputError(
        /^(?!.*hunter2)values\.schema\.json refuses .*the whole must have required property 'host'; .*"port" must be integer.*Helm will not install the chart with them/,
      ),
    );
  });

  const conditional = 'condition: "a.b,other.enabled"';
  const given: readonly (readonly [values: string, dependency: string, message?: RegExp])[] = [
    ['global: {zone: x}\nother: {size: 2}\n', conditional],
    [
      'global: {zone: x}\nother: {size: x}\n',
      conditional,
      /^charts\/sub\/values\.schema\.json refuses .*"other\.size" must be integer/,
    ],
    ['x: 1\n', conditional, /"other\.global" must have required property 'zone'/],
    ['other: {global: {zone: x}}\n', conditional],
    ['global: {zone: x}\nother: {global: {zone: 5}}\n', conditional],
    ['other: {size: x, enabled: false}\n', conditional],
    ['other: {size: x, enabled: false}\na: {b: true}\n', conditional, /"other\.size" must be integer/],
    ['other: {size: x}\na: {b: "no"}\n', conditional, /"other\.size" must be integer/],
    ['other: {size: x}\ntags: {back: false}\n', 'tags: [back]'],
    ['other: {size: x}\ntags: {back: false, front: true}\n', 'tags: [back, front]', /"other\.size" must be integer/],
    ['other: {size: x}\ntags: {front: false}\n', 'tags: [back]', /"other\.size" must be integer/],
    [
      'other: {size: x, enabled: true}\ntags: {back: false}\n',
      `tags: [back], ${conditional}`,
      /"other\.size" must be integer/,
    ],
  ];
  for (const [values, dependency, message] of given) {
    it(`of a subchart ${message ? 'refuses' : 'has nothing against'} ${JSON.stringify(values)} with ${dependency}, as with helm`, async () => {
      const chart = chartOf(
        values,
        {},
        {
          'Chart.yaml': `${chartYaml}dependencies:\n- {name: sub, version: 0.1.0, alias: other, ${dependency}}\n`,
          'charts/sub/Chart.yaml': 'apiVersion: v2\nname: sub\nversion: 0.1.0\n',
          'charts/sub/values.yaml': 'size: 1\n',
          'charts/sub/values.schema.json': JSON.stringify({
            properties: {
              size: { type: 'integer' },
              global: { required: ['zone'], properties: { zone: { type: 'string' } } },
            },
          }),
        },
      );
      if (message) assert.throws(() => checkSchema(chart, []), isInputError(message));
      else assert.deepEqual(checkSchema(chart, []), []);
      for (const helm of helms) {
        const rendered = withChartFolder(chart, folder => runHelm(helm, ['template', 'x', folder], folder));
        if (message) await assert.rejects(rendered, /values don't meet the specifications/, helm.version);
        else await rendered;
      }
    });
  }

  it('is an error with the name of its file where it is not JSON', () => {
    for (const text of ['{', '', '"x"', 'null', '{"a": hunter2}']) {
      assert.throws(
        () => checkSchema(chartOf('', text), []),
        isInputError(/^(?!.*hunter2)values\.schema\.json is not a schema/),
        text,
      );
    }
  });

  it('is told, and refuses nothing, where it cannot be judged here', () => {
    const unjudged: readonly (readonly [schema: object, reason: RegExp])[] = [
      [
        { properties: { a: { $ref: 'https://example.invalid/schema.json' } } },
        /can't resolve reference https:\/\/example\.invalid/,
      ],
      [{ $schema: 'https://example.invalid/my-own' }, /of a draft of JSON Schema that is not known here/],
      [{ $schema: drafts['04'], properties: { a: { minimum: 1, exclusiveMinimum: true } } }, /exclusiveMinimum/],
      [{ properties: { a: { pattern: '(?P<name>x)' } } }, /Invalid regular expression/],
      [{ properties: { a: { type: 'nothing' } } }, /type/],
    ];
    for (const [schema, reason] of unjudged) {
      const told = checkSchema(chartOf('a: 5\n', schema), []);
      assert.equal(told.length, 1, JSON.stringify(schema));
      assert.match(told[0] ?? '', /^values\.schema\.json was not checked: /);
      assert.match(told[0] ?? '', reason);
    }
  });

  it('asks for nothing of what helm leaves alone', () => {
    const schemas = [
      { properties: { a: { format: 'email', unknownWord: 1, default: 5 } } },
      {
        $schema: drafts['07'],
        definitions: { t: { type: 'string' } },
        properties: { a: { $ref: '#/definitions/t', maxLength: 1 } },
      },
      { properties: { nothing: { type: 'string' } } },
      true,
    ];
    for (const schema of schemas)
      assert.deepEqual(checkSchema(chartOf('a: long\nnothing: ~\n', schema as object), []), []);
    assert.throws(() => checkSchema(chartOf('a: 1\n', 'false'), []), isInputError(/the whole boolean schema is false/));
  });
});
