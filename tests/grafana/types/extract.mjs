// What a version of Grafana knows of dashboards and of the panels we use, out of the types of @grafana/schema.
// In a folder with typescript and the versions wanted (npm install --ignore-scripts typescript@5 schema11@npm:@grafana/schema@11.0.0 …):
// node extract.mjs 11=node_modules/schema11 12=node_modules/schema12 13=node_modules/schema13 > types.json
import ts from 'typescript';
import { existsSync } from 'node:fs';
const PANELS = { stat: 'stat', timeseries: 'timeseries', table: 'table', bargauge: 'bargauge', heatmap: 'heatmap', 'state-timeline': 'statetimeline' };
const cap = { stat: 'Stat', timeseries: 'TimeSeries', table: 'Table', bargauge: 'BarGauge', heatmap: 'Heatmap', statetimeline: 'StateTimeline' };
function file(root, ...choices) { for (const c of choices) { const f = `${root}/${c}`; if (existsSync(f)) return f; } throw new Error(root + choices); }
function describe(checker, type, depth) {
  if (depth > 12) return {};
  if (type.flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return {};
  if (type.isUnion()) {
    const parts = type.types.filter((t) => !(t.flags & ts.TypeFlags.Undefined));
    if (parts.every((t) => t.flags & ts.TypeFlags.BooleanLiteral)) return { type: 'boolean' };
    if (parts.every((t) => t.isStringLiteral() || t.flags & ts.TypeFlags.EnumLiteral)) return { enum: parts.map((t) => t.value).sort() };
    const made = parts.filter((t) => !(t.flags & ts.TypeFlags.BooleanLiteral)).map((t) => describe(checker, t, depth + 1));
    if (parts.some((t) => t.flags & ts.TypeFlags.BooleanLiteral)) made.push({ type: 'boolean' });
    return made.length === 1 ? made[0] : { any: made };
  }
  if (type.isIntersection()) { /* objects */ }
  if (type.isStringLiteral() || type.isNumberLiteral()) return { enum: [type.value] };
  if (type.flags & ts.TypeFlags.String) return { type: 'string' };
  if (type.flags & ts.TypeFlags.Number) return { type: 'number' };
  if (type.flags & ts.TypeFlags.Boolean) return { type: 'boolean' };
  if (type.flags & ts.TypeFlags.BooleanLiteral) return { enum: [type.intrinsicName === 'true'] };
  if (type.flags & ts.TypeFlags.Null) return { type: 'null' };
  if (type.flags & ts.TypeFlags.EnumLiteral) return { enum: [type.value] };
  if (checker.isArrayType(type)) return { items: describe(checker, checker.getTypeArguments(type)[0], depth + 1) };
  const index = checker.getIndexInfosOfType(type);
  const properties = {};
  for (const p of checker.getPropertiesOfType(type)) properties[p.name] = describe(checker, checker.getTypeOfSymbol(p), depth + 1);
  if (index.length && !Object.keys(properties).length) return { values: describe(checker, index[0].type, depth + 1) };
  return index.length ? { properties, more: true } : { properties };
}
const out = {};
for (const arg of process.argv.slice(2)) {
  const [version, root] = arg.split('=');
  const board = file(root, 'dist/types/raw/dashboard/x/types.gen.d.ts', 'dist/types/raw/dashboard/x/dashboard_types.gen.d.ts', 'dist/esm/raw/dashboard/x/dashboard_types.gen.d.ts');
  const panels = Object.fromEntries(Object.entries(PANELS).map(([k, d]) => [k, file(root, `dist/types/raw/composable/${d}/panelcfg/x/types.gen.d.ts`, `dist/types/raw/composable/${d}/panelcfg/x/${cap[d]}PanelCfg_types.gen.d.ts`, `dist/esm/raw/composable/${d}/panelcfg/x/${cap[d]}PanelCfg_types.gen.d.ts`)]));
  const index = file(root, 'dist/types/index.d.ts', 'dist/index.d.ts').replace(/^\.\//, '');
  const program = ts.createProgram([board, ...Object.values(panels), index], { strict: true, skipLibCheck: true, moduleResolution: ts.ModuleResolutionKind.Bundler, module: ts.ModuleKind.ESNext, paths: { '@grafana/schema': [`./${index}`] }, baseUrl: '.' });
  const checker = program.getTypeChecker();
  const find = (f, name) => {
    const source = program.getSourceFile(f);
    const symbol = checker.getExportsOfModule(checker.getSymbolAtLocation(source)).find((s) => s.name === name);
    return symbol ? describe(checker, checker.getDeclaredTypeOfSymbol(symbol), 0) : undefined;
  };
  const whole = find(board, 'Dashboard');
  delete whole.properties.panels;
  out[version] = { dashboard: whole, row: find(board, 'RowPanel'), panel: find(board, 'Panel'), panels: {} };
  delete out[version].row.properties.panels;
  for (const [k, f] of Object.entries(panels)) out[version].panels[k] = { options: find(f, 'Options'), custom: find(f, 'FieldConfig') };
}
const unused = new Set(['actions', 'snapshot']);
const text = (value) => JSON.stringify(value, (key, inner) => (unused.has(key) ? undefined : inner));
console.log(`{\n${Object.entries(out).map(([version, types]) => `"${version}": ${text(types)}`).join(',\n')}\n}`);
