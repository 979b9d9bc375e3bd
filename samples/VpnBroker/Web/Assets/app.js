// The page of a broker: asks for a reading once per second while it is looked at.

import { makeCharts, showFlows, showReport, showUsers } from '/views.js';

const period = 1000, flowsPeriod = 5000, keptPoints = 600, shownUsers = 100;
const byId = id => document.getElementById(id);
const charts = makeCharts();
let points = [];

async function ask(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(5000) });
  if (!answer.ok)
    throw new Error(`the broker answers ${answer.status}`);
  return answer.json();
}

async function refresh() {
  const search = new URLSearchParams({ limit: shownUsers, sort: byId('users-sort').value, search: byId('users-search').value });
  const [report, history, users] = await Promise.all([
    ask('/api/status'), ask(`/api/history?since=${points.at(-1)?.time ?? 0}`), ask(`/api/users?${search}`),
  ]);
  // Two answers that overtake each other may have the same points.
  points = [...points, ...history.points.filter(point => point.time > (points.at(-1)?.time ?? 0))].slice(-keptPoints);
  if (report.time === undefined)
    return;
  showReport(report);
  showCharts();
  byId('users-card').hidden = !users.isServed;
  if (users.isServed)
    showUsers(users);
}

/** While there are readings of a part of the window only, the charts show that part. */
function showCharts() {
  const span = points.length === 0 ? 0 : (points.at(-1).time - points[0].time) / 1000;
  const seconds = Math.min(Number(byId('window').value), Math.max(60, Math.ceil(span / 30) * 30));
  for (const chart of charts)
    chart.update(points, seconds);
}

function showState(className, text) {
  byId('state').className = `state ${className}`;
  if (byId('state').textContent !== text)
    byId('state').textContent = text;
}

let running = false;

async function tick() {
  if (running || document.hidden)
    return;
  running = true;
  try {
    await refresh();
    showState('live', 'live');
  } catch (error) {
    showState('lost', `no answer: ${error.message}`);
  } finally {
    running = false;
  }
}

/** Flows are read over a second, so they come by themselves. */
async function refreshFlows() {
  if (document.hidden)
    return;
  try {
    showFlows(await ask(`/api/flows?sort=${byId('flows-sort').value}`));
  } catch {
    // The tick of each second says that the broker does not answer.
  }
}

function chooseTheme(theme) {
  document.documentElement.dataset.theme = theme;
}

byId('theme').addEventListener('click', () => {
  const next = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
  chooseTheme(next);
  localStorage.setItem('theme', next);
});
for (const id of ['users-search', 'users-sort'])
  byId(id).addEventListener('input', tick);
byId('flows-sort').addEventListener('input', refreshFlows);
byId('window').addEventListener('input', showCharts);
window.addEventListener('resize', showCharts);
document.addEventListener('visibilitychange', tick);
chooseTheme(localStorage.getItem('theme') ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'));
setInterval(tick, period);
setInterval(refreshFlows, flowsPeriod);
tick();
refreshFlows();
