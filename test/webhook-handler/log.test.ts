import { deepEqual, equal } from 'node:assert/strict';
import { AppError } from '../../core/base/errors.ts';
import { createCounters } from '../../webhook-handler/counters.ts';
import { createJsonLog, createTextLog } from '../../webhook-handler/log.ts';
import { createStillClock } from './world.ts';

const evil = 'a\n\u001b[31m\u009b2J\u202e\u2028\u007fb';

describe('log', () => {
  const lines: string[] = [];
  beforeEach(() => void lines.splice(0));
  const options = { write: (line: string) => lines.push(line), clock: createStillClock(), level: 'info' as const };

  it('is one JSON object a line, with the failure beside the facts', () => {
    const log = createJsonLog(options);
    log.debug('unsaid');
    log.info('said', { buildId: 1, absent: undefined });
    log.error('failed', new AppError('denied', { code: 'REGISTRY_DENIED' }));
    log.error('broke', 'text');
    deepEqual(
      lines.map(line => JSON.parse(line) as unknown),
      [
        { time: '1970-01-01T00:16:40.000Z', level: 'info', message: 'said', buildId: 1 },
        {
          time: '1970-01-01T00:16:40.000Z',
          level: 'error',
          message: 'failed',
          err: { code: 'REGISTRY_DENIED', message: 'denied' },
        },
        {
          time: '1970-01-01T00:16:40.000Z',
          level: 'error',
          message: 'broke',
          err: { code: 'DEFECT', message: 'text' },
        },
      ],
    );
  });

  it('shows control characters and obeys none', () => {
    createJsonLog(options).info(evil, { evil });
    createTextLog(options).warn(evil, { evil });
    createTextLog(options).error(evil, new Error(evil));
    for (const line of lines) equal(/[^\u0020-\u007e]/.exec(line.slice(0, -1)), null, line);
    deepEqual((JSON.parse(lines[0] ?? '') as { evil: string }).evil, evil);
  });
});

describe('counters', () => {
  it('read as Prometheus wants them', () => {
    const counters = createCounters();
    counters.count('runs', 'done');
    counters.count('runs', 'done', 2);
    equal(counters.value('runs', 'done'), 3);
    equal(counters.value('runs', 'failed'), 0);
    equal(
      counters
        .text()
        .includes('# TYPE image_lifecycle_runs_total counter\nimage_lifecycle_runs_total{result="done"} 3\n'),
      true,
    );
  });
});
