import { EspalierError, describeError } from '../base/errors.ts';
import type { ErrorCode, ErrorData } from '../base/errors.ts';

/** What a client gets that cannot be served: OpenAI's shape of errors, with the stable code of ours. */
export interface ApiError {
  readonly status: number;
  readonly body: {
    readonly error: {
      readonly message: string;
      readonly type: string;
      /** The field at fault. */
      readonly param: string | null;
      readonly code: ErrorCode;
    };
  };
}

export function apiError(data: ErrorData, param: string | null): ApiError {
  const status = STATUS[data.code] ?? 500;
  const type = status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'server_error';
  return { status, body: { error: { message: describeError(data), type, param, code: data.code } } };
}

/** What is wrong with the request; everything else went wrong here. */
const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  'serve/request': 400,
  'serve/token': 401,
  'serve/origin': 403,
  'serve/not-found': 404,
  'serve/method': 405,
  'serve/too-large': 413,
  'serve/media-type': 415,
  'serve/busy': 429,
  // The server is being stopped: ask again, when there is another.
  cancelled: 503,
};

/** A request that is not as it must be, with the field at fault. */
export class RequestError extends EspalierError {
  readonly param: string | null;

  constructor(
    expected: string,
    actual: string,
    remedy: string,
    param: string | null,
    code: ErrorCode = 'serve/request',
  ) {
    super({
      code,
      operation: param === null ? 'reading the request' : `reading ${param} of the request`,
      expected,
      actual,
      remedy,
    });
    this.param = param;
  }
}
