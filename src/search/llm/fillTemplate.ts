import { EspalierError } from '../../base/errors.ts';

/**
 * Puts values where a template says `{{name}}`. The template is gone through once, so nothing in a value is taken for a placeholder.
 *
 * @param name of the template, for the error
 * @throws EspalierError `settings/invalid` for a placeholder that has no value here, or braces that are none
 */
export function fillTemplate(name: string, template: string, values: Readonly<Record<string, string>>): string {
  const parts = template.split('{{');
  return parts
    .map((part, i) => {
      if (i === 0) return part;
      const end = part.indexOf('}}');
      const placeholder = end === -1 ? part : part.slice(0, end);
      const key = placeholder.trim();
      if (end === -1 || !Object.hasOwn(values, key)) throw unknownPlaceholder(name, placeholder, end !== -1, values);
      return values[key]! + part.slice(end + 2);
    })
    .join('');
}

function unknownPlaceholder(
  name: string,
  placeholder: string,
  closed: boolean,
  values: Readonly<Record<string, string>>,
): EspalierError {
  const shown = placeholder.length > 40 ? `${placeholder.slice(0, 40)}…` : placeholder;
  const known = Object.keys(values).map((key) => `{{${key}}}`);
  return new EspalierError({
    code: 'settings/invalid',
    operation: `filling in the prompt template ${name}`,
    expected: `only ${known.join(', ')}`,
    actual: closed ? `{{${shown}}}` : `{{${shown} without }}`,
    remedy: `Mend the template ${name}.md in .espalier/prompts, or remove it to use the one that ships.`,
  });
}
