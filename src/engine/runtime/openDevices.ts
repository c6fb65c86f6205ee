import os from 'node:os';
import { EspalierError } from '../../base/errors.ts';
import type { DeviceReport } from '../../experiment/resultSchema.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import { Device } from './device.ts';
import type { DeviceOptions } from './device.ts';
import { chooseDevice, selectDevice } from './probe.ts';

/** The device of this process: opened when first asked for, closed when another is. */
export class OpenDevices {
  private open: { readonly key: string; readonly device: Device } | undefined;
  private readonly chosen = new Map<string, DeviceReport>();
  private readonly beforeClose: () => void;
  private readonly number: number | undefined;

  /**
   * @param beforeClose frees what lies on the open device: no tensor may outlive it
   * @param number which device of several of its kind this process has; without it what it is given
   */
  constructor(beforeClose: () => void, number?: number) {
    this.beforeClose = beforeClose;
    this.number = number;
  }

  /**
   * @throws EspalierError `device/unavailable` when the device does not work here, `settings/invalid` for float16 where it has none
   */
  async device({
    device: choice,
    precision,
    threads,
  }: Pick<EvaluationSettings, 'device' | 'precision' | 'threads'>): Promise<Device> {
    const options = {
      ...(await this.kind({ device: choice, precision })),
      threads: threads || os.availableParallelism(),
    };
    const key = JSON.stringify(options);
    if (this.open?.key === key) return this.open.device;
    await this.dispose();
    const device = new Device(options);
    this.open = { key, device };
    return device;
  }

  /** What would be opened, without opening it. @throws EspalierError as {@link device} */
  async kind({
    device: choice,
    precision,
  }: Pick<EvaluationSettings, 'device' | 'precision'>): Promise<Required<Omit<DeviceOptions, 'threads'>>> {
    const report = this.chosen.get(choice) ?? (await this.choose(choice));
    this.chosen.set(choice, report);
    return { name: report.name, number: this.number ?? 0, precision: choosePrecision(report, precision) };
  }

  private async choose(choice: EvaluationSettings['device']): Promise<DeviceReport> {
    if (this.number !== undefined && choice !== 'auto') await selectDevice(choice, this.number);
    return chooseDevice(choice, this.number);
  }

  async dispose(): Promise<void> {
    this.beforeClose();
    await this.open?.device.dispose();
    this.open = undefined;
  }
}

/** float32 unless float16 is asked for: two devices' numbers should agree as they are. */
function choosePrecision(report: DeviceReport, asked: EvaluationSettings['precision']): 'float32' | 'float16' {
  if (asked !== 'float16') return 'float32';
  if (report.float16) return 'float16';
  throw new EspalierError({
    code: 'settings/invalid',
    operation: 'choosing the precision',
    expected: `a device that computes in float16`,
    actual: `${report.name}, which does not`,
    remedy: 'Use --precision float32, or another device: `espalier devices` shows which have float16.',
  });
}
