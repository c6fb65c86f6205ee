import type { ModelConfig } from '../families/families.ts';
import { LOGITS } from '../forward/modelPrograms.ts';
import type { BlockLayout } from '../families/family.ts';
import type { Device, Program } from '../runtime/device.ts';
import { type BlockGradientOptions, buildBlockGradientGraph } from './blockGradientGraph.ts';
import { stripRows } from './gradientStrips.ts';
import { buildHeadGradientGraph, type HeadGradientOptions } from './headGradientGraph.ts';

/** The backward programs of one model at one sequence length on one device, compiled when first needed. */
export class GradientPrograms {
  private readonly config: ModelConfig;
  private readonly device: Device;
  private readonly tokens: number;
  /** The most rows of a strip of what {@link block} gives. */
  readonly stripRows: number;
  private readonly shape: string;

  constructor(config: ModelConfig, device: Device, tokens: number) {
    this.config = config;
    this.device = device;
    this.tokens = tokens;
    this.stripRows = stripRows(device);
    this.shape = JSON.stringify(config);
  }

  /** See {@link buildBlockGradientGraph}; every output stays on the device. */
  block(
    layout: BlockLayout,
    batch: number,
    options: Pick<BlockGradientOptions, 'sum' | 'parameters' | 'accumulate'>,
  ): Promise<Program> {
    const { config, device, tokens, stripRows: rows } = this;
    const { sum, parameters, accumulate } = options;
    const flags = `${sum} ${accumulate ? '+' : ''}`;
    const key = `gradient ${this.shape} ${layout.variant} ${batch}×${tokens} ${flags} ${parameters.join(',')}`;
    const { weightType } = device;
    return device.program(
      key,
      () => buildBlockGradientGraph(config, layout, { ...options, batch, tokens, weightType, stripRows: rows }),
      () => false,
      config.blocks !== undefined,
    );
  }

  /** See {@link buildHeadGradientGraph}; the losses come to the host. */
  head(batch: number, options: Pick<HeadGradientOptions, 'parameters' | 'losses' | 'accumulate'>): Promise<Program> {
    const { config, device, tokens } = this;
    const { parameters, losses, accumulate } = options;
    const rows = batch * tokens;
    const slice = headSlice(config, device, rows);
    const flags = `${losses ? 'loss' : ''} ${accumulate ? '+' : ''}`;
    const key = `gradient ${this.shape} head ${batch}×${tokens} ${flags} ${parameters.join(',')}`;
    const { weightType } = device;
    return device.program(
      key,
      () => buildHeadGradientGraph(config, { ...options, rows, slice, weightType }),
      (name) => name === 'loss',
    );
  }
}

/** Rows whose logits exist at the same time. */
export function headSlice({ vocabulary }: Pick<ModelConfig, 'vocabulary'>, { resident }: Device, rows: number): number {
  return Math.min(rows, Math.max(256, Math.floor((resident ? LOGITS.resident : LOGITS.host) / vocabulary)));
}
