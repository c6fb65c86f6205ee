import { expect, it } from 'vitest';
import { onnxruntimeReadable, transformersJsReadable } from '../../../../src/engine/export/onnx/readable.ts';
import type { BlockShape } from '../../../../src/engine/families/config.ts';
import { parseConfig } from '../../../../src/engine/checkpoint/readConfig.ts';
import { FAMILIES } from '../../../support/generate/families.ts';

const { config } = FAMILIES['llama-2 grouped queries'];
