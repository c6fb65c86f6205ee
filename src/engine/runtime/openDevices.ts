import os from 'node:os';
import { EspalierError } from '../../base/errors.ts';
import type { DeviceReport } from '../../experiment/resultSchema.ts';
import type { EvaluationSettings } from '../../experiment/settings.ts';
import { Device } from './device.ts';
import { chooseDevice } from './probe.ts';

/** The device of this process: opened when first asked for, closed when another is. */
export class OpenDevices {
  private open: { readonly key: string; readonly device: Device } | undefined;
  private readonly chosen = new Map<string, DeviceReport>();
  private readonly beforeClose: () => void;

  /** @param beforeClose frees what lies on the open device: no tensor may outlive it */
  constructor(beforeClose: () => void) {
    this.beforeClose = beforeClose;
  }

  /**
   * @throws EspalierError `device/unavailable` when the device does not work here, `settings/invalid` for float16 where it has none
   */
  async device({
    device: choice,
    precision,
    threads,
  }: Pick<EvaluationSettings, 'device' | 'precision' | 'threads'>): Promise<Device> {
    const report = this.chosen.get(choice) ?? (await chooseDevice(choice));
    this.chosen.set(choice, report);
    const options = {
      name: report.name,
      precision: choosePrecision(report, precision),
      threads: threads || os.availableParallelism(),
    };
    const key = JSON.stringify(options);
    if (this.open?.key === key) return this.open.device;
    await this.dispose();
    const device = new Device(options);
    this.open = { key, device };
    return device;
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
