import { Command } from 'commander';
import { printable } from '../../base/printable.ts';
import { printDevice } from '../../experiment/numberedDevice.ts';
import type { DeviceReport } from '../../experiment/resultSchema.ts';
import { JSON_FLAG, withExamples } from './commandContext.ts';
import type { CommandContext } from './commandContext.ts';
import { EXIT } from '../exitCode.ts';

export function devicesCommand(context: CommandContext): Command {
  const command = new Command('devices')
    .description('which devices work on this machine, and how fast each multiplies matrices')
    .option(...JSON_FLAG)
    .action(async (options: { json?: true }) => {
      const reports = await context.listDevices();
      const lines = options.json ? reports.map((report) => JSON.stringify(report)) : deviceTable(reports);
      for (const line of lines) context.terminal.print(line);
      context.finish(EXIT.ok);
    });
  return withExamples(command, [
    ['what `--device` can be here', 'espalier devices'],
    ['names of the devices that work', `espalier devices --json | jq -r 'select(.works).name'`],
  ]);
}

function deviceTable(reports: readonly DeviceReport[]): string[] {
  const row = (name: string, works: string, rate: string, half: string, detail: string) =>
    `${name.padEnd(8)}  ${works.padEnd(5)}  ${rate.padStart(8)}  ${half.padEnd(7)}  ${detail}`.trimEnd();
  return [
    row('device', 'works', 'GFLOP/s', 'float16', 'detail'),
    ...reports.flatMap(({ name, works, gigaflops, float16, detail, numbered = [] }) => [
      row(name, works ? 'yes' : 'no', gigaflops?.toFixed(0) ?? '–', works ? (float16 ? 'yes' : 'no') : '–', detail),
      ...numbered.map((one, number) => `  ${printDevice({ device: name, number })}  ${printable(one)}`),
    ]),
  ];
}
