import { cast, people } from './people.js';
import { playScene, scenes } from './scenes.js';
import type { Stage } from './stage.js';
import { passed, playEvery, playTraffic } from './traffic.js';

/** In milliseconds. */
const betweenBroadcasts = 60_000;
const betweenOutages = 90_000;
const outage = 15_000;
const firstOutage = 20_000;

type Say = (text: string) => void;

/** Plays until the time is over or `stop` is aborted. @throws DemoFailed */
export async function play(stage: Stage, duration: number, stop: AbortController, say: Say): Promise<void> {
  const { api, mail } = stage;
  const { signal } = stop;
  const begun = Date.now();
  const tell: Say = (text) => say(`${clock(Date.now() - begun)}  ${text}`);
  say(introduction(stage, duration));
  for (const { id, recipient } of people) await api.put(`/v1/recipients/${id}`, recipient);
  await api.put('/v1/groups/demo-everybody', { name: 'Everybody' });
  await api.post('/v1/groups/demo-everybody/members', { add: people.map(({ id }) => id), remove: [] });
  tell(`${people.length} people and a group`);
  await playScenes(stage, tell, say);
  const timer = setTimeout(() => stop.abort(), Math.max(0, begun + duration - Date.now()));
  const broadcast = async (): Promise<void> => {
    const content = { subject: 'Fire drill', text: 'At noon, by the stairs.' };
    const id = await api.tell({ groupId: 'demo-everybody', category: 'house', severity: 'warning', content });
    tell(`a broadcast to everybody: ${api.url}/v1/broadcasts/${id}`);
  };
  try {
    await broadcast();
    tell('from now on somebody is told something about twice a second');
    await Promise.all([
      playTraffic(api, signal),
      playEvery(betweenBroadcasts, broadcast, signal),
      mail && playOutages(mail, Math.min(firstOutage, duration / 3), tell, signal),
    ]);
  } finally {
    clearTimeout(timer);
    // One of them may have failed: the others end as well.
    stop.abort();
  }
}

async function playScenes({ api, mail }: Stage, tell: Say, say: Say): Promise<void> {
  const played = scenes.filter(({ needsProviders }) => !needsProviders || mail !== undefined);
  const ids = await Promise.all(played.map((scene) => playScene(api, scene)));
  tell('one notification of every outcome:');
  for (const [index, { status, because }] of played.entries()) {
    say(`        ${status.padEnd(14)} ${api.url}/notifications/${ids[index]}  ${because}`);
  }
  if (mail !== undefined) {
    tell(`an operation that this version cannot read is parked: ${api.url}/parked`);
    tell('the team is told by mail of what has failed');
    return;
  }
  const missing = scenes.filter((scene) => !played.includes(scene));
  say('      A sandbox sends nothing, so nothing fails on the way. Not to be seen there:');
  for (const { status, because } of missing) say(`        ${status.padEnd(14)} ${because}`);
  say('        retries, a mail server that is away, Slack that says "not so fast", a parked record');
  say('      Stop that server, and npm run demo shows them with one of its own.');
}

async function playOutages(mail: { away: boolean }, first: number, tell: Say, signal: AbortSignal): Promise<void> {
  for (let wait = first; await passed(wait, signal); wait = betweenOutages) {
    mail.away = true;
    tell(`the mail server is away for ${outage / 1_000} seconds: mails wait, and go out afterwards`);
    await passed(outage, signal);
    mail.away = false;
    tell('the mail server is back');
  }
}

function introduction({ api, mail }: Stage, duration: number): string {
  const minutes = duration / 60_000;
  return [
    `Tidings is at ${api.url}: open it in a browser, and see the console alive`,
    mail === undefined
      ? `  on the server that runs there; what is played stays in its data, under recipients like ${cast.ada.id}`
      : '  a server of its own: its data is removed at the end, and stand-ins for a mail server and Slack fail on purpose',
    `  for ${minutes} minute${minutes === 1 ? '' : 's'}, or until Ctrl-C`,
  ].join('\n');
}

function clock(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  return `${String(Math.floor(seconds / 60)).padStart(2)}:${String(seconds % 60).padStart(2, '0')}`;
}
