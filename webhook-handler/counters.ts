/** Counts of what happened since the start, in memory. */

/** What is counted; each name has one label. */
export type CounterName = 'notifications' | 'refusals' | 'runs' | 'items';

/** Counts, and tells the counts. */
export interface Counters {
  count(name: CounterName, label: string, by?: number): void;
  value(name: CounterName, label: string): number;
  /** All counts as Prometheus reads them: https://prometheus.io/docs/instrumenting/exposition_formats/ */
  text(): string;
}

const meanings: Readonly<Record<CounterName, { readonly label: string; readonly help: string }>> = {
  notifications: { label: 'outcome', help: 'Authentic notifications, by what became of them.' },
  refusals: { label: 'status', help: 'Requests that were refused, by status.' },
  runs: { label: 'result', help: 'Reconciliations, by result.' },
  items: { label: 'outcome', help: 'Images and builds that reconciliations reported, by outcome.' },
};

/** Makes counters that stand at zero. Labels are the program's own words, never text from outside. */
export function createCounters(): Counters {
  const counts = new Map<CounterName, Map<string, number>>();
  const value = (name: CounterName, label: string): number => counts.get(name)?.get(label) ?? 0;
  return {
    value,
    count: (name, label, by = 1) => {
      const labels = counts.get(name) ?? new Map<string, number>();
      counts.set(name, labels.set(label, value(name, label) + by));
    },
    text: () =>
      Object.entries(meanings)
        .flatMap(([name, meaning]) => {
          const full = `image_lifecycle_${name}_total`;
          const lines = [...(counts.get(name as CounterName) ?? [])].map(
            ([label, count]) => `${full}{${meaning.label}="${label}"} ${count}`,
          );
          return [`# HELP ${full} ${meaning.help}`, `# TYPE ${full} counter`, ...lines];
        })
        .concat('')
        .join('\n'),
  };
}
