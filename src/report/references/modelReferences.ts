import type { Reference } from './reference.ts';

/** Families of models. */
export const MODEL_REFERENCES = {
  touvron2023llama: model('LLaMA: Open and Efficient Foundation Language Models', 2023, '2302.13971', [
    'Touvron, Hugo',
    'Lavril, Thibaut',
    'Izacard, Gautier',
    'Martinet, Xavier',
  ]),
  touvron2023llama2: model('Llama 2: Open Foundation and Fine-Tuned Chat Models', 2023, '2307.09288', [
    'Touvron, Hugo',
    'Martin, Louis',
    'Stone, Kevin',
    'Albert, Peter',
  ]),
  grattafiori2024llama3: model('The Llama 3 Herd of Models', 2024, '2407.21783', [
    'Grattafiori, Aaron',
    'Dubey, Abhimanyu',
    'Jauhri, Abhinav',
    'Pandey, Abhinav',
  ]),
  jiang2023mistral: model('Mistral 7B', 2023, '2310.06825', [
    'Jiang, Albert Q.',
    'Sablayrolles, Alexandre',
    'Mensch, Arthur',
    'Bamford, Chris',
  ]),
  jiang2024mixtral: model('Mixtral of Experts', 2024, '2401.04088', [
    'Jiang, Albert Q.',
    'Sablayrolles, Alexandre',
    'Roux, Antoine',
    'Mensch, Arthur',
  ]),
  yang2024qwen2: model('Qwen2 Technical Report', 2024, '2407.10671', [
    'Yang, An',
    'Yang, Baosong',
    'Hui, Binyuan',
    'Zheng, Bo',
  ]),
  yang2025qwen3: model('Qwen3 Technical Report', 2025, '2505.09388', [
    'Yang, An',
    'Li, Anfeng',
    'Yang, Baosong',
    'Zhang, Beichen',
  ]),
  zhang2022opt: model('OPT: Open Pre-trained Transformer Language Models', 2022, '2205.01068', [
    'Zhang, Susan',
    'Roller, Stephen',
    'Goyal, Naman',
    'Artetxe, Mikel',
  ]),
  black2022gptneox: model('GPT-NeoX-20B: An Open-Source Autoregressive Language Model', 2022, '2204.06745', [
    'Black, Sid',
    'Biderman, Stella',
    'Hallahan, Eric',
    'Anthony, Quentin',
  ]),
  abdin2024phi3: model(
    'Phi-3 Technical Report: A Highly Capable Language Model Locally on Your Phone',
    2024,
    '2404.14219',
    ['Abdin, Marah', 'Aneja, Jyoti', 'Awadalla, Hany', 'Awadallah, Ahmed'],
  ),
  radford2019language: {
    kind: 'misc',
    authors: ['Radford, Alec', 'Wu, Jeffrey', 'Child, Rewon', 'Luan, David', 'Amodei, Dario', 'Sutskever, Ilya'],
    title: 'Language Models are Unsupervised Multitask Learners',
    venue: 'OpenAI',
    year: 2019,
  },
  scao2022bloom: model('BLOOM: A 176B-Parameter Open-Access Multilingual Language Model', 2022, '2211.05100', [
    'Le Scao, Teven',
    'Fan, Angela',
    'Akiki, Christopher',
    'Pavlick, Ellie',
  ]),
  almazrouei2023falcon: model('The Falcon Series of Open Language Models', 2023, '2311.16867', [
    'Almazrouei, Ebtesam',
    'Alobeidli, Hamza',
    'Alshamsi, Abdulaziz',
    'Cappelli, Alessandro',
  ]),
  gemma2024gemma: model('Gemma: Open Models Based on Gemini Research and Technology', 2024, '2403.08295', [
    'Gemma Team',
  ]),
  gemma2024gemma2: model('Gemma 2: Improving Open Language Models at a Practical Size', 2024, '2408.00118', [
    'Gemma Team',
  ]),
  gemma2025gemma3: model('Gemma 3 Technical Report', 2025, '2503.19786', ['Gemma Team']),
  olmo2024olmo2: model('2 OLMo 2 Furious', 2024, '2501.00656', ['Team OLMo']),
  bellagente2024stablelm: model('Stable LM 2 1.6B Technical Report', 2024, '2402.17834', [
    'Bellagente, Marco',
    'Tow, Jonathan',
    'Mahan, Dakota',
    'Phung, Duy',
  ]),
  muennighoff2024olmoe: model('OLMoE: Open Mixture-of-Experts Language Models', 2024, '2409.02060', [
    'Muennighoff, Niklas',
    'Soldaini, Luca',
    'Groeneveld, Dirk',
    'Lo, Kyle',
  ]),
} as const satisfies Readonly<Record<string, Reference>>;

/** A report on arXiv. @param first its first authors; a team, or four of many */
function model(title: string, year: number, arXiv: string, first: readonly string[]): Reference {
  const isTeam = first.length === 1;
  return { kind: 'misc', authors: isTeam ? first : [...first, 'others'], title, year, arXiv };
}
