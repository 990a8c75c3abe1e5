import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { type ProgressDisplay, progressDisplay } from '../../core/cli/progress-display.ts';

interface Screen {
  readonly display: ProgressDisplay;
  text(): string;
}

function screen(isTTY: boolean): Screen {
  const stream = Object.assign(new PassThrough(), {
    isTTY,
    columns: 200,
    rows: 20,
    cursorTo: () => true,
    clearLine: () => true,
    moveCursor: () => true,
  });
  let text = '';
  stream.on('data', (chunk) => {
    text += chunk;
  });
  return { display: progressDisplay(stream as never), text: () => text };
}

const progress = { phase: 'reading', unit: 'site1', entries: 50, entriesTotal: 100, bytes: 1024, bytesTotal: 4096 };

describe('the display of progress', () => {
  it('is a bar with share, amount and rate on a terminal', () => {
    const { display, text } = screen(true);
    display.progress(progress);
    display.progress(progress);
    display.finish();
    expect(text()).to.contain('site1 reading').and.to.contain('25%').and.to.contain('50 entries, 1.0 KiB').and.to.contain('/s');
  });

  it('is a line at the start of each phase elsewhere', () => {
    const { display, text } = screen(false);
    for (let count = 0; count < 1000; count++) display.progress(progress);
    display.progress({ ...progress, phase: 'verifying' });
    display.finish();
    expect(text()).to.equal('site1 reading\nsite1 verifying\n');
  });

  it('shows log lines between, without anything that steers a terminal', () => {
    for (const isTTY of [true, false]) {
      const { display, text } = screen(isTTY);
      display.progress(progress);
      display.log({ level: 'warning', code: 'vanished', message: 'gone', affected: ['shadow/\x1b[2Jx\n'] });
      display.finish();
      expect(text()).to.contain('warning: gone shadow/\\x1b[2Jx\\x0a\n');
    }
  });
});
