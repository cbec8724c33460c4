import { clearLine, cursorTo } from 'node:readline';
import { type Output, paint } from './table.ts';

/** A line that says what is going on and gives way to the next one; nothing where the output is no terminal. */
export function progressLine(output: Output): { show(text: string): void; clear(): void } {
  const isLive = output.isTTY === true && process.env['TERM'] !== 'dumb';
  const clear = () => {
    if (!isLive) return;
    cursorTo(output, 0);
    clearLine(output, 0);
  };
  return {
    show(text) {
      clear();
      if (isLive) output.write(paint('dim', `… ${text}`, output));
    },
    clear,
  };
}
