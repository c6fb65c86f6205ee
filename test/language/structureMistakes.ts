/** Mistakes in what says that whole components go, and in searches for rates and masks: a table of `diagnostics.test.ts`. */
const INPUTS = 'defaults { model: tiny evaluate: test calibrate: calib }';

export const STRUCTURE_MISTAKES: Readonly<Record<string, string>> = {
  'nothing is wrong with structures': `
${INPUTS}
metric mine(p = 1) = W * X ^ p
experiment e { at: 30%
  prune: wanda, structure(wanda-sp), structure(magnitude, uniform), structure(mine(2), rates: owl), structure(W - X)
}
experiment f { at: 30% prune: structure(rates: global, score: flap), structure(shortgpt), weights(W, owl(7, 0.1)) }
experiment g { prune: structure(taylor, [0.1, 1 / 4, 40%]), weights(wanda, [0, 1]) }
search s { method: self-pruner at: 30% target: mine baselines: uniform, owl, [20%, 0.4] }
search t { method: policy-gradient score: W * X baselines: wanda-sp, mine, structure(wanda, owl) at: 3e1% }
search u { method: self-pruner model: tiny evaluate: test at: 30% target: magnitude baselines: uniform initialise: off }`,
  'a method that is none': `
${INPUTS}
experiment e { prune: structure(wanda-ps), structure(magnitud), structure(foo) at: 30% }
                                ^^^^^^^^ name/unknown \`wanda-ps\` is no method and no metric: did you mean \`wanda-sp\`?
                                                     ^^^^^^^^ name/unknown did you mean \`magnitude\`?
                                                                          ^^^ name/unknown there are \`wanda-sp\`, \`magnitude\``,
  'a method where metrics stand': `
${INPUTS}
experiment e { prune: wanda-sp, flap at: 30% }
                      ^^^^^^^^ name/wrong-kind write \`structure(wanda-sp)\`
                                ^^^^ name/wrong-kind write \`structure(flap)\``,
  'a metric that is called as a method is': `
${INPUTS}
metric taylor = W * G
experiment e { prune: taylor, structure(taylor) at: 30% }
                                        ^^^^^^ structure/method-first not the metric of that name`,
  'N:M with structures': `
${INPUTS}
experiment e { prune: wanda, structure(wanda-sp) at: 30%, 2:4 }
                                                 ^^ structure/sparsity \`wanda-sp\` removes a share of each block
experiment f { prune: weights(wanda, owl) at: 2:4 }
                                          ^^ structure/sparsity \`wanda (owl)\`
search s { method: self-pruner at: 2:4 }
                                   ^^^ structure/sparsity N:M is a pattern of single weights`,
  'rates where there can be none': `
${INPUTS}
experiment e { prune: structure(shortgpt, owl), weights(wanda, global) at: 30% }
                                          ^^^ structure/rates drops whole blocks
                                                               ^^^^^^ structure/rates single weights
experiment f { prune: structure(reap, global), structure(reap, [0.2, 0.4]) at: 30% }
                                      ^^^^^^ structure/rates drops whole experts: it takes rates of its own alone
search s { method: self-pruner target: structure(wanda-sp, owl) baselines: global }
                                                           ^^^ structure/rates what the search finds
                                                                           ^^^^^^ structure/rates no list of rates`,
  'rates that are none': `
${INPUTS}
experiment e { at: 30%
  prune: structure(wanda-sp, own), structure(wanda-sp, 0.3), structure(wanda-sp, [0.3, 1.5, W])
                             ^^^ property/type rates are \`uniform\`, \`owl\`, \`global\` or a list such as \`[0.2, 0.4]\`: did you mean \`owl\`?
                                                       ^^^ property/type
                                                                                       ^^^ property/range from 0 to 1, not 1.5
                                                                                            ^ property/type this is [out, in]
}
experiment f { prune: structure(wanda-sp, [1, 100%]), structure(wanda-sp, uniform(3)), weights(W, owl(spread: 9)) at: 30% }
                                          ^^^^^^^^^ property/range leave nothing
                                                                          ^^^^^^^ call/not-a-function
                                                                                                              ^ property/range from 0 to 0.5`,
  'arguments of a clause that are none': `
${INPUTS}
experiment e { at: 30%
  prune: structure(), structure(wanda-sp, owl, 3), structure(wanda-sp, rate: owl), weights(wanda, metric: W)
         ^^^^^^^^^ call/arity needs its \`score\`
                                               ^ call/arity at most 2
                                                                       ^^^^ call/argument did you mean \`rates\`?
                                                                                                  ^^^^^^^^^ call/argument given twice
    , structure(rates: owl, flap)
                            ^^^^ call/argument name this argument
}`,
  'a list where none can stand': `
${INPUTS}
experiment e { prune: wanda, [W] at: [30%] }
                             ^^^ metric/not-a-value a list cannot stand in a formula
                                     ^^^^^ property/type`,
  'a clause in a formula': `
${INPUTS}
metric a = structure(wanda-sp) + weights
           ^^^^^^^^^ name/wrong-kind as in \`prune: structure(wanda-sp, owl)\`
                                 ^^^^^^^ name/wrong-kind as in \`prune: weights(wanda, owl)\`
search s { method: policy-gradient score: structure(flap) }
                                          ^^^^^^^^^ name/wrong-kind it stands by itself`,
  'a method of components for single weights': `
${INPUTS}
experiment e { prune: weights(flap), weights(wanda-sp, owl) at: 30% }
                              ^^^^ name/wrong-kind here stands a metric, which ranks single weights
                                             ^^^^^^^^ name/wrong-kind
search s { method: self-pruner target: weights(taylor) }
                                               ^^^^^^ name/wrong-kind`,
  'a score in quotes, in letters of others, or with one wrong name in a formula': `
${INPUTS}
experiment e { prune: structure("flap"), structure(wändä-sp), structure(W-x) at: 30% }
                                ^^^^^^ property/type without quotes: did you mean \`flap\`?
                                                   ^^^^^^^^ name/unknown did you mean \`wanda-sp\`?
                                                                          ^ name/unknown did you mean \`X\`?`,
  'lists with nothing or lists in them': `
${INPUTS}
search s { method: self-pruner baselines: [] }
                                           ^ syntax/expected found \`]\`
search t { method: self-pruner baselines: [[0.5]] }
                                           ^ syntax/expected found \`[\``,
  'less than nothing': `
${INPUTS}
search s { method: self-pruner at: -5% }
                                   ^^^ sparsity/range at least 0%`,
  'brackets in a formula': `
metric b = sqrt[W]
               ^ syntax/character \`[\` is written \`(\``,
  'a list that is not closed': `
${INPUTS}
search s { method: self-pruner baselines: [0.2, 0.4 at: 30% }
                                                ^^^ syntax/expected \`,\` or \`]\``,
  'a property of another method': `
${INPUTS}
search s { method: self-pruner steps: 3 operands: W }
                               ^^^^^ property/misplaced \`steps\` belongs to \`method: policy-gradient\`, and this search is by \`self-pruner\`
                                        ^^^^^^^^ property/misplaced belongs to \`method: pruner-zero\` and \`method: random\`
search t { mutations: 3 }
           ^^^^^^^^^ property/misplaced belongs to \`method: self-pruner\`, and this search is by \`pruner-zero\`
search u { method: policy-gradient prune: wanda }
                                   ^^^^^ property/misplaced belongs into an experiment`,
  'a method of searching that is none': `
${INPUTS}
search s { method: self-prunner mutations: 3 steps: 3 }
                   ^^^^^^^^^^^^ property/type did you mean \`self-pruner\`?
                                             ^^^^^ property/misplaced
search t { method: policy target: wanda-sp }
                   ^^^^^^ property/type one of
                          ^^^^^^ property/misplaced`,
  'a text without quotes': `
${INPUTS}
search s { method: self-pruner llm: gpt endpoint: "ftp://x" at: 30% }
                                    ^^^ property/type a text in quotes: did you mean \`"gpt"\`?`,
  'an endpoint that is none': `
${INPUTS}
search s { method: self-pruner endpoint: "http://me:secret@x/v1" at: 30% }
                                         ^^^^^^^^^^^^^^^^^^^^^^^ property/type with a user or a password in it`,
  'rates to compare with that remove something else': `
${INPUTS}
search s { method: self-pruner baselines: [0.5, 0.6], uniform, [30%, 30%] at: 30% }
                                          ^^^^^^^^^^ search/baseline remove 55% in the mean, and the search 30%
search t { method: self-pruner baselines: [0.3, 0.3], [0.3, 0.3], [1 / 2, 0.6] at: 30% }
                                                      ^^^^^^^^^^ experiment/repeated
                                                                  ^^^^^^^^^^^^ search/baseline remove 55%`,
  'a method that drops whole blocks where a search has no use for it': `
${INPUTS}
search s { method: self-pruner target: shortgpt }
                                       ^^^^^^^^ name/wrong-kind drops whole blocks: here stands what ranks heads and channels
search t { method: policy-gradient score: shortgpt baselines: shortgpt }
                                          ^^^^^^^^ name/wrong-kind such as \`wanda-sp\`
search u { method: self-pruner target: reap }
                                       ^^^^ name/wrong-kind drops whole experts`,
  'settings of a search for masks that do not go together': `
${INPUTS}
search s { method: policy-gradient masks: 1 centre: step }
                                          ^ property/range two \`masks\` at least
search t { method: policy-gradient masks: 1 }`,
  'settings that change nothing': `
${INPUTS}
search s { method: self-pruner provider: none llm: "x" tokenCap: 9 cross: classical }
                                                   ^^^ search/no-effect with \`provider: none\` nobody is asked
                                                                 ^ search/no-effect \`tokenCap\` has no effect
search t { method: self-pruner provider: openai initialise: off mutate: off cross: off spread: 0 step: 0.1 mutations: 3 crossovers: 4 }
                                         ^^^^^^ search/no-effect none of \`initialise\`, \`mutate\`, \`cross\` is \`llm\`
                                                                                               ^ search/no-effect draws rates at random
                                                                                                       ^^^ search/no-effect leaves mutation out
                                                                                                                      ^ search/no-effect leaves mutation out
                                                                                                                                    ^ search/no-effect leaves crossover out
search u { method: policy-gradient centre: step window: 9 initial: random map: min-max }
                                                        ^ search/no-effect no steps before
                                                                               ^^^^^^^ search/no-effect begins without scores
search v { method: self-pruner llm: "x" mutate: classical spread: 0.2 }`,
  'a recorded run that is not said': `
${INPUTS}
search s { method: self-pruner provider: replay }
                                         ^^^^^^ search/missing which run
search t { method: self-pruner provider: replay replay: "20261122" }`,
  'settings behind what has none': `
${INPUTS}
experiment e { model: tiny (blocks: 3, length: 4) prune: W at: 30% }
                            ^^^^^^^^^ call/argument no settings can stand behind \`tiny\` here
search s { evaluate: calib test: test (blocks: 3) }
                                       ^^^^^^ call/argument \`blocks\` cannot stand here, only \`field\``,
  'a search for rates or masks that does not say its texts': `
search s { method: self-pruner model: tiny evaluate: test }
       ^ search/missing does not say \`calibrate\`
search t { method: policy-gradient model: tiny evaluate: test score: magnitude }
       ^ search/missing does not say \`calibrate\``,
  'what gives its rates needs no sparsity': `
${INPUTS}
experiment e { prune: structure(wanda-sp, [0.2, 0.4]) at: 30% }
           ^ experiment/no-effect prunes at the rates that it gives`,
};
