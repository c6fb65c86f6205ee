import { describeError } from '../../base/errors.ts';
import type { EndedWhy, HostEvent, HostStatus, LeftWhy } from '../../queue/host/hostEvents.ts';
import type { WorkerEntry } from '../../queue/wire.ts';
import type { Terminal } from '../terminal.ts';

/** What a worker of a queue says, on a terminal or as JSON lines. */
export interface WorkerReport {
  readonly log: (line: string) => void;
  begin(queue: string, version: string, folder: string): void;
  /** What one of its engines says. @param name of that one */
  of(name: string): {
    readonly onEvent: (event: HostEvent) => void;
    readonly onStatus: (status: HostStatus) => void;
    readonly log: (line: string) => void;
  };
}

export function workerReport(terminal: Terminal, json: boolean): WorkerReport {
  const states = new Map<string, HostStatus>();
  const log = (line: string): void => {
    terminal.say(line);
  };
  return {
    log,
    begin: (queue, version, folder) => {
      if (json) terminal.print(JSON.stringify({ event: 'connected', queue, espalier: version, folder }));
      else terminal.print(`Espalier ${version} waits for questions of ${queue}; paths start from ${folder}`);
    },
    of: (name) => ({
      log,
      onEvent: ({ kind, ...about }) => {
        const event = { kind, ...about } as HostEvent;
        if (json) terminal.print(JSON.stringify({ event: kind, worker: name, ...about }));
        else terminal.print(`${terminal.out.bold(name)}  ${eventText(event)}`);
      },
      onStatus: (status) => {
        states.set(name, status);
        if (!json) terminal.status(statusText([...states.values()]));
      },
    }),
  };
}

function eventText(event: HostEvent): string {
  switch (event.kind) {
    case 'started':
      return `is there: device ${event.device}, ${count(event.threads, 'CPU thread')}`;
    case 'took': {
      const { title, owner, seconds, of } = event;
      return `works for “${title}” of ${owner}: opened in ${secondsText(seconds)} on ${of.deviceName}, ${of.precision}`;
    }
    case 'left': {
      const { title, why, answered, seconds } = event;
      return `leaves “${title}” after ${count(answered, 'answer')} in ${secondsText(seconds)}: ${LEFT[why]}`;
    }
    case 'refused':
      return `does not answer “${event.title}”: ${describeError(event.error)}`;
    case 'exited':
      return `lost its engine under a question of “${event.title}”: ${event.error.actual}`;
    case 'ended':
      return `leaves, ${ENDED[event.why]}: ${count(event.answered, 'answer')} in all`;
  }
}

const LEFT: Readonly<Record<LeftWhy, string>> = {
  over: 'it is over, or paused',
  silent: 'who asks has not been seen for a while',
  turn: 'others wait',
  refused: 'it cannot answer it',
  leaving: 'it was told to leave',
};

const ENDED: Readonly<Record<EndedWhy, string>> = { idle: 'with nothing to do', asked: 'as it was told' };

const STATES: Readonly<Record<WorkerEntry['state'], string>> = {
  idle: 'waiting for a run',
  opening: 'opening',
  answering: 'answering',
  leaving: 'leaving',
};

function statusText(all: readonly HostStatus[]): string {
  const [first] = all;
  const answered = all.reduce((sum, status) => sum + status.answered, 0);
  const perMinute = all.reduce((sum, status) => sum + status.perMinute, 0);
  const what =
    all.length === 1
      ? `${STATES[first!.state]}${first!.title === undefined ? '' : ` “${first!.title}”`}`
      : Object.entries(STATES)
          .map(([state, text]) => ({ text, number: all.filter((status) => status.state === state).length }))
          .filter(({ number }) => number > 0)
          .map(({ text, number }) => `${number} ${text}`)
          .join(', ');
  return `${what} · ${count(answered, 'answer')}, ${perMinute.toFixed(perMinute < 10 ? 1 : 0)} a minute · Ctrl-C leaves`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function secondsText(seconds: number): string {
  return seconds < 100 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds / 60)} min`;
}
