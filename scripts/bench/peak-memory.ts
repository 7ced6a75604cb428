/** The most memory that this process had at any time. */
import { readFileSync } from 'node:fs';

/**
 * In MB. By the kernel's mark of this program's own memory: `getrusage` counts what the parent had when it started us, which
 * for a bench that makes large images is more than anything of ours. https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
 */
export function readPeakMB(): number {
  const [, kilobytes = ''] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}
