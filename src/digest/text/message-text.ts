/** What a message says, in the forms the pipeline needs. */
export interface MessageText {
  /** For people and models: original case, mentions as names, labels of links, entities decoded; lines kept. */
  plain: string;
  /** For matching: lower case, without code, URLs and mentions of people; one line. */
  norm: string;
  /** Normalized URLs in the order they stand, each once. */
  links: string[];
  /** Keys of tickets, pull requests, meetings, documents; in the order of their kinds, each once. */
  anchors: string[];
  /** How often all members, or all who are present, are called: `<!channel>`, `<!here>`, `<!everyone>`, `@channel`, `@here`. */
  mentions: number;
  hasFiles: boolean;
}
