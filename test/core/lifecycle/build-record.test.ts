/** What a record can say, and that a reader of version 0.1 leaves alone what it would misread. */
import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import {
  isPromoted,
  listRecordKeys,
  type RecordContent,
  type RecordedChart,
  readRecord,
  writeRecord,
} from '../../../core/lifecycle/build-record.ts';
import { type Estate, requestOf, startEstate } from './estate.ts';
import { forgeRecord } from './forge-record.ts';

const promotedBy = {
  projectId: '11111111-2222-4333-8444-555555555555',
  definitionId: 9,
  runId: 4711,
  stage: 'prod',
  url: 'https://dev.azure.com/contoso/shop/_build/results?buildId=4711',
};
const chart: RecordedChart = {
  repository: 'charts/shop',
  digest: `sha256:${'a'.repeat(64)}`,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  size: 700,
  children: [],
  tags: ['1.2.3'],
  name: 'shop',
  version: '1.2.3',
  archive: `sha256:${'b'.repeat(64)}`,
};

describe('a build record', () => {
  let estate: Estate;
  let id: number;
  let plain: RecordContent;
  beforeEach(async () => {
    estate = await startEstate();
    ({ id } = estate.ado.world.addBuild({ definitionId: estate.definitionId }));
    plain = {
      build: requestOf(estate, id, [], {}).build,
      images: [],
      charts: [],
      onBuildDeleted: 'delete',
      createdAt: '2026-11-23T10:00:00Z',
    };
  });
  afterEach(() => estate.close());

  /** What is read back of the one record that is there. */
  const read = async () => {
    const [key] = await listRecordKeys(estate.connect(), estate.projectId, id);
    ok(key);
    return readRecord(estate.connect(), key);
  };

  for (const [what, more, schema] of [
    ['what a build pushed', {}, 1],
    ['promoted copies', { promotedFrom: 'ci.azurecr.io', promotedBy }, 2],
    ['copies from an archive, of which only the promoter is known', { promotedBy }, 2],
    ['charts', { charts: [chart] }, 2],
  ] as const) {
    it(`of ${what} comes back as it was written, in form ${schema}`, async () => {
      const content: RecordContent = { ...plain, ...more, charts: 'charts' in more ? [...more.charts] : [] };
      await writeRecord(estate.connect(), content);
      const reading = await read();
      ok(reading.kind === 'record');
      deepEqual(reading.record, { ...content, schema });
      equal(isPromoted(reading.record), 'promotedBy' in more);
    });
  }

  it('is refused before it is written where a text has no end or an id is none', async () => {
    const long = 'x'.repeat(1025);
    const wrong: readonly Partial<RecordContent>[] = [
      { promotedFrom: long },
      { promotedBy: { ...promotedBy, stage: long } },
      { promotedBy: { ...promotedBy, url: long } },
      { promotedBy: { ...promotedBy, runId: 0 } },
      { charts: [{ ...chart, version: long }] },
      { charts: [{ ...chart, repository: '../builds' }] },
      { charts: [{ ...chart, archive: 'sha256:b' }] },
    ];
    for (const more of wrong) {
      await rejects(writeRecord(estate.connect(), { ...plain, ...more }), { code: 'INPUT_INVALID' });
    }
    deepEqual(estate.acr.world.repositories(), []);
  });

  it('whose chart or promoter has another shape cannot be read', async () => {
    const tag = `${id}.${estate.definitionId}.zz`;
    for (const more of [{ charts: [{ name: 'shop' }] }, { charts: ['shop'] }, { promotedBy: 'me' }, { schema: 3 }]) {
      forgeRecord(estate, tag, { schema: 2, ...plain, ...more });
      const reading = await read();
      equal(reading.kind, 'unreadable');
      match('reason' in reading ? reading.reason : '', /charts|promotedBy|schema/);
    }
  });
});
