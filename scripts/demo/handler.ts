/** The webhook handler, as a service and as a command. */
import { type Ended, run, type Server, startServer } from './processes.ts';
import type { Scene } from './scene.ts';
import { chapter, tell } from './story.ts';

/** Starts the service and waits until it has looked at everything once. */
export async function startHandler({ stage, configuration, secrets, registries }: Scene): Promise<Server> {
  chapter('The webhook handler starts, for all three registries');
  const args = ['webhook-handler/main.js', 'serve', '--config', configuration];
  const server = await startServer(stage, args, 'port', secrets);
  await server.printed('reconciliation ended', Object.keys(registries).length);
  const port = String(server.ready['port']);
  tell(`It listens on port ${port} and has reconciled once: every build is alive, nothing was to do.`);
  return server;
}

/** Runs the command that a scheduled pipeline would run. */
export function reconcile({ stage, configuration, secrets }: Scene): Promise<Ended> {
  return run(stage, ['webhook-handler/main.js', 'reconcile', '--config', configuration], secrets);
}
