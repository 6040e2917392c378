import type { LocalExtractor } from '../events/extractor.ts';
export function rulesExtractor(_options: { maxEvents?: number } = {}): LocalExtractor {
  return { version: 'stub', extract: () => ({ events: [] }) };
}
