/** The forms in which a digest is printed. */
export const digestFormats = ['text', 'markdown', 'json', 'html', 'blocks'] as const;
export type DigestFormat = (typeof digestFormats)[number];
