import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/language/check/compile.ts';
import { DIAGNOSTIC_CODES, MAX_DIAGNOSTICS } from '../../../src/language/check/diagnostics.ts';
import { checkMarked, whole } from '../marked.ts';
import { STRUCTURE_MISTAKES } from '../structureMistakes.ts';
import { TASK_MISTAKES } from '../taskMistakes.ts';

const HEAD = `model tiny = "m"
corpus test = "t"
corpus calib = "c"
`;

/** Each mistake is underlined in one place, and the metric `after` behind it is read all the same. */
const METRICS: Record<string, string> = {
  'nothing is wrong': `
parameter half = 1 / 2
metric a = -W ^ 2 * sqrt(X) + half
metric b(p = half, q = 2 * p2) = a * X ^ p - q
parameter p2 = 2
metric c = b(0.3, q: -1) + b(q: 2) + b + quotient(W, X) / power(W, 2)`,
  'an unknown operation': `
metric a = W * tnah(X)
               ^^^^ name/unknown unknown operation or metric \`tnah\`: did you mean \`tanh\`?`,
  'an unknown operand': `
metric a = w * X
           ^ name/unknown unknown operand, metric or parameter \`w\`: did you mean \`W\`?`,
  'an unknown name in arguments': `
metric wanda = W * X
metric a = sqrt(wnada)
                ^^^^^ name/unknown did you mean \`wanda\`?`,
  'two unknown names are two mistakes': `
metric a = foo(W) + bar
           ^^^ name/unknown
                    ^^^ name/unknown`,
  'no body': `
metric a =
         ^ syntax/expected expected an operand, a metric, a number or \`(\` after \`=\``,
  'no equals sign': `
metric a W * X
         ^ syntax/expected expected \`=\`, found \`W\``,
  'no name': `
metric = W
       ^ syntax/expected expected a name, found \`=\``,
  'a dangling operator': `
metric a = W *
             ^ syntax/expected after \`*\``,
  'a missing operator': `
metric a = W X
             ^ syntax/expected expected an operator or the next declaration, found \`X\``,
  'a parenthesis too few': `
metric a = sqrt(W
                ^ syntax/expected expected \`,\` or \`)\` after \`W\``,
  'a parenthesis too few in a group': `
metric a = (W + X
                ^ syntax/expected expected \`)\` after \`X\``,
  'a parenthesis too many': `
metric a = sqrt(W))
                  ^ syntax/expected`,
  'a missing argument': `
metric a = add(W,)
                 ^ syntax/expected`,
  'a foreign character': `
metric a = W $ X
             ^ syntax/character \`$\` means nothing here`,
  'a formula pasted from a paper': `
metric a = W × X
             ^ syntax/character \`×\` is written \`*\``,
  'a power as in Python': `
metric a = W ** 2
             ^^ syntax/expected a power is written \`^\``,
  'a string without an end': `
model m = "models/tiny
          ^^^^^^^^^^^^ syntax/unclosed-string`,
  'a path without quotes': `
model m = tiny
          ^^^^ syntax/expected expected a path in quotes`,
  'an empty path': `
corpus m = ""
           ^^ property/type this path is empty`,
  'a misspelt keyword, whose name is known all the same': `
metrc a = W * X
^^^^^ syntax/keyword did you mean \`metric\`?
metric b = a + X`,
  'an abbreviated keyword': `
param a = 2
^^^^^ syntax/keyword did you mean \`parameter\`?
metric b = a * X`,
  'text that is no declaration': `
hello world
^^^^^ syntax/keyword a declaration begins with`,
  'a word behind a complete metric': `
metric a = W
wand
^^^^ syntax/keyword`,
  'an arity too small': `
metric a = add(W)
           ^^^ call/arity \`add\` takes 2 arguments, not 1`,
  'an arity too large': `
metric a = sqrt(W, X)
           ^^^^ call/arity \`sqrt\` takes 1 argument, not 2`,
  'no arguments at all': `
metric a = sqrt()
           ^^^^ call/arity not 0`,
  'an operation without parentheses': `
metric a = W * sqrt
               ^^^^ call/arity write \`sqrt(x)\``,
  'a named argument of an operation': `
metric a = sqrt(x: W)
                ^ call/argument have no names`,
  'an operand that is called': `
metric a = W(2) * X
           ^ call/not-a-function \`W\` is an operand`,
  'a parameter that is called': `
parameter p = 2
metric a = p(W) * X
           ^ call/not-a-function \`p\` is a parameter`,
  'an unknown parameter': `
metric b(alpha = 1) = W * alpha
metric a = b(alhpa: 2)
             ^^^^^ call/argument did you mean \`alpha\`?`,
  'too many arguments': `
metric b(alpha = 1) = W * alpha
metric a = b(1, 2)
           ^ call/arity takes at most 1 argument, not 2`,
  'arguments of a metric without parameters': `
metric b = W
metric a = b(1)
           ^ call/arity takes no arguments`,
  'an argument given twice': `
metric b(alpha = 1) = W * alpha
metric c(alpha = 1, beta = 1) = W * alpha * beta
metric a = c(1, alpha: 2)
                ^^^^^ call/argument given twice`,
  'an unnamed argument behind a named one': `
metric b(alpha = 1, beta = 2) = W * alpha * beta
metric a = b(alpha: 1, 2)
                       ^ call/argument name this argument`,
  'a tensor where a number has to be': `
metric b(alpha = 1) = W * alpha
metric a = b(sqrt(X))
             ^^^^^^^ shape/needs-number \`alpha\` is a number, and this is [1, in]`,
  'a parameter that is a tensor': `
parameter p = W * 2
              ^^^^^ shape/needs-number \`p\` is a number, and this is [out, in]
metric a = p * X`,
  'a default that is a tensor': `
metric a(p = X) = W * p
             ^ shape/needs-number`,
  'a number where a tensor has to be': `
metric a = W * mms(2)
               ^^^^^^ shape/needs-tensor`,
  'a duplicate': `
metric a = W
metric a = X
       ^ name/duplicate \`a\` is already a metric of this file`,
  'a duplicate of another kind': `
corpus a = "a"
metric a = X
       ^ name/duplicate \`a\` is already a corpus of this file`,
  'a duplicate parameter': `
metric a(p = 1, p = 2) = W * p
                ^ name/duplicate`,
  'an operand as a name': `
metric W = X
       ^ name/reserved \`W\` is an operand`,
  'an operation as a name': `
parameter sqrt = 2
          ^^^^ name/reserved \`sqrt\` is an operation`,
  'a reserved parameter': `
metric a(X = 1) = W * X
         ^ name/reserved`,
  'a metric that uses itself': `
metric a = W + a
               ^ name/cyclic \`a\` uses itself`,
  'a cycle, told once': `
metric a = b + W
metric b = c * X
metric c = a + 1
           ^ name/cyclic \`c\` uses itself: a → b → c → a
metric d = a`,
  'a cycle with arguments': `
metric a(p = 1) = b(p: 2) * W * p
metric b(p = 1) = a(p: 3) * X * p
                  ^ name/cyclic`,
  'a cycle of parameters': `
parameter a = b
parameter b = a + 1
              ^ name/cyclic
metric c = W * a`,
  'two cycles': `
metric a = a
           ^ name/cyclic
metric b = b
           ^ name/cyclic`,
  'a model in a formula': `
model m = "m"
metric a = W * m
               ^ name/wrong-kind \`m\` is a model and cannot stand in a metric`,
  'a model that is called': `
model m = "m"
metric a = m(W)
           ^ name/wrong-kind`,
  'a percentage in a formula': `
metric a = W * 50%
               ^^^ metric/not-a-value a percentage`,
  'a ratio in a formula': `
metric a = W * 2:4
               ^^^ metric/not-a-value a ratio`,
  'a string in a formula': `
metric a = W * "x"
               ^^^ metric/not-a-value`,
  'a number as a metric': `
metric a = 1 + 2
           ^^^^^ metric/constant \`a\` is 3 for every weight`,
  'a number as a metric that others use': `
metric a = 0.5
           ^^^ metric/constant write \`parameter a = …\`
metric b = a * W`,
  'a difference of the same': `
metric b = W * X
metric a = sqrt(b) - sqrt(W * X)
           ^^^^^^^^^^^^^^^^^^^^^ metric/constant \`a\` is 0`,
  'a division by zero': `
metric a = W / (2 - 2)
           ^^^^^^^^^^^ metric/not-finite divides by zero`,
  'a norm of zero': `
metric a = div(W, X - X)
           ^^^^^^^^^^^^^ metric/not-finite`,
  'a spread of nothing': `
metric a = W * zsn(X / X)
               ^^^^^^^^^^ metric/not-finite`,
  'a root of a negative number': `
metric a = W * (-2) ^ 0.5
               ^^^^^^^^^^ metric/not-finite NaN`,
  'an argument that divides by zero': `
metric b(p = 1) = W / p
metric a = b(0)
           ^^^^ metric/not-finite \`b\` has no finite value`,
  'a number beyond float32': `
metric a = W * 1e39
               ^^^^ number/range`,
  'a number below float32': `
metric a = W + 1e-60
               ^^^^^ number/underflow`,
  'a root that changes no ranking': `
metric a = mms(W * X)
           ^^^ metric/root-keeps-ranking`,
  'a root that another metric needs': `
metric a = mms(W * X)
metric b = a - X`,
  'a root on something negative': `
metric a = sqrt(Wsigned)
metric b = sqrt(W + X)
           ^^^^ metric/root-keeps-ranking`,
  'two metrics that prune the same': `
metric a = W * sqrt(X)
metric b = W * W * X + 2
       ^ metric/same-ranking \`b\` has the same ranking as \`a\`
metric c = sqrt(X) * W
       ^ metric/same-ranking as \`a\`
metric alias = a
metric used = a * 2
metric d = used - Wsigned
metric f(p = 2) = X * W ^ p`,
  'a score that only rounding tells apart': `
metric a = W + X - (X + W)
       ^ metric/ranks-nothing`,
  'a division by a norm': `
metric a = W - div(X, 2 * W)
               ^^^ call/div-is-norm elementwise it is \`/\``,
  'a parameter that is not used': `
metric a(p = 1, q = 2) = W - q * X
         ^ name/unused \`a\` does not use its parameter \`p\``,
  'a metric that uses a broken one': `
metric a = foo
           ^^^ name/unknown
metric b = a * W
metric c = sqrt(b)`,
  'a metric with a syntax error that is called': `
metric a(p = ) = W
             ^ syntax/expected
metric b = a(p: 2) * W`,
  'a path behind two equals signs, which is known all the same': `
model m == "x"
         ^ syntax/expected expected a path in quotes, found \`=\`
experiment a { model: m evaluate: "t" }`,
  'a first argument that is missing': `
metric a = sqrt(, W)
                ^ syntax/expected expected an operand, a metric, a number or \`(\`, found \`,\``,
  'a value that is missing behind the name of its argument': `
metric b(p = 1) = W ^ p
metric a = b(p: ) * X
                ^ syntax/expected expected an operand, a metric, a number or \`(\`, found \`)\``,
  'an equals sign in the place of a colon': `
metric b(p = 1) = W ^ p
metric a = b(p = 2) * X
               ^ syntax/expected expected \`,\` or \`)\``,
  'what nests too deeply, which has a name all the same': `
metric b = ${'('.repeat(65)}W
           ${' '.repeat(64)}^ syntax/too-deep more than 64 parentheses
metric a = b * X`,
  'windows line ends and tabs': 'metric a =\tW * foo\r\n          \t    ^^^ name/unknown',
  'a name in another alphabet': `
parameter α = 0.5
metric größe = W * X ^ α
metric a = W * grösse
               ^^^^^^ name/unknown`,
};

const BLOCKS: Record<string, string> = {
  'nothing is wrong': `
defaults { model: tiny evaluate: test (blocks: 4) device: cpu }
experiment a { calibrate: calib (samples: 2 * 64, length: 2048, seed: 0, offsets: random) prune: wanda, W at: 50%, 2:4, 0.3
  group: layer calibration: one-shot precision: float16 threads: 2 }
experiment dense { length: 128 }
experiment paths { model: "a" evaluate: "b" prune: W at: 0% }`,
  'an unknown property': `
experiment a { model: tiny evaluate: test sampels: 3 }
                                          ^^^^^^^ property/unknown did you mean \`samples\`?`,
  'a property said twice': `
experiment a { model: tiny evaluate: test model: tiny }
                                          ^^^^^ property/duplicate`,
  'a setting said twice': `
experiment a { model: tiny evaluate: test (length: 2) length: 4 }
                                                      ^^^^^^ property/duplicate`,
  'two values': `
experiment a { model: tiny, tiny evaluate: test }
                            ^^^^ property/type \`model\` takes one value`,
  'an unknown model': `
experiment a { model: tinny evaluate: test }
                      ^^^^^ name/unknown unknown model \`tinny\`: did you mean \`tiny\`?`,
  'a corpus in the place of the model': `
experiment a { model: test evaluate: test }
                      ^^^^ name/wrong-kind \`test\` is a corpus, not a model`,
  'a number in the place of the model': `
experiment a { model: 3 evaluate: test }
                      ^ property/type`,
  'a missing colon': `
experiment a { model: tiny evaluate test }
                           ^^^^^^^^ syntax/expected`,
  'a missing colon at the beginning': `
experiment a { model tiny evaluate: test }
                     ^^^^ syntax/expected expected \`:\``,
  'a colon on the next line': `
experiment a { evaluate
  : test model: tiny }
    ^^^^ syntax/expected expected \`}\``,
  'a missing value': `
experiment a { model: evaluate: test }
                    ^ syntax/expected`,
  'two mistakes in two properties': `
experiment a { model: tiny evaluate: tset at: 120% }
                                     ^^^^ name/unknown
                                              ^^^^ sparsity/range`,
  'a missing brace': `
experiment a { model: tiny evaluate: test
             ^ syntax/expected expected \`}\` after \`{\``,
  'an unclosed parenthesis': `
experiment a {
  evaluate: test (length: 128
                          ^^^ syntax/expected
  model: tiny
}`,
  'text behind a block': `
experiment a { model: tiny evaluate: test } metrics
                                            ^^^^^^^ syntax/expected`,
  'text before the properties': `
experiment a { model model: tiny evaluate: test }
               ^^^^^ syntax/expected`,
  'missing properties, told once': `
experiment a { prune: wanda }
           ^ experiment/missing does not say \`model\` and \`evaluate\` and \`calibrate\` and \`at\``,
  'no calibration for weights alone': `
experiment a { model: tiny evaluate: test prune: W at: 50% }`,
  'no calibration, but one is needed': `
experiment a { model: tiny evaluate: test prune: W * X at: 50% }
           ^ experiment/missing does not say \`calibrate\``,
  'a sparsity without metrics': `
experiment a { model: tiny evaluate: test at: 50% }
           ^ experiment/no-effect`,
  'more than anyone can evaluate': `
metric p(q = 1) = W * X ^ q
experiment a { model: tiny evaluate: test calibrate: calib
           ^ experiment/too-many these are 100500 evaluations
  prune: ${Array.from({ length: 201 }, (_, i) => `p(${i})`).join(', ')}
  at: ${Array.from({ length: 500 }, (_, i) => `${(i + 1) / 1000}`).join(', ')}
}`,
  'everything is removed': `
experiment a { model: tiny evaluate: test prune: W at: 100% }
                                                       ^^^^ sparsity/range less than 100%`,
  'a number that is meant as a percentage': `
experiment a { model: tiny evaluate: test prune: W at: 50 }
                                                       ^^ sparsity/range did you mean \`50%\`?`,
  'a negative share': `
experiment a { model: tiny evaluate: test prune: W at: -0.5 }
                                                       ^^^^ sparsity/range`,
  'N:M that keeps everything': `
experiment a { model: tiny evaluate: test prune: W at: 4:4 }
                                                       ^^^ sparsity/range`,
  'N:M that keeps nothing': `
experiment a { model: tiny evaluate: test prune: W at: 0:4 }
                                                       ^^^ sparsity/range`,
  'N:M that is too wide': `
experiment a { model: tiny evaluate: test prune: W at: 16:64 }
                                                       ^^^^^ sparsity/range 32`,
  'a metric in the place of a sparsity': `
experiment a { model: tiny evaluate: test prune: W at: wanda }
                                                       ^^^^^ property/type`,
  'a sparsity listed twice': `
experiment a { model: tiny evaluate: test prune: W at: 50%, 0.5 }
                                                            ^^^ experiment/repeated`,
  'a metric listed twice': `
experiment a { model: tiny evaluate: test prune: W, W at: 50% }
                                                    ^ experiment/repeated`,
  'an unknown metric': `
experiment a { model: tiny evaluate: test prune: wnada, W at: 50% }
                                                 ^^^^^ name/unknown did you mean \`wanda\`?`,
  'a number in the place of a metric': `
experiment a { model: tiny evaluate: test prune: 1 + 1 at: 50% }
                                                 ^^^^^ metric/constant`,
  'a model in the place of a metric': `
experiment a { model: tiny evaluate: test prune: tiny at: 50% }
                                                 ^^^^ name/wrong-kind`,
  'a setting out of range': `
experiment a { model: tiny evaluate: test length: 1 }
                                                  ^ property/range from 2 to`,
  'a setting that is no whole number': `
experiment a { model: tiny evaluate: test length: 2.5 }
                                                  ^^^ property/range`,
  'a setting that is no number': `
experiment a { model: tiny evaluate: test length: "2" }
                                                  ^^^ property/type \`length\` is a whole number`,
  'a setting that is a tensor': `
experiment a { model: tiny evaluate: test length: W }
                                                  ^ property/type`,
  'a choice that there is not': `
experiment a { model: tiny evaluate: test device: gpu }
                                                  ^^^ property/type \`device\` is one of \`auto\``,
  'a misspelt choice': `
experiment a { model: tiny evaluate: test calibration: sequentail }
                                                       ^^^^^^^^^^ property/type did you mean \`sequential\`?`,
  'a setting behind the wrong corpus': `
experiment a { model: tiny evaluate: test (samples: 3) }
                                           ^^^^^^^ call/argument only \`blocks\`, \`length\``,
  'a misspelt setting in parentheses': `
experiment a { model: tiny evaluate: test (lenght: 3) }
                                           ^^^^^^ call/argument did you mean \`length\`?`,
  'a setting without a name': `
experiment a { model: tiny evaluate: test (3) }
                                           ^ call/argument by name`,
  'metrics in the defaults': `
defaults { prune: W }
           ^^^^^ property/misplaced`,
  'a second defaults': `
defaults { model: tiny }
defaults { model: tiny }
^^^^^^^^ name/duplicate`,
  'a search that says everything': `
search s {
  model: tiny evaluate: test (blocks: 8, length: 64) calibrate: calib (samples: 4, seed: 3) test: "unseen.txt" at: 2:4
  operands: W, Wsigned, X, G operations: mul, sqrt, quotient from: wanda, W * G baselines: W, scaled(2)
  method: random population: 20 generations: 3 budget: 2.5 seed: 7 crossover: 30% mutation: 1 / 2 elites: 0
  calibration: one-shot device: cpu workers: 2
}
metric scaled(p = 1) = W * p`,
  'a search by the defaults': `
defaults { model: tiny evaluate: test calibrate: calib at: 60% samples: 3 }
search s { }`,
  'a search that says nothing': `
search s { }
       ^ search/missing does not say \`model\` and \`evaluate\` and \`calibrate\``,
  'a search of the weights alone needs no calibration': `
search s { model: tiny evaluate: test operands: W, Wsigned }
search t { model: tiny evaluate: test operands: W baselines: W * X }
       ^ search/missing does not say \`calibrate\``,
  'unknown properties and values of a search': `
search s {
  modle: tiny
  ^^^^^ property/unknown did you mean \`model\`?
  prune: W
  ^^^^^ property/misplaced belongs into an experiment, not into a search
  method: prunerzero
          ^^^^^^^^^^ property/type did you mean \`pruner-zero\`?
  population: 1
              ^ property/range a whole number from 2 to 10000, not 1
  generations: 2.5
               ^^^ property/range
  crossover: 120%
             ^^^^ property/range a number from 0 to 1, not 1.2
  size: 50%
        ^^^ property/type \`size\` is a whole number
  depth: W
         ^ property/type
  at: 50%, 60%
           ^^^ property/type \`at\` takes one value
  test: tiny
        ^^^^ name/wrong-kind \`tiny\` is a model, not a corpus
  seed: 1
  seed: 2
  ^^^^ property/duplicate
}`,
  'what a search’s trees are made of': `
search s {
  operands: W, w, wanda, 2, W
               ^ name/unknown \`w\` is not an operand: did you mean \`W\`?
                  ^^^^^ name/wrong-kind \`wanda\` is a metric, not an operand
                         ^ property/type name of an operand, such as \`W\`
                            ^ experiment/repeated
  operations: mul, sqr, squrt, W
                        ^^^^^ name/unknown did you mean \`sqrt\`?
                               ^ name/unknown \`W\` is not an operation
  from: wnada, 1
        ^^^^^ name/unknown did you mean \`wanda\`?
               ^ metric/constant
}`,
  'a calibration that nothing needs': `
experiment e { model: tiny evaluate: test calibrate: calib prune: W, Wsigned * W at: 50% }
                                          ^^^^^^^^^ experiment/no-effect no metric of it needs more than the weights`,
  'settings that change nothing, in parentheses as well': `
experiment e { model: tiny evaluate: test calibrate: calib (offsets: even, seed: 3) prune: structure(wanda-sp) at: 20% group: layer }
                                                                                 ^ experiment/no-effect even offsets are not drawn
                                                                                                                              ^^^^^ experiment/no-effect no percentage of single weights is pruned`,
  'properties of a search in other blocks': `
experiment e { population: 5 }
               ^^^^^^^^^^ property/misplaced \`population\` belongs into a search, not into an experiment
defaults { from: W }
           ^^^^ property/misplaced belongs into a search: \`defaults\` says the rest`,
  'a text that the search has seen': `
search s { model: tiny evaluate: test calibrate: calib test: test }
                                                             ^^^^ search/seen-test the fitness is taken on it
search t { model: tiny evaluate: test calibrate: calib test: "c" }
                                                             ^^^ search/seen-test calibrated on`,
  'a metric to start from that the trees cannot be': `
search s { model: tiny evaluate: test calibrate: calib operands: W, X from: W * X, W * Xmax }
                                                                            ^^^^^^^^^^^^^^^ search/operand \`W * Xmax\` uses \`Xmax\``,
  'tasks that a search is to choose by': `
search s { model: tiny evaluate: test calibrate: calib objective: tasks }
       ^ search/missing does not say \`tasks\`
search t { model: tiny evaluate: test calibrate: calib objective: tasks tasks: piqa, gsm8k }
                                                                               ^^^^^^^^^^^ search/objective \`gsm8k\` are generated
search u { model: tiny evaluate: test calibrate: calib objective: tasks tasks: piqa method: policy-gradient tokens: 64 }
                                                                                                                    ^^ search/no-effect documents are whole`,
  'what follows a mask': `
experiment e { model: tiny evaluate: test calibrate: calib at: 50% prune: wanda then adm }
                                                                                     ^^^ update/unknown one of \`sparsegpt\`, \`admm\`: did you mean \`admm\`
experiment f { model: tiny evaluate: test calibrate: calib at: 50% prune: wanda then reconstruct }
                                                                                     ^^^^^^^^^^^ update/misplaced it follows \`structure(…)\`
experiment g { model: tiny evaluate: test calibrate: calib at: 50% prune: structure(wanda-sp) then admm }
                                                                                                   ^^^^ update/misplaced did you mean \`reconstruct\`
experiment h { model: tiny evaluate: test calibrate: calib at: 50% prune: wanda then admm (steps: 3) }
                                                                                           ^^^^^ call/argument only \`iterations\`, \`damping\`
experiment i { model: tiny evaluate: test calibrate: calib at: 50% prune: wanda then admm (iterations: 0) }
                                                                                                       ^ property/range from 1 to 10000
experiment j { model: tiny evaluate: test calibrate: calib at: 50% prune: sparsegpt then admm }
                                                                                         ^^^^ update/misplaced SparseGPT’s own mask
experiment k { model: tiny evaluate: test calibrate: calib at: 50% prune: weights(wanda then admm) }
                                                                                             ^^^^ call/argument stands behind what is pruned with
search s { model: tiny evaluate: test calibrate: calib from: wanda then admm }
                                                                        ^^^^ call/argument stands behind what is pruned with
search t { method: evopress model: tiny evaluate: test calibrate: calib at: 30% update: admm }
                                                                                        ^^^^ update/misplaced the search removes whole components
search u { method: evopress target: weights(wanda) model: tiny evaluate: test calibrate: calib at: 30% update: reconstruct }
                                                                                                               ^^^^^^^^^^^ update/misplaced the search removes single weights
search v { model: tiny evaluate: test calibrate: calib update: reconstruct }
                                                               ^^^^^^^^^^^ update/misplaced follows \`structure`,
  'what is trained': `
experiment e { model: tiny evaluate: test calibrate: calib at: 50% prune: wanda recover: lorra train: test }
                                                                                         ^^^^^ property/type one of \`lora\`, \`norms\`: did you mean \`lora\`
experiment f { model: tiny evaluate: test calibrate: calib at: 50% prune: wanda recover: lora }
           ^ experiment/missing does not say \`train\`
experiment g { model: tiny evaluate: test calibrate: calib at: 50% prune: wanda train: test }
                                                                                ^^^^^ experiment/no-effect without \`recover\`
experiment h { model: tiny evaluate: test calibrate: calib at: 50% prune: wanda recover: lora (rate: 100) train: test }
                                                                                                     ^^^ property/range not 100`,
  'settings that do not go together': `
defaults { model: tiny evaluate: test calibrate: calib }
search s { crossover: 0.7 mutation: 0.5 }
                                    ^^^ property/range together at most 1, not 1.2
search t { crossover: 0.7 }
                      ^^^ property/range not 1.1
search u { population: 5 }
                       ^ property/range of a population of 5 not 5`,
  'several sparsities in the defaults of a search': `
defaults { model: tiny evaluate: test calibrate: calib at: 50%, 2:4 }
search s { }
       ^ search/missing lists \`50%\`, \`2:4\`, and a search has one
search t { at: 60% }`,
};

describe('one mistake underlines one place', () => {
  it.each(Object.entries(METRICS))('%s', (_, text) => {
    const document = checkMarked(`${text}\nmetric after = W - 2 * X\n`);
    expect(whole(document)).toContain('after');
  });

  it.each(Object.entries({ ...BLOCKS, ...STRUCTURE_MISTAKES, ...TASK_MISTAKES }))('in a block: %s', (_, text) => {
    const document = checkMarked(`${HEAD}metric wanda = W * sqrt(X)\n${text.trimStart()}\nmetric after = W - 2 * X\n`);
    expect(whole(document)).toContain('after');
  });

  it('reaches every code, each with the severity of the table', () => {
    const texts = [METRICS, BLOCKS, STRUCTURE_MISTAKES, TASK_MISTAKES]
      .flatMap((table) => Object.values(table))
      .join('\n');
    const elsewhere = [
      'file/too-large',
      'file/too-many-problems',
      'syntax/too-deep',
      'metric/too-large',
      // Told where the first documents are known.
      'task/documents',
      'shape/broadcast',
    ];
    const missing = Object.keys(DIAGNOSTIC_CODES).filter(
      (code) => !texts.includes(` ${code}`) && !elsewhere.includes(code),
    );
    expect(missing).toEqual([]);
  });
});

describe('fixes', () => {
  it.each([
    ['metric a = tnah(W) - X', 'metric a = tanh(W) - X'],
    ['metric a = W × X', 'metric a = W * X'],
    ['metric a = W ** 2 - X', 'metric a = W ^ 2 - X'],
    ['metrc a = W - X', 'metric a = W - X'],
    ['metric a = mms((W - X))', 'metric a = (W - X)'],
    [
      'metric b(alpha = 1) = W - alpha\nmetric a = b(alfa: 2)',
      'metric b(alpha = 1) = W - alpha\nmetric a = b(alpha: 2)',
    ],
    [
      'model m = "m"\ncorpus t = "t"\ncorpus c = "c"\nexperiment a { prune: W - X }',
      'model m = "m"\ncorpus t = "t"\ncorpus c = "c"\nexperiment a {\n  model: m\n  evaluate: t\n  calibrate: c\n  at: 50% prune: W - X }',
    ],
    [
      'experiment a { model: "m" evaluate: "t" prune: W at: 50 }',
      'experiment a { model: "m" evaluate: "t" prune: W at: 50% }',
    ],
    [
      'experiment a { model: "m" evaluate: "t" prune: W at: 4:2 }',
      'experiment a { model: "m" evaluate: "t" prune: W at: 2:4 }',
    ],
    ['metric a = div(W, X)', 'metric a = W / X'],
    ['metric a = W - div(W + 1, (-X)) ^ 2', 'metric a = W - ((W + 1) / (-X)) ^ 2'],
    ['metric a = add(W, X, 2 * G, W * X) - W', 'metric a = add(add(add(W, X), 2 * G), W * X) - W'],
    ['metric b = W - X\nmetric a = b(2) * W', 'metric b = W - X\nmetric a = b * W'],
    ['metric a(p = 1, q = 2) = W - q * X', 'metric a(q = 2) = W - q * X'],
    ['metric a(q = 2, p = -1) = W - q * X', 'metric a(q = 2) = W - q * X'],
    [
      'experiment a { model: "m" evaluate: unseen }',
      'corpus unseen = "path"\n\nexperiment a { model: "m" evaluate: unseen }',
    ],
    [
      'corpus t = "t"\nmodel m = "m"\nexperiment a { model: other evaluate: t }',
      'corpus t = "t"\nmodel m = "m"\nmodel other = "path"\nexperiment a { model: other evaluate: t }',
    ],
    [
      'search s { model: "m" evaluate: "t" operands: W mutation: 0.8 }',
      'search s { model: "m" evaluate: "t" operands: W mutation: 0.5 }',
    ],
    [
      'search s { model: "m" evaluate: "t" operands: W population: 4 }',
      'search s {\n  elites: 0 model: "m" evaluate: "t" operands: W population: 4 }',
    ],
    [
      'corpus t = "t"\nsearch s { model: "m" operands: W }',
      'corpus t = "t"\nsearch s {\n  evaluate: t model: "m" operands: W }',
    ],
  ])('%s', (text, mended) => {
    const { diagnostics } = compile(text);
    const fix = diagnostics.flatMap(({ fixes = [] }) => fixes)[0];
    let result = text;
    for (const { start, end, text: replacement } of [...fix!.edits].sort((a, b) => b.start - a.start)) {
      result = result.slice(0, start) + replacement + result.slice(end);
    }
    expect(result).toBe(mended);
    expect(compile(result).diagnostics).toEqual([]);
  });
});

describe('bounds', () => {
  it('does not expand references without end', () => {
    const lines = ['metric m0 = W + X'];
    for (let i = 1; i < 60; i++) lines.push(`metric m${i} = m${i - 1} + m${i - 1}`);
    const { diagnostics } = compile(lines.join('\n'));
    expect(diagnostics.map(({ code }) => code)).toEqual(['metric/too-large']);
  });

  it('does not expand calls without end', () => {
    const lines = ['metric m0(p = 1) = W + p * X'];
    for (let i = 1; i < 60; i++) lines.push(`metric m${i}(p = 1) = m${i - 1}(p * 2) + m${i - 1}(p * 3)`);
    const start = performance.now();
    const { diagnostics } = compile(lines.join('\n'));
    expect(diagnostics.map(({ code }) => code)).toEqual(['metric/too-large']);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  it('follows chains of references as long as a file', () => {
    const lines = Array.from({ length: 8000 }, (_, i) => `metric m${i} = ${i === 7999 ? 'W - X' : `m${i + 1}`}`);
    const { diagnostics, declarations } = compile(lines.join('\n'));
    expect(diagnostics).toEqual([]);
    expect(declarations.filter(({ broken }) => broken)).toEqual([]);
    const cyclic = compile(`${lines.slice(0, -1).join('\n')}\nmetric m7999 = m0`);
    expect(cyclic.diagnostics.map(({ code }) => code)).toEqual(['name/cyclic']);
  });

  it('lists a bounded number of problems', () => {
    const { diagnostics } = compile('metric = W\n'.repeat(5000));
    expect(diagnostics).toHaveLength(MAX_DIAGNOSTICS + 1);
    expect(diagnostics.at(-1)?.code).toBe('file/too-many-problems');
  });

  it('tells of the first hundred metrics that rank as others do, and how many there are beside', () => {
    const told = (same: number) => {
      const metrics = Array.from({ length: same }, (_, i) => `metric m${i} = ${i + 1} * W`);
      const { diagnostics } = compile(`metric a = W\n${metrics.join('\n')}\nexperiment e { at: 200% }`);
      return diagnostics.map(({ code, message }) => `${code} ${message}`).slice(-4);
    };
    const same = (name: string) =>
      `metric/same-ranking \`${name}\` has the same ranking as \`a\`: both prune the same weights, rounding aside`;
    const mistake: unknown = expect.stringContaining('sparsity/range');
    expect(told(100)).toEqual([same('m97'), same('m98'), same('m99'), mistake]);
    const rest = (who: string) =>
      `metric/same-ranking ${who} the same ranking as metrics before: hovering over a name tells which`;
    expect(told(101)).toEqual([same('m98'), same('m99'), rest('`m100` has'), mistake]);
    // Mistakes are not crowded out.
    expect(told(1500)).toEqual([same('m98'), same('m99'), rest('`m100` and 1399 more metrics have'), mistake]);
  });

  it('refuses what is too long', () => {
    const { diagnostics, declarations } = compile(`metric a = W\n${' '.repeat(1_000_000)}`);
    expect([diagnostics.map(({ code }) => code), declarations]).toEqual([['file/too-large'], []]);
  });
});
