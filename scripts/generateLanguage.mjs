// Runs `langium generate`. Chevrotain 12 checks a grammar with Object.groupBy, which Node 20 does not have yet; only the
// generator checks the grammar, so the shim is needed here and nowhere else.
Object.groupBy ??= (items, keyOf) => {
  const groups = Object.create(null);
  for (const item of items) (groups[keyOf(item)] ??= []).push(item);
  return groups;
};

process.argv.splice(2, process.argv.length, 'generate');
await import('../node_modules/langium-cli/bin/langium.js');
