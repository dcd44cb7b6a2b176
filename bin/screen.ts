import { aligned, folded } from '../lib/residency/output/columns.js';

/** How wide the terminal is that the result goes to; none where a program or a file takes it, a record in a line. */
export function screenWidth(out?: string): number | undefined {
  return out === undefined ? widthOf(process.stdout) : undefined;
}

export function widthOf(stream: NodeJS.WriteStream): number | undefined {
  return stream.isTTY ? Math.max(stream.columns || 80, 40) : undefined;
}

/** Records for people: in columns where they look at them. */
export function printRecords(rows: readonly (readonly string[])[], below = 1): void {
  const width = screenWidth();
  if (rows.length === 0) return;
  printLines(width === undefined ? rows.map((row) => row.join('  ')) : aligned(rows, width, below));
}

export function printLines(lines: readonly string[]): void {
  const width = screenWidth() ?? Number.POSITIVE_INFINITY;
  for (const line of lines) for (const part of folded(line, width)) process.stdout.write(`${part}\n`);
}

/** Help, for this terminal: paragraphs in lines of its width, commands broken before their options. */
export function paragraphs(help: string): string {
  const width = screenWidth() ?? 80;
  return help
    .replace(/(?<=^\S.*)\n(?=\S)/gm, ' ')
    .replace(/ \\\n +/g, ' ')
    .split('\n')
    .flatMap((line) => {
      if (!line.startsWith(' ')) return folded(line, width, 0);
      return /^ +sovereign-backup /.test(line) ? commandLines(line, width) : [line];
    })
    .join('\n');
}

function commandLines(command: string, width: number): string[] {
  const lines: string[] = [];
  const indent = ' '.repeat(command.search(/\S/) + 2);
  for (const part of command.split(/ (?=--)/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + part.length + 3 <= width)
      lines[lines.length - 1] = `${last} ${part}`;
    else lines.push(last === undefined ? part : indent + part);
  }
  return lines.map((line, i) => (i < lines.length - 1 ? `${line} \\` : line));
}
