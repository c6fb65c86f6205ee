/** Mistakes in tasks, and where they are asked for: a table of `diagnostics.test.ts`. */
const INPUTS = 'defaults { model: tiny }';

export const TASK_MISTAKES: Readonly<Record<string, string>> = {
  'nothing is wrong with tasks': `
${INPUTS}
task mine = "m.jsonl" (context: "{question}\\nAnswer: {{x}} \\u0022\\\\n", choices: choices, gold: label)
task sides = "m.csv" (shots: 1, examples: "e.csv", context: "{a.b}", choices: ["{c}", "{d.e}\\t"], gold: "the answer", limit: 3)
experiment e { tasks: seven (documents: "folder", limit: 10), piqa (shots: 5, examples: "t"), mmlu, mmlu_world_religions, mine, sides (shots: 2) harness: 0.3 bos: always }
experiment f { evaluate: test tasks: gsm8k (documents: "hf:openai/gsm8k/main:test") }`,
  'a task that is none': `
${INPUTS}
task mine = "m" (context: "{q}", choices: c, gold: g)
experiment e { tasks: piqua, mmlu_astronmy, mien, wanda, foo }
                      ^^^^^ name/unknown unknown task \`piqua\`: did you mean \`piqa\`?
                             ^^^^^^^^^^^^^ name/unknown did you mean \`mmlu_astronomy\`?
                                            ^^^^ name/unknown did you mean \`mine\`?
                                                  ^^^^^ name/wrong-kind \`wanda\` is a metric, not a task
                                                         ^^^ name/unknown unknown task \`foo\``,
  'what is no name': `
${INPUTS}
experiment e { tasks: "piqa.jsonl" }
                      ^^^^^^^^^^^^ property/type this has to be the name of a task
experiment f { tasks: arc-easy, 5 }
                      ^^^^^^^^ property/type did you mean \`arc_easy\`?
                                ^ property/type the name of a task`,
  'settings of tasks that are none': `
${INPUTS}
task mine = "m" (context: "{q}", choices: c, gold: g)
experiment e { tasks: piqa (shots: -1, limits: 3, documents: test, examples: ""), boolq (5), mine (context: "x") }
                                   ^^ property/range \`shots\` is a whole number from 0 to 1000, not -1
                                       ^^^^^^ call/argument did you mean \`limit\`?
                                                             ^^^^ property/type a text in quotes
                                                                             ^^ property/type this path is empty
                                                                                         ^ call/argument stand settings by name
                                                                                                   ^^^^^^^ call/argument \`context\` cannot stand here
experiment f { tasks: seven (examples: "x"), boolq (documents: "hf:x") harness: 0.5 bos: yes }
                      ^^^^^^^^^^^^^^^^^^^^^ call/argument name a folder as \`documents\`
                                                               ^^^^^^ property/type this has to be
                                                                                ^^^ property/type one of \`0.4\`, \`0.3\`
                                                                                         ^^^ property/type one of \`tokenizer\``,
  'tasks twice, and without effect': `
${INPUTS}
experiment e { tasks: boolq, seven, boolq (shots: 1) }
                             ^^^^^ experiment/repeated \`boolq\` is listed twice
experiment f { evaluate: test harness: 0.4 bos: none }
                              ^^^^^^^ experiment/no-effect asks for no tasks
                                           ^^^ experiment/no-effect asks for no tasks
experiment g { }
           ^ experiment/missing does not say \`evaluate\``,
  'tasks of a search': `
defaults { model: tiny evaluate: test calibrate: calib }
search s { tasks: piqa (shots: 1), rte harness: 0.3 bos: always }
search t { method: self-pruner mutate: classical tasks: piqua }
                                                        ^^^^^ name/unknown unknown task \`piqua\`: did you mean \`piqa\`?
search u { method: policy-gradient harness: 0.3 }
                                   ^^^^^^^ search/no-effect \`u\` asks for no tasks`,
  'a declaration that lacks something': `
task a = "m" (context: "{q}")
     ^ task/missing task \`a\` does not say \`choices\` and \`gold\`
task b = "m"
     ^ task/missing \`context\` and \`choices\` and \`gold\`
task c = ""  (context: "{q}", choices: c, gold: g)
         ^^ property/type this path is empty
task d =
       ^ syntax/expected a path in quotes
experiment e { model: tiny tasks: a, b, c, d }`,
  'names that are taken': `
task piqa = "m" (context: "{q}", choices: c, gold: g)
     ^^^^ name/reserved \`piqa\` is a task of the language
task seven = "m" (context: "{q}", choices: c, gold: g)
     ^^^^^ name/reserved
task wanda = "m" (context: "{q}", choices: c, gold: g)
     ^^^^^ name/duplicate already a metric`,
  'templates that are none': `
task a = "m" (context: "{q", choices: ["{}", "x}"], gold: label)
                        ^ task/template a { without its }
                                        ^^ task/template no field between braces
                                               ^ task/template a } without its {
task b = "m" (context: "a\\qb {q}", choices: ["{a}"], gold: "a..b")
                         ^^ task/template \`\\q\` is no escape
                                            ^^^^^^^ property/range 2 to 1024 templates, not 1
                                                           ^^^^^^ property/type the name of a field
task c = "m" (context: question, choices: "{a}", gold: 3)
                       ^^^^^^^^ property/type such as \`"{question}"\`
                                          ^^^^^ property/type or a list of templates
                                                       ^ property/type the name of a field
task d = "m" (context: "{q}", context: "{q}", choices: c, gold: g, documents: "x")
                              ^^^^^^^ property/duplicate said twice
                                                                   ^^^^^^^^^ call/argument cannot stand here`,
};
