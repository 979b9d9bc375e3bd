// What the page shows of a report: tiles, charts and tables.

import { bits, bytes, count, counted, duration, packets, percent, scaled, sum } from '/format.js';
import { element, setText, showTable } from '/dom.js';
import { Chart } from '/charts.js';

const byId = id => document.getElementById(id);
const number = (title, text) => ({ title, text, className: 'number' });
const traffic = [
  number('in packets', row => count(row.traffic.receivedPackets)),
  number('in /s', row => packets(row.traffic.rate?.receivedPackets)),
  number('in bit/s', row => bits(row.traffic.rate?.receivedBits)),
  number('out packets', row => count(row.traffic.sentPackets)),
  number('out /s', row => packets(row.traffic.rate?.sentPackets)),
  number('out bit/s', row => bits(row.traffic.rate?.sentBits)),
];

const sides = [['users', 'Users', 'users'], ['esp', 'IPsec peers', 'IPsec'], ['tun', 'Local network', 'local']];

const end = ({ address, port }) => port === undefined ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

const columns = {
  lcores: [
    { title: 'lcore', text: row => row.lcore.cpu < 0 ? `${row.lcore.index}` : `${row.lcore.index} on CPU ${row.lcore.cpu}` },
    { title: 'busy', text: row => percent(row.lcore.busy), share: row => row.lcore.busy },
    number('tunnels', row => count(row.lcore.tunnels)),
    { title: 'inner side', text: row => row.traffic.name },
    ...traffic,
  ],
  ports: [
    { title: 'port', text: row => row.traffic.name, className: 'name' },
    { title: 'lcore', text: row => row.lcore === undefined ? 'device' : `${row.lcore}` },
    ...traffic,
    number('dropped', row => count(sum(row.drops))),
    number('drops', row => packets(row.dropRates && sum(row.dropRates))),
  ],
  esp: [
    { title: 'tunnel', text: row => row.tunnel, className: 'name' },
    { title: 'lcore', text: row => `${row.lcore}` },
    { title: 'SPI in', text: row => row.inboundSpi },
    { title: 'SPI out', text: row => row.outboundSpi },
    ...traffic,
    number('dropped', row => count(sum(row.drops))),
  ],
  ipsec: [
    { title: 'peer', text: row => row.peer ?? '–', className: 'name' },
    { title: 'state', text: row => row.state, state: row => row.state === 'established' ? 'good' : row.state === 'down' ? 'bad' : '' },
    { title: 'identity', text: row => row.identity ?? '–', className: 'name' },
    { title: 'local', text: row => row.local ?? '–' },
    { title: 'remote', text: row => row.remote ?? 'any' },
    { title: 'began', text: row => row.state === 'down' ? '–' : row.initiator ? 'we' : 'peer' },
    number('age', row => duration(row.ageSeconds)),
    number('rekey in', row => row.rekeySeconds === undefined ? '–' : duration(row.rekeySeconds)),
    { title: 'algorithms', text: row => row.suite ?? '–', className: 'wide' },
  ],
  shares: [
    { title: 'tunnel', text: row => row.tunnel, className: 'name' },
    number('weight', row => count(row.weight)),
    { title: 'of new flows', text: row => percent(row.share), share: row => row.share },
    { title: 'prefixes', text: row => row.prefixes.join(' '), className: 'wide' },
  ],
  children: [
    { title: 'child', text: row => `${row.peer ?? '–'} / ${row.name}${row.replaced ? ' (replaced)' : ''}`, className: 'name' },
    { title: 'lcore', text: row => `${row.lcore}${row.ofLcore ? '' : ' (for all)'}` },
    { title: 'SPI in', text: row => row.inboundSpi },
    { title: 'SPI out', text: row => row.outboundSpi },
    number('age', row => duration(row.ageSeconds)),
    number('rekey in', row => row.rekeySeconds === undefined ? '–' : duration(row.rekeySeconds)),
    { title: 'algorithms', text: row => row.suite },
    { title: 'local', text: row => row.local.join(' '), className: 'wide' },
    { title: 'remote', text: row => row.remote.join(' '), className: 'wide' },
  ],
  drops: [
    { title: 'reason', text: row => row.reason, className: 'name' },
    { title: 'where', text: row => row.where, className: 'wide' },
    number('packets', row => count(row.packets)),
    number('now', row => packets(row.rate)),
  ],
  flows: [
    { title: 'from', text: row => end(row.initiator), className: 'wide' },
    { title: 'through', text: row => row.initiator.through, className: 'name' },
    { title: 'to', text: row => end(row.responder), className: 'wide' },
    { title: 'through', text: row => row.responder.through, className: 'name' },
    { title: 'protocol', text: row => row.protocol },
    { title: 'state', text: row => row.state, state: row => row.state === 'denied' ? 'bad' : '' },
    { title: 'lcore', text: row => `${row.lcore}` },
    number('age', row => duration(row.ageSeconds)),
    number('sent', row => bytes(row.sent.bytes)),
    number('bit/s', row => bits(row.sent.bitsPerSecond)),
    number('received', row => bytes(row.received.bytes)),
    number('bit/s', row => bits(row.received.bitsPerSecond)),
    number('drops', row => count(row.sent.drops + row.received.drops)),
  ],
  dtls: [
    number('by DTLS', row => count(row.dtls.channels)),
    number('by TLS', row => count(Math.max(0, row.tunnels - row.dtls.channels))),
    number('begun', row => count(row.dtls.begun)),
    number('fell back to TLS', row => count(row.dtls.fallbacks)),
    number('moved', row => count(row.dtls.moved)),
    number('handshakes now', row => count(row.dtls.halfOpen)),
    number('failed', row => count(row.dtls.failed)),
    number('refused', row => count(row.dtls.refused)),
    number('asked for a cookie', row => count(row.dtls.cookieRequests)),
    number('dropped before', row => count(row.dtls.dropped)),
  ],
  tables: [
    { title: 'lcore', text: row => `${row.index}` },
    number('now', row => count(row.flows.active)),
    number('denied', row => count(row.flows.denied)),
    { title: 'of', text: row => count(row.flows.maximum), share: row => (row.flows.active - row.flows.denied) / row.flows.maximum },
    number('begun', row => count(row.flows.begun)),
    number('expired', row => count(row.flows.expired)),
    number('evicted', row => count(row.flows.evicted)),
    number('denied evicted', row => count(row.flows.deniedEvicted)),
    number('untracked packets', row => count(row.flows.untracked)),
    number('records', row => count(row.flows.records)),
    number('records lost', row => count(row.flows.recordsLost)),
  ],
  queues: [
    { title: 'queue', text: row => `${row.kind} ${row.name}`, className: 'name' },
    { title: 'way', text: row => row.port },
    { title: 'lcore', text: row => `${row.lcore}` },
    number('waiting', row => count(row.waitingPackets)),
    number('bytes', row => bytes(row.waitingBytes)),
    number('sent', row => count(row.sentPackets)),
    number('marked', row => count(row.markedPackets)),
    number('dropped', row => count(sum(row.drops))),
    number('mean delay', row => `${row.meanDelayMilliseconds.toFixed(2)} ms`),
    number('largest now', row => `${row.largestDelayMilliseconds.toFixed(2)} ms`),
  ],
  ike: [
    number('half-open', row => count(row.halfOpen)),
    number('accepted', row => count(row.accepted)),
    number('with a cookie', row => count(row.acceptedWithCookie)),
    number('repeated', row => count(row.repeated)),
    number('asked for a cookie', row => count(row.cookiesDemanded)),
    number('wrong cookie', row => count(row.cookiesRefused)),
    number('too many', row => count(row.tooManyHalfOpen + row.tooManyFromAddress)),
    number('too fast', row => count(row.tooFast)),
    number('malformed', row => count(row.malformed)),
    number('other version', row => count(row.versionsRefused)),
    number('expired', row => count(row.expired)),
  ],
  policy: [
    { title: 'rule', text: row => row.name, className: 'name' },
    { title: 'action', text: row => row.action, state: row => row.action === 'allow' ? 'good' : 'bad' },
    number('flows', row => count(row.flows)),
    number('packets', row => count(row.packets)),
    number('bytes', row => bytes(row.bytes)),
  ],
  users: [
    { title: 'user', text: row => row.user, className: 'name' },
    { title: 'group', text: row => row.group ?? '–', className: 'name' },
    { title: 'via', text: row => row.via },
    { title: 'data', text: row => row.data ?? '–', state: row => row.data === 'dtls' || row.data === 'esp' ? 'good' : '' },
    { title: 'from', text: row => row.remote },
    { title: 'address', text: row => [row.iPv4, row.iPv6].filter(Boolean).join(' ') || '–' },
    { title: 'lcore', text: row => row.connected ? `${row.lcore}` : 'away', state: row => row.connected ? '' : 'empty' },
    number('age', row => duration(row.ageSeconds)),
    number('from user', row => bytes(row.traffic.receivedBytes)),
    number('bit/s', row => bits(row.traffic.rate?.receivedBits)),
    number('to user', row => bytes(row.traffic.sentBytes)),
    number('bit/s', row => bits(row.traffic.rate?.sentBits)),
    number('drops', row => count(row.drops)),
    number('unsent', row => bytes(row.unsentBytes)),
  ],
  dpdk: [
    { title: 'port', text: row => row.name, className: 'name' },
    { title: 'device', text: row => row.device },
    { title: 'driver', text: row => row.driver },
    { title: 'address', text: row => row.mac },
    { title: 'role', text: row => row.role },
    { title: 'link', text: row => row.link, state: row => row.link === 'up' ? 'good' : 'bad' },
    number('speed', row => row.megabits === 0 ? '–' : scaled(row.megabits * 1e6, 'bit/s')),
    number('queues', row => count(row.queues)),
  ],
  crypto: [
    { title: 'device', text: row => row.device.name, className: 'name' },
    { title: 'driver', text: row => row.device.driver },
    { title: 'state', text: row => row.device.state, state: row => row.device.state === 'working' ? 'good' : 'bad' },
    { title: 'lcore', text: row => `${row.lcore}` },
    number('by device', row => count(row.byDevice)),
    number('by CPU', row => count(row.byCpu)),
    number('errors', row => count(row.deviceErrors)),
    number('done again', row => count(row.retried)),
    number('lost', row => count(row.lost)),
  ],
};

/** Makes the charts; each is given all points. */
export function makeCharts() {
  const parent = byId('charts');
  const direction = side => (point, name, index) => (index === 0 ? point.inner[side]?.receivedBits : point.inner[side]?.sentBits) ?? 0;
  return [
    ...sides.map(([side, title]) => new Chart(parent, {
      title, format: bits, names: () => ['in', 'out'], value: direction(side), maximum: 1000,
    })),
    new Chart(parent, { title: 'Packets sent', format: packets, names: () => sides.map(([, , short]) => short),
      value: (point, name, index) => point.inner[sides[index][0]]?.sentPackets ?? 0, maximum: 10 }),
    new Chart(parent, { title: 'Drops', format: packets, names: () => ['packets'], value: point => point.drops, maximum: 1 }),
    new Chart(parent, { title: 'Lcores busy', format: percent, names: point => point.busy.map((share, index) => `lcore ${index}`),
      value: (point, name, index) => point.busy[index] ?? 0, maximum: 1, fixed: true }),
  ];
}

/** Shows a report. */
export function showReport(report) {
  setText(byId('host'), `process ${report.processId}, up ${duration(report.uptimeSeconds)}`);
  const drops = dropsOf(report);
  showTiles(report, drops);
  showTable(byId('lcores'), columns.lcores, report.lcores.flatMap(lcore => lcore.traffic.map(side => ({ lcore, traffic: side }))), 'none');
  showTable(byId('drops'), columns.drops, drops, 'No packet was dropped.');
  showTable(byId('ports'), columns.ports, report.ports, 'none');
  showTable(byId('esp'), columns.esp, report.esp);
  showTable(byId('ipsec'), columns.ipsec, report.ipsec);
  showTable(byId('shares'), columns.shares, report.peerShares);
  showTable(byId('children'), columns.children, report.ipsec.flatMap(sa => sa.children.map(child => ({ ...child, peer: sa.peer }))));
  showTable(byId('ike'), columns.ike, report.ikeRequests ? [report.ikeRequests] : []);
  const tunnels = report.lcores.reduce((total, lcore) => total + lcore.tunnels, 0);
  showTable(byId('dtls'), columns.dtls, report.dtls ? [{ dtls: report.dtls, tunnels }] : []);
  showTable(byId('tables'), columns.tables, report.lcores.filter(lcore => lcore.flows));
  showTable(byId('queues'), columns.queues, report.queues.filter(queue => queue.sentPackets + queue.waitingPackets + sum(queue.drops) > 0));
  setText(byId('policy-note'), report.policy ? `generation ${report.policy.generation}` : '');
  showTable(byId('policy'), columns.policy, report.policy?.rules ?? []);
  showTable(byId('dpdk'), columns.dpdk, report.dpdk?.ports ?? []);
  const devices = report.dpdk?.crypto ?? [];
  showTable(byId('crypto'), columns.crypto, devices.flatMap(device => device.queues.map(queue => ({ ...queue, device }))));
}

/** Shows the sessions that were asked for. */
export function showUsers(answer) {
  setText(byId('users-note'), answer.found > answer.users.length
    ? `the first ${count(answer.users.length)} of ${count(answer.found)}` : `${count(answer.found)}`);
  showTable(byId('users'), columns.users, answer.users, 'Nobody.');
}

/** Shows the flows that were asked for; nothing where the broker keeps none. */
export function showFlows({ report }) {
  setText(byId('flows-note'), report ? `${count(report.flows.length)} of ${count(report.matching)}` : '');
  showTable(byId('flows'), columns.flows, report?.flows ?? [], report && 'None.');
}

function showTiles(report, drops) {
  const sent = { packets: 0, bits: 0 };
  for (const side of report.lcores.flatMap(lcore => lcore.traffic)) {
    sent.packets += side.rate?.sentPackets ?? 0;
    sent.bits += side.rate?.sentBits ?? 0;
  }
  const busy = report.lcores.map(lcore => lcore.busy ?? 0);
  const peers = report.ipsec.filter(sa => sa.peer !== undefined);
  const tunnels = report.lcores.reduce((total, lcore) => total + lcore.tunnels, 0);
  const up = peers.filter(sa => sa.state === 'established').length;
  const tiles = [
    ['Forwarded', bits(sent.bits), packets(sent.packets)],
    ['Sessions', count(report.sessions), counted(tunnels, 'tunnel')],
    ['Data by DTLS', report.dtls ? count(report.dtls.channels) : '–', report.dtls ? `of ${counted(tunnels, 'tunnel')}` : 'not offered'],
    ['IPsec peers up', peers.length === 0 ? '–' : `${up} of ${peers.length}`, `${counted(report.esp.length, 'pair')} of SAs`],
    ['Drops', packets(drops.filter(drop => !drop.partOfLcore).reduce((total, drop) => total + (drop.rate ?? 0), 0)), 'all reasons'],
    ['Busiest lcore', percent(Math.max(0, ...busy)), `of ${report.lcores.length}`],
    ['Half-open', count(report.halfOpen), `${count(report.refusedConnections)} refused`],
    ['Worst GC pause', `${report.gc.worstPauseMilliseconds.toFixed(2)} ms`, counted(report.gc.collections, 'collection')],
  ];
  const parent = byId('overview');
  while (parent.childElementCount < tiles.length)
    parent.append(element('div', 'tile', undefined, element('div', 'name'), element('div', 'value'), element('div', 'more')));
  tiles.forEach((texts, index) => texts.forEach((text, part) => setText(parent.children[index].children[part], text)));
}

/** Drops of lcores, ports and SAs, those that go on first. An lcore's have those of its SAs in them. */
function dropsOf(report) {
  const list = (part, where, partOfLcore) => Object.entries(part.drops).map(([reason, packets]) =>
    ({ reason, where, packets, rate: part.dropRates?.[reason], partOfLcore }));
  return [
    ...report.lcores.flatMap(lcore => list(lcore, `lcore ${lcore.index}`, false)),
    ...report.ports.flatMap(port => list(port, port.traffic.name + (port.lcore === undefined ? '' : `, lcore ${port.lcore}`), false)),
    ...report.esp.flatMap(pair => list(pair, `ESP ${pair.tunnel}, lcore ${pair.lcore}`, true)),
  ].sort((a, b) => (b.rate ?? 0) - (a.rate ?? 0) || b.packets - a.packets);
}
