/** libpq's `options`: what would follow `postgres` on its command line, most often settings (`-c search_path=mine`). */

/** Words as Postgres cuts them: at white space, unless a backslash stands before it. */
function wordsOf(options: string): string[] {
  return (options.match(/(?:\\.|[^\s\\])+/g) ?? []).map((word) => word.replace(/\\(.)/g, '$1'));
}

/** The settings among the options: `-c name=value`, `-cname=value` and `--name=value`. */
export function settingsIn(options: string): [name: string, value: string][] {
  return parse(options).flatMap((part) => (part.setting === undefined ? [] : [part.setting]));
}

/** Whether there is nothing but settings. */
export function areSettings(options: string): boolean {
  return parse(options).every(({ setting }) => setting !== undefined);
}

function parse(options: string): { setting: [name: string, value: string] | undefined }[] {
  const words = wordsOf(options);
  return words.flatMap((word, i) => {
    if (word === '-c') return [];
    const text = words[i - 1] === '-c' ? word : /^(?:-c|--)(.+)$/.exec(word)?.[1];
    const [, name, value] = /^([^=]+)=(.*)$/s.exec(text ?? '') ?? [];
    const setting: [string, string] | undefined =
      name === undefined || value === undefined ? undefined : [name.replaceAll('-', '_'), value];
    return [{ setting }];
  });
}
