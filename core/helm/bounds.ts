/** How much of a chart is read: what helm would refuse, or no chart is, is given up on the way. */
import { AppError } from '../base/errors.ts';

/** Helm takes no larger file. https://github.com/helm/helm/blob/v4.2.4/pkg/chart/loader/archive/archive.go */
export const maxFileBytes = 5 * 1024 * 1024;
/** Helm unpacks no larger chart. */
export const maxChartBytes = 100 * 1024 * 1024;
/** Large charts have some hundred. */
export const maxFiles = 20_000;

/** What may still be read of one chart, with all that is in it. */
export interface Budget {
  bytes: number;
  files: number;
}

/** A budget that nothing was taken from. */
export function createBudget(): Budget {
  return { bytes: maxChartBytes, files: maxFiles };
}

/** Takes one file out of the budget before it is read. Throws `TOO_LARGE`. */
export function takeFile(budget: Budget, label: string, path: string, size: number): void {
  const refuse = (why: string) => new AppError(`${label}: ${why}`, { code: 'TOO_LARGE' });
  if (size > maxFileBytes) {
    throw refuse(
      `${path.slice(0, 200)} has ${size} bytes; helm takes ${maxFileBytes} at most. Name it in .helmignore.`,
    );
  }
  budget.bytes -= size;
  budget.files -= 1;
  if (budget.bytes < 0)
    throw refuse(`with it the chart has more than ${maxChartBytes} bytes, the most that helm unpacks.`);
  if (budget.files < 0) throw refuse(`with it the chart has more than ${maxFiles} files.`);
}
