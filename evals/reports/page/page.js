'use strict';
// Draws a run from the JSON in #data. Everything from the run is set as text, never as HTML.

const { summary, cases } = JSON.parse(document.getElementById('data').textContent);
const SVG = 'http://www.w3.org/2000/svg';
const DASH = '–';
const words = (name) => name.replaceAll('_', ' ');
const section = (id) => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function drawn(tag, attributes, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function number(value, unit) {
  if (value === null || value === undefined) return DASH;
  if (unit === 'share') return value.toFixed(3);
  return Math.abs(value) < 100 ? Number(value.toPrecision(3)).toString() : value.toFixed(0);
}

function interval(estimate, unit) {
  if (!estimate || estimate.low === null) return DASH;
  return `[${number(estimate.low, unit)}, ${number(estimate.high, unit)}]`;
}

const badge = (name) => element('span', { class: `badge ${name}` }, words(name));

function table(header, rows) {
  const head = element('tr', {}, ...header.map(([name, kind]) => element('th', { class: kind || '' }, name)));
  const body = rows.map((cells) => element('tr', {}, ...cells.map((cell, at) =>
    element('td', { class: header[at][1] || '' }, cell instanceof Node ? cell : String(cell)))));
  return element('div', { class: 'scroll' },
    element('table', {}, element('thead', {}, head), element('tbody', {}, ...body)));
}

function drawHead() {
  document.title = `${summary.suite}: ${summary.system}`;
  section('head').append(
    element('h1', {}, `Evals: ${summary.suite} of ${summary.system} `, ...(summary.bounds.length ? [badge(summary.verdict)] : [])),
    element('p', { class: 'soft' }, `${summary.n} cases, ${summary.errors} errors, ${summary.seconds.toFixed(1)} s, `
      + `verifier ${summary.verifier}, ${summary.started}, run ${summary.run_id}`));
  for (const [message, count] of Object.entries(summary.unanswered)) {
    section('head').append(element('p', { class: 'error' }, `${count} × ${message}`));
  }
}

function drawBounds() {
  if (!summary.bounds.length) return;
  section('bounds').append(element('h2', {}, 'Verdicts'),
    table([['bound'], ['verdict'], ['measured'], ['look at']], summary.bounds.map((bound) =>
      [bound.bound, badge(bound.verdict), bound.why, bound.failing.slice(0, 5).join(', ')])));
}

function drawMetrics() {
  const arrows = { higher: ' ↑', lower: ' ↓' };
  section('metrics').append(element('h2', {}, 'Metrics'),
    table([['metric'], ['mean', 'number'], ['95 %', 'number'], ['scored', 'number'], ['unscored', 'number'], ['meaning']],
      summary.metrics.map((metric) => [
        metric.name + (arrows[metric.better] || ''), number(metric.estimate && metric.estimate.mean, metric.unit),
        interval(metric.estimate, metric.unit), metric.applicable - metric.unscored, metric.unscored, metric.says])));
}

function frame(xLabel, yLabel) {
  const picture = drawn('svg', { viewBox: '0 0 360 240', role: 'img', 'aria-label': `${yLabel} against ${xLabel}` });
  for (const share of [0, .25, .5, .75, 1]) {
    picture.append(
      drawn('line', { class: 'axis', x1: 40, x2: 350, y1: 205 - share * 190, y2: 205 - share * 190 }),
      drawn('text', { x: 34, y: 209 - share * 190, 'text-anchor': 'end' }, share),
      drawn('text', { x: 40 + share * 310, y: 220, 'text-anchor': 'middle' }, share));
  }
  picture.append(drawn('text', { x: 195, y: 236, 'text-anchor': 'middle' }, xLabel));
  return picture;
}

const at = (x, y) => `${(40 + x * 310).toFixed(1)},${(205 - y * 190).toFixed(1)}`;

function drawOutcomes(plots) {
  const bar = element('div', { class: 'bar', role: 'img', 'aria-label': 'outcomes' });
  const key = element('p', { class: 'soft' });
  for (const [name, count] of Object.entries(summary.outcomes)) {
    if (!count) continue;
    bar.append(element('span', { class: name, style: `flex:${count}`, title: `${words(name)}: ${count}` }));
    key.append(badge(name), ` ${count}  `);
  }
  plots.append(element('figure', {}, bar, key,
    element('figcaption', {}, 'Outcomes: what is right, and whether its citations carry it.')));
}

function drawForest(plots) {
  const shares = summary.metrics.filter((metric) => metric.unit === 'share' && metric.estimate);
  const height = shares.length * 16 + 24;
  const picture = drawn('svg', { viewBox: `0 0 420 ${height}`, role: 'img', 'aria-label': 'means with intervals' });
  const x = (share) => 160 + share * 245;
  for (const share of [0, .5, 1]) {
    picture.append(drawn('line', { class: 'axis', x1: x(share), x2: x(share), y1: 4, y2: height - 18 }),
      drawn('text', { x: x(share), y: height - 5, 'text-anchor': 'middle' }, share));
  }
  shares.forEach((metric, row) => {
    const y = 12 + row * 16;
    const { low, high, mean } = metric.estimate;
    picture.append(drawn('text', { x: 150, y: y + 4, 'text-anchor': 'end' }, metric.name));
    if (low !== null) picture.append(drawn('line', { class: 'data', x1: x(low), x2: x(high), y1: y, y2: y }));
    picture.append(drawn('circle', { class: 'dot', cx: x(mean), cy: y, r: 3.5 }));
  });
  plots.append(element('figure', {}, picture, element('figcaption', {}, 'Means with 95 % intervals, clustered by group.')));
}

function drawCurve(plots) {
  if (!summary.curve) return;
  const { coverage, risk, aurc, best } = summary.curve;
  const picture = frame('coverage', 'risk');
  picture.append(drawn('polyline', { class: 'data', points: coverage.map((share, place) => at(share, risk[place])).join(' ') }));
  plots.append(element('figure', {}, picture, element('figcaption', {},
    `Risk–coverage: share wrong among the most confident answers. AURC ${aurc.toFixed(3)}, best possible ${best.toFixed(3)}.`)));
}

function drawReliability(plots) {
  if (!summary.reliability.length) return;
  const picture = frame('confidence', 'right');
  picture.append(drawn('polyline', { class: 'guide', points: `${at(0, 0)} ${at(1, 1)}` }));
  for (const bin of summary.reliability) {
    const [x, y] = at(bin.confidence, bin.accuracy).split(',');
    const dot = drawn('circle', { class: 'dot', cx: x, cy: y, r: 3 + Math.min(9, Math.sqrt(bin.n)) });
    dot.append(drawn('title', {}, `${bin.n} answers`));
    picture.append(dot);
  }
  plots.append(element('figure', {}, picture, element('figcaption', {},
    `Reliability: confidence against share right. Expected calibration error ${summary.calibration_error.toFixed(3)}.`)));
}

function drawPlots() {
  const plots = element('div', { class: 'plots' });
  drawOutcomes(plots);
  drawForest(plots);
  drawCurve(plots);
  drawReliability(plots);
  section('plots').append(element('h2', {}, 'Plots'), plots);
}

function drawParts(what, parts) {
  if (!Object.keys(parts).length) return;
  const shown = ['correct', 'all_facts', 'first_paper', 'refusal_recall', 'false_refusal', 'citation_recall'];
  const rows = Object.entries(parts).map(([kind, metrics]) => {
    const byName = Object.fromEntries(metrics.map((metric) => [metric.name, metric]));
    const size = Math.max(0, ...metrics.map((metric) => metric.applicable));
    return [kind, size, ...shown.map((name) => number(byName[name] && byName[name].estimate && byName[name].estimate.mean, 'share'))];
  });
  section('kinds').append(element('h2', {}, `By ${what}`),
    table([[what], ['n', 'number'], ...shown.map((name) => [name, 'number'])], rows));
}

const COLUMNS = [
  ['case', (one) => one.case.id], ['kind', (one) => one.case.kind], ['outcome', (one) => one.outcome],
  ['question', (one) => question(one)],
  ['facts', (one) => score(one, 'fact_recall')], ['cited', (one) => score(one, 'citation_recall')],
  ['words', (one) => score(one, 'words')], ['s', (one) => one.seconds],
];
const NUMBERS = new Set(['facts', 'cited', 'words', 's']);
const question = (one) => one.case.question || one.case.turns[one.case.turns.length - 1];
const score = (one, name) => (one.scores[name] ? one.scores[name].value : null);
const state = { column: 0, direction: 1, text: '', kind: '', outcome: '' };

function detail(one) {
  const cell = element('td', { colspan: COLUMNS.length });
  if (one.case.turns) cell.append(element('p', { class: 'soft' }, `after: ${one.case.turns.slice(0, -1).join(' / ')}`));
  cell.append(element('p', { class: 'answer' }, one.error || one.text || '(empty)'));
  if (one.reason) cell.append(element('p', {}, `reason: ${words(one.reason)}`));
  if (one.ledger.length) {
    cell.append(table([['sentence'], ['system says'], ['verifier says'], ['score', 'number'], ['evidence']],
      one.ledger.map((line) => [line.text, line.claimed ? badge(line.claimed) : DASH, badge(line.verdict),
        number(line.score, 'share'), element('div', { class: 'evidence' }, line.evidence.join('\n'))])));
  }
  const wanted = [
    ...(one.case.papers.length ? [`papers: ${one.case.papers.join('; ')}`] : []),
    ...(one.case.facts.length ? [`facts: ${one.case.facts.map((fact) => fact.join(' or ')).join('; ')}`] : []),
    ...(one.case.forbidden.length ? [`must not say: ${one.case.forbidden.join('; ')}`] : []),
    ...(one.case.answerable ? [] : [`must be refused: ${words(one.case.reason || 'any reason')}`]),
  ];
  cell.append(element('p', { class: 'soft' }, `wanted: ${wanted.join(' · ') || 'an answer'}`));
  const notes = Object.entries(one.scores).filter(([, found]) => found.note).map(([name, found]) => `${name}: ${found.note}`);
  if (notes.length) cell.append(element('p', { class: 'soft' }, notes.join(' · ')));
  return element('tr', { class: 'detail' }, cell);
}

function row(one) {
  const made = element('tr', { class: 'case', tabindex: '0', 'aria-expanded': 'false' }, ...COLUMNS.map(([name, value]) => {
    const found = value(one);
    if (name === 'outcome') return element('td', {}, badge(found));
    const plain = NUMBERS.has(name) ? number(found, name === 'words' || name === 's' ? '' : 'share') : found;
    return element('td', { class: NUMBERS.has(name) ? 'number' : '' }, plain);
  }));
  const toggle = () => {
    const open = made.getAttribute('aria-expanded') === 'true';
    made.setAttribute('aria-expanded', String(!open));
    if (open) made.nextElementSibling.remove();
    else made.after(detail(one));
  };
  made.addEventListener('click', toggle);
  made.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== ' ') return;
    event.preventDefault();
    toggle();
  });
  return made;
}

function compared(one, two) {
  const [first, second] = [one, two].map(COLUMNS[state.column][1]);
  if (first === null || second === null) return (first === null) - (second === null);  // unscored last, either way
  const order = typeof first === 'number' ? first - second : String(first).localeCompare(String(second));
  return order * state.direction;
}

function fill() {
  const text = state.text.toLowerCase();
  const found = cases.filter((one) => (!state.kind || one.case.kind === state.kind)
    && (!state.outcome || one.outcome === state.outcome)
    && (!text || `${one.case.id} ${question(one)} ${one.text}`.toLowerCase().includes(text))).sort(compared);
  section('rows').replaceChildren(...found.map(row));
  section('count').textContent = `${found.length} of ${cases.length}`;
  document.querySelectorAll('#cases th').forEach((head, place) => {
    head.setAttribute('aria-sort', place !== state.column ? 'none' : state.direction > 0 ? 'ascending' : 'descending');
  });
}

function choice(name, values) {
  const made = element('select', { 'aria-label': name }, element('option', { value: '' }, `every ${name}`),
    ...values.map((value) => element('option', { value }, words(value))));
  made.addEventListener('change', () => { state[name] = made.value; fill(); });
  return made;
}

function drawCases() {
  const search = element('input', { type: 'search', placeholder: 'search questions and answers', 'aria-label': 'search' });
  search.addEventListener('input', () => { state.text = search.value; fill(); });
  const heads = COLUMNS.map(([name], place) => {
    const button = element('button', { type: 'button' }, name);
    button.addEventListener('click', () => {
      state.direction = state.column === place ? -state.direction : 1;
      state.column = place;
      fill();
    });
    return element('th', { class: NUMBERS.has(name) ? 'number' : '', scope: 'col' }, button);
  });
  const distinct = (pick) => [...new Set(cases.map(pick))].sort();
  section('cases').append(element('h2', {}, 'Cases'),
    element('div', { class: 'filters' }, search, choice('kind', distinct((one) => one.case.kind)),
      choice('outcome', distinct((one) => one.outcome)), element('span', { class: 'soft', id: 'count', role: 'status' })),
    element('div', { class: 'scroll' }, element('table', {},
      element('thead', {}, element('tr', {}, ...heads)), element('tbody', { id: 'rows' }))));
  fill();
}

function drawProvenance() {
  const rows = [...Object.entries(summary.hashes), ...Object.entries(summary.versions), ['seed', summary.seed]];
  section('provenance').append(element('h2', {}, 'What this run depends on'),
    table([['of'], ['value']], rows.map(([name, value]) => [name, element('code', {}, String(value))])));
}

drawHead();
drawBounds();
drawMetrics();
drawPlots();
drawParts('kind', summary.kinds);
drawParts('dataset', summary.datasets);
drawCases();
drawProvenance();
