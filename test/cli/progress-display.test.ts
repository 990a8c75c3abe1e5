import { PassThrough } from 'node:stream';
import { expect } from 'chai';
import { SingleBar } from 'cli-progress';
import { type ProgressDisplay, progressDisplay } from '../../core/cli/progress-display.ts';

interface Screen {
  readonly display: ProgressDisplay;
  text(): string;
  /** Lets so many milliseconds pass for the display. */
  pass(milliseconds: number): void;
}

function screen(isTTY: boolean): Screen {
  let now = 0;
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
  const display = progressDisplay(stream as never, () => now);
  return {
    display,
    text: () => text,
    pass: (milliseconds) => {
      now += milliseconds;
    },
  };
}

const progress = { phase: 'reading', unit: 'site1', entries: 50, entriesTotal: 100, bytes: 1024, bytesTotal: 4096 };

describe('the display of progress', () => {
  it('is a bar with share, amount, rate and time left on a terminal', () => {
    const { display, text, pass } = screen(true);
    display.progress({ ...progress, entries: 0, bytes: 0 });
    pass(1000);
    display.progress(progress);
    display.finish();
    expect(text())
      .to.contain('site1 reading')
      .and.to.contain('25%')
      .and.to.contain('50 entries, 1.0 KiB, 50 entries/s, 1.0 KiB/s, 2s left');
  });

  it('goes by the entries where bytes cost nothing', () => {
    const { display, text, pass } = screen(true);
    display.progress({ ...progress, entries: 0, byEntries: true });
    pass(1000);
    display.progress({ ...progress, byEntries: true });
    display.finish();
    expect(text()).to.contain('50%').and.to.contain('1s left');
  });

  it('shows no share of what nobody knows', () => {
    const { display, text } = screen(true);
    display.progress({ phase: 'reading', unit: 'site1', entries: 50, bytes: 1024 });
    display.finish();
    expect(text()).to.contain('site1 reading  50 entries, 1.0 KiB').and.to.not.contain('%');
  });

  it('says which unit it is of how many', () => {
    for (const isTTY of [true, false]) {
      const { display, text } = screen(isTTY);
      display.progress({ ...progress, unitNumber: 2, unitCount: 5 });
      display.finish();
      expect(text()).to.contain('site1 (2 of 5) reading');
    }
  });

  it('changes at most five times a second, and shows the last state', () => {
    const { display, text, pass } = screen(true);
    const drawn: unknown[] = [];
    const { update } = SingleBar.prototype;
    SingleBar.prototype.update = function (...args: unknown[]) {
      drawn.push((args[1] as { amounts: string }).amounts.split(' ')[0]);
      return update.apply(this, args as never);
    };
    try {
      for (let entries = 0; entries <= 1001; entries++) {
        display.progress({ phase: 'reading', unit: 'site1', entries, bytes: 0 });
        pass(1);
      }
      display.finish();
    } finally {
      SingleBar.prototype.update = update;
    }
    expect(drawn).to.deep.equal(['0', '200', '400', '600', '800', '1,000', '1,001']);
    expect(text()).to.contain('1,001 entries');
  });

  it('is a line every half minute elsewhere', () => {
    const { display, text, pass } = screen(false);
    for (let count = 0; count <= 60; count++) {
      display.progress({ ...progress, entries: count });
      pass(1000);
    }
    display.finish();
    expect(text().split('\n')).to.have.length(4);
    expect(text()).to.contain('site1 reading: 30 entries, 1.0 KiB, 1 entries/s, 0 B/s');
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

  it('is told as a line when somebody asks, wherever it is shown', () => {
    for (const isTTY of [true, false]) {
      const { display, text, pass } = screen(isTTY);
      pass(90_000);
      display.report();
      expect(text()).to.equal('in progress for 1m 30s, nothing counted yet\n');
      display.progress({ ...progress, entries: 0, bytes: 0 });
      pass(10);
      display.progress(progress);
      display.report();
      expect(text()).to.match(/site1 reading: 50 entries, 1\.0 KiB/);
    }
  });
});
