/** What is wrong with a value from outside, in a clause. */
import type { z } from 'zod';

/** Where a value stands that is not as expected, and what was expected there; never the value. */
export function describeFault(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue ? `${issue.path.join('.') || 'it'}: ${issue.message}`.slice(0, 300) : 'it is not as expected';
}
