/** The control surface under `/_emulator/`, by which another process drives the emulator. */
import type { Core } from './core.ts';
import { type Answer, refuse } from './errors.ts';
import type { FaultEffect, FaultMatch } from './faults.ts';

function ok(body: object): Answer {
  return { status: 200, body };
}

function read(body: Buffer): unknown {
  return JSON.parse(body.toString() || '{}');
}

type Control = (core: Core, body: Buffer) => Answer;

const controls: Readonly<Record<string, Control>> = {
  'GET requests': core => ok({ requests: core.requests.all() }),
  'DELETE requests': core => {
    core.requests.clear();
    return ok({});
  },
  'GET clock': core => ok({ now: core.clock.now() }),
  'POST clock': (core, body) => {
    core.clock.advance((read(body) as { advanceMs?: number }).advanceMs ?? 0);
    return ok({ now: core.clock.now() });
  },
  'POST faults': (core, body) => {
    const { match = {}, effect } = read(body) as { match?: FaultMatch; effect?: FaultEffect };
    if (effect === undefined) return refuse(400, 'UNSUPPORTED', 'no effect').answer;
    return ok({ id: core.faults.add(match, effect).id });
  },
  'DELETE faults': core => {
    core.faults.clear();
    return ok({});
  },
  'GET behaviour': core => ok(core.behaviour),
  'POST behaviour': (core, body) => ok(Object.assign(core.behaviour, read(body))),
  'GET state': core => ok({ ...core.world.snapshot(), blobBytes: core.world.blobs.size() }),
};

/** Answers a request to the control surface; needs no sign-in and leaves no trace in the log. */
export function serveControl(core: Core, method: string, path: string, body: Buffer): Answer {
  const control = controls[`${method} ${path.slice('/_emulator/'.length)}`];
  if (control === undefined) return refuse(404, 'UNSUPPORTED', 'no such control').answer;
  try {
    return control(core, body);
  } catch (thrown) {
    return refuse(400, 'UNSUPPORTED', thrown instanceof Error ? thrown.message : String(thrown)).answer;
  }
}
