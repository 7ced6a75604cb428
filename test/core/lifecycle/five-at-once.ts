/** A moment at which five deletions of a collection are past their first question, and none has asked the second. */
import type { Estate } from './estate.ts';

/** Lets the first five questions for referrers wait for each other; acts, and lets half a minute pass, before the answers. */
export function actAmongFive(
  { acr, advance }: Pick<Estate, 'acr' | 'advance'>,
  repository: string,
  act: () => unknown,
): { came(): boolean } {
  let asked = 0;
  let came = false;
  let release: (() => void) | undefined;
  const together = new Promise<void>(resolve => {
    release = resolve;
  });
  acr.faults.intercept = async (request, phase): Promise<'proceed'> => {
    if (phase !== 'before' || request.operation !== 'referrers.list' || request.repository !== repository)
      return 'proceed';
    asked += 1;
    if (asked === 5) {
      try {
        await act();
        advance(30_000);
        came = true;
      } finally {
        release?.();
      }
    }
    await together;
    return 'proceed';
  };
  return { came: () => came };
}
