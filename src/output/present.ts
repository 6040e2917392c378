/** Digests as they are printed. */
import type { Digest } from '../digest/digest.ts';
import { renderBlocksJson } from './blocks.ts';
import type { DigestFormat } from './formats.ts';
import { renderHtml } from './html.ts';
import { renderJson } from './json.ts';
import { renderMarkdown } from './markdown.ts';
import { renderText } from './text.ts';
import type { TextScreen } from './text-page.ts';

/** All digests of a run in one document, one for each workspace, without a newline at the end. Only `text` looks at the screen. */
export function presentDigests(digests: readonly Digest[], format: DigestFormat, screen: TextScreen): string {
  switch (format) {
    case 'text':
      return renderText(digests, screen);
    case 'markdown':
      return renderMarkdown(digests);
    case 'json':
      return renderJson(digests);
    case 'html':
      return renderHtml(digests);
    case 'blocks':
      return renderBlocksJson(digests);
  }
}
