import assert from 'node:assert/strict';
import { parse } from 'yaml';
import { AppError } from '../../../core/base/errors.ts';
import { pinnedCharts, writeStageValues, writeValuesFiles } from '../../../core/lifecycle/stage-values.ts';

const digest = `sha256:${'a'.repeat(64)}` as const;
const other = `sha256:${'b'.repeat(64)}` as const;
const images = [
  { sourceRepository: 'shop/web', repository: 'prod/shop/web', digest },
  { sourceRepository: 'shop/api', repository: 'shop/api', digest: other },
];
const chartOf = (...pins: readonly object[]) =>
  pinnedCharts.parse({ schema: 1, build: { id: 1, projectId: 'p' }, charts: [{ name: 'shop', pins }] }).charts;

const named = (name: string, pin: object) => ({ ...chartOf(pin)[0]!, name });

const refuses = (charts: ReturnType<typeof chartOf>, message: RegExp): void => {
  assert.throws(
    () => writeStageValues(charts, images, 'prod.azurecr.io'),
    (thrown: unknown) => thrown instanceof AppError && thrown.code === 'INPUT_INVALID' && message.test(thrown.message),
  );
};

describe('the values of a stage', () => {
  it('name its registry at every place where the chart pins an image', () => {
    const charts = chartOf(
      {
        repository: 'shop/web',
        digest,
        values: { registry: ['web', 'image', 'registry'], repository: ['web', 'image', 'repository'] },
      },
      { repository: 'shop/api', digest: other, values: { repository: ['api', 'image', 'repository'] } },
      { repository: 'shop/api', digest: other, values: { image: ['job', 'image'] } },
    );
    assert.deepEqual(parse(writeStageValues(charts, images, 'prod.azurecr.io')), {
      web: { image: { registry: 'prod.azurecr.io', repository: 'prod/shop/web' } },
      api: { image: { repository: 'prod.azurecr.io/shop/api' } },
      job: { image: `prod.azurecr.io/shop/api@${other}` },
    });
  });

  it('are text in quotes under every name, whatever YAML would make of it', () => {
    const path = ['on', '1e3', '__proto__', 'a: b', 'ümlaut'];
    const text = writeStageValues(
      chartOf({ repository: 'shop/api', digest: other, values: { registry: path } }),
      images,
      '12:30',
    );
    assert.equal(
      text.split('\n').slice(2).join('\n'),
      '"on":\n  "1e3":\n    "__proto__":\n      "a: b":\n        "ümlaut": "12:30"\n',
    );
  });

  it('are none where a pinned image is not promoted: the stage could not pull it', () => {
    const pin = { repository: 'shop/web', digest: other, values: { repository: ['x'] } };
    refuses(chartOf(pin), /The chart "shop" pins shop\/web@sha256:b+, which is not among the images/);
  });

  it('are none where two pins want different things of one place, or one below the other', () => {
    const web = { repository: 'shop/web', digest, values: { repository: ['image'] } };
    const api = { repository: 'shop/api', digest: other, values: { repository: ['image'] } };
    refuses(chartOf(web, api), /two values at "image": "prod\.azurecr\.io\/prod\/shop\/web" and/);
    refuses(
      chartOf(web, { ...api, values: { repository: ['image', 'repository'] } }),
      /a value at "image", and others below it/,
    );
  });

  it('are a file for all charts and one for each, and have none together where charts want two values at one place', () => {
    const web = { repository: 'shop/web', digest, values: { repository: ['image', 'repository'] } };
    const api = { repository: 'shop/api', digest: other, values: { repository: ['image', 'repository'] } };
    const elsewhere = { ...api, values: { repository: ['api', 'repository'] } };
    const write = (...charts: ReturnType<typeof named>[]) => writeValuesFiles(charts, images, 'prod.azurecr.io');
    assert.deepEqual([...write(named('web', web)).keys()], ['stage-values.yaml']);
    const agreed = write(named('web', web), named('api', elsewhere));
    assert.deepEqual(parse(agreed.get('stage-values.yaml') ?? ''), {
      image: { repository: 'prod.azurecr.io/prod/shop/web' },
      api: { repository: 'prod.azurecr.io/shop/api' },
    });
    const apart = write(named('web', web), named('api', api));
    assert.deepEqual([...apart.keys()], ['stage-values-web.yaml', 'stage-values-api.yaml']);
    assert.deepEqual(parse(apart.get('stage-values-api.yaml') ?? ''), {
      image: { repository: 'prod.azurecr.io/shop/api' },
    });
  });

  it('are refused for a chart whose name is no name of a file, for one name twice, and for an image that is not there', () => {
    const [chart] = chartOf({ repository: 'shop/web', digest, values: {} });
    const [lost] = chartOf({ repository: 'shop/gone', digest, values: {} });
    const write =
      (...charts: object[]) =>
      () =>
        writeValuesFiles(charts as NonNullable<typeof chart>[], images, 'prod.azurecr.io');
    assert.throws(write({ ...chart, name: '../x' }, chart!), /"\.\.\/x" is not the name of a chart/);
    assert.throws(write(chart!, chart!), /Two charts are called "shop"/);
    assert.throws(write(chart!, { ...lost, name: 'lost' }), /pins shop\/gone@sha256:/);
  });
});
