import { runProcess } from './childProcess.ts';

/** What an interpreter's PyTorch multiplies matrices with. */
export interface BlasReport {
  readonly torch: string;
  /** BLAS libraries that it has loaded. */
  readonly libraries: readonly string[];
  /** OpenBLAS's name for the kernel that it took, empty where there is another BLAS. */
  readonly kernel: string;
  /** GFLOP/s of a product of 1024³ on one thread, the best of a few. */
  readonly rate: number;
  /** Largest error of that product, of its largest value. */
  readonly error: number;
}

/**
 * Kernels of x86-64 that OpenBLAS can be told to take. Older ones do not know newer processors, and take Haswell's for one that
 * has AVX-512: that is 1.7 times slower.
 */
const KERNELS = ['SkylakeX', 'Haswell'] as const;

const CHOICE = 'OPENBLAS_CORETYPE';

/** So many times faster another kernel has to be to be taken. */
const CLEARLY = 1.05;

/** Above this a product of 1024³ in float32 is wrong. */
const ERROR = 1e-4;

/**
 * Tries what OpenBLAS takes by itself and its other kernels, and leaves the fastest whose product is right in this process's environment, so
 * that each peer started from now on has it.
 *
 * @throws Error where PyTorch cannot be loaded
 */
export async function fastestBlas(python: string): Promise<BlasReport> {
  const inspect = async (): Promise<BlasReport> =>
    (await runProcess(python, ['-B', '-c', INSPECTION])).answer as unknown as BlasReport;
  const given = process.env[CHOICE];
  let best = { report: await inspect(), choice: given };
  if (best.report.kernel === '') return best.report;
  for (const choice of KERNELS) {
    process.env[CHOICE] = choice;
    // A kernel that the processor has no instructions for ends the process.
    const report = await inspect().catch(() => undefined);
    if (report && report.error < ERROR && report.rate > CLEARLY * best.report.rate) best = { report, choice };
  }
  if (best.choice === undefined) Reflect.deleteProperty(process.env, CHOICE);
  else process.env[CHOICE] = best.choice;
  return best.report;
}

/** Versions, the BLAS libraries that PyTorch has really loaded, and what they do. */
const INSPECTION = `
import ctypes, json, time, torch
torch.set_num_threads(1); torch.manual_seed(1)
x = torch.rand(1024, 1024) - 0.5; y = torch.rand(1024, 1024) - 0.5
exact = x.double() @ y.double(); seconds = []
for _ in range(6):
    begin = time.process_time(); z = x @ y; seconds.append(time.process_time() - begin)
try: paths = {line.split()[-1] for line in open('/proc/self/maps') if 'blas' in line.lower()}
except OSError: paths = set()
libraries = sorted(p for p in paths if 'blas.so' in p or 'openblas' in p.rsplit('/', 1)[-1]); kernel = ''
for path in libraries:
    try:
        name = ctypes.CDLL(path).openblas_get_corename; name.restype = ctypes.c_char_p; kernel = name().decode()
    except (AttributeError, OSError): pass
error = ((z.double() - exact).abs().max() / exact.abs().max()).item()
print(json.dumps({'torch': torch.__version__, 'libraries': libraries, 'kernel': kernel, 'rate': 2 * 1024 ** 3 / min(seconds) / 1e9, 'error': error}))
`;
