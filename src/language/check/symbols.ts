import type { ProtocolName } from '../../experiment/protocols.ts';
import type { RecoveryMethod } from '../../experiment/recovery.ts';
import type { StructureMethod } from '../../experiment/structure.ts';
import type { UpdateMethod } from '../../experiment/updates.ts';
import type { OperandName } from '../../metric/operands.ts';
import type { OperationName } from '../../metric/operations.ts';
import type { Span } from '../syntax/syntax.ts';
import type { Property } from './property.ts';
import type { AllocationWord, ClauseName } from './structureWords.ts';

/** A place where a name stands for something. */
export interface Site extends Span {
  readonly symbol: FileSymbol;
  /** The place that declares it, not one that uses it. */
  readonly isDeclaration: boolean;
}

/** What a name stands for. Declared symbols are equal when they are the same object. */
export type FileSymbol =
  | DeclaredSymbol
  | { readonly kind: 'operation'; readonly name: OperationName }
  | { readonly kind: 'operand'; readonly name: OperandName }
  | { readonly kind: 'property'; readonly name: string; readonly property: Property }
  | { readonly kind: 'structure-method'; readonly name: StructureMethod }
  | { readonly kind: 'clause'; readonly name: ClauseName }
  | { readonly kind: 'allocation'; readonly name: AllocationWord }
  | { readonly kind: 'update'; readonly name: UpdateMethod }
  | { readonly kind: 'recovery'; readonly name: RecoveryMethod }
  /** One that Espalier knows, or a group of such. */
  | { readonly kind: 'known-task'; readonly name: string }
  /** `start` of the block that names it. */
  | { readonly kind: 'protocol'; readonly name: ProtocolName; readonly start: number };

export interface DeclaredSymbol {
  readonly kind: 'model' | 'corpus' | 'task' | 'parameter' | 'metric' | 'experiment' | 'search' | 'metric-parameter';
  readonly name: string;
  /** Where the name is declared. */
  readonly span: Span;
  /** Where the declaration begins: its documentation stands above. */
  readonly start: number;
}
