// What the demo looks like: plain lines everywhere, a little colour and a running clock in a terminal.
const terminal = process.stdout.isTTY === true && process.env.TERM !== 'dumb';
const coloured = terminal && !process.env.NO_COLOR;

const paint = (code: number) => (text: string) => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text);
export const bold = paint(1);
export const dim = paint(2);
export const red = paint(31);
export const green = paint(32);
export const cyan = paint(36);

const started = performance.now();
export const secondsSinceStart = (): number => (performance.now() - started) / 1000;

const WIDTH = 78;
// Bytes of colour take no room on the screen.
// biome-ignore lint/suspicious/noControlCharactersInRegex: this is what a colour begins with
const visible = (text: string) => text.replace(/\u001b\[\d+m/g, '').length;
const padded = (text: string, width: number) => text + ' '.repeat(Math.max(0, width - visible(text)));
const seconds = (since: number) => `${((performance.now() - since) / 1000).toFixed(1)} s`.padStart(7);

export function say(line = ''): void {
  process.stdout.write(`${line}\n`);
}

let chapters = 0;
export function chapter(title: string, why: string): void {
  chapters += 1;
  say();
  say(bold(`${chapters}  ${title}`));
  say(dim(`   ${why}`));
}

/** A command that the reader can repeat; a long one goes on in lines of its own, at its options. */
export function command(line: string): void {
  const lines = [''];
  for (const part of line.split(/ (?=--?[a-z]+ )/)) {
    const last = lines.length - 1;
    if (lines[last] && lines[last].length + part.length > WIDTH - 8) lines.push(part);
    else lines[last] = lines[last] ? `${lines[last]} ${part}` : part;
  }
  say(`   ${cyan('$')} ${lines.join(' \\\n       ')}`);
}

/** Does some work under a running clock, and then tells its outcome and how long it took. */
export async function work<T>(
  doing: string,
  task: () => Promise<T>,
  outcome: (result: T) => string,
): Promise<T> {
  const since = performance.now();
  const show = () =>
    process.stdout.write(`\r\u001b[2K   ${dim(padded(`… ${doing}`, WIDTH - 10))}${dim(seconds(since))}`);
  const clock = terminal ? setInterval(show, 100) : undefined;
  if (terminal) show();
  const clear = () => {
    clearInterval(clock);
    if (terminal) process.stdout.write('\r\u001b[2K');
  };
  try {
    const result = await task();
    clear();
    say(`   ${padded(`${green('✓')} ${outcome(result)}`, WIDTH - 10)}${dim(seconds(since))}`);
    return result;
  } catch (error) {
    clear();
    say(`   ${red('✗')} ${doing}`);
    throw error;
  }
}

/** Lines that a command printed, a little to the right; long ones go on below, in their own column. */
export function quote(text: string): void {
  for (const line of text.trimEnd().split('\n')) {
    const indent = ' '.repeat(5 + line.length - line.trimStart().length);
    let row = indent;
    for (const word of line.trimStart().split(/(?<= )(?=\S)/)) {
      if (row.length + word.trimEnd().length > WIDTH + 12 && row !== indent) {
        say(dim(row.trimEnd()));
        row = indent;
      }
      row += word;
    }
    say(dim(row.trimEnd()));
  }
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
