import { busyDomain, goneDomain } from './mail-provider.js';
import { archivedChannel } from './slack-provider.js';

/** A recipient of the demonstration. */
interface Person {
  readonly id: string;
  /** As `PUT /v1/recipients/{id}` takes it. */
  readonly recipient: object;
}

const both = { default: { channels: ['email', 'slack'] } };

function person(name: string, channels: object, preferences?: object): Person {
  const recipient = { displayName: name, channels, ...(preferences && { preferences }) };
  return { id: `demo-${name.toLowerCase()}`, recipient };
}

function mailOf(name: string, domain = 'people.example'): object {
  return { email: { address: `${name.toLowerCase()}@${domain}` } };
}

/** Those who are told by mail, by mail and in Slack, or in Slack only; each has a channel of their own there. */
const others: readonly Person[] = [
  ...['Edsger', 'Donald', 'Frances', 'Niklaus', 'Margaret', 'Dennis', 'Radia', 'Leslie'],
  ...['Shafi', 'Tony', 'Jean', 'Ken', 'Anita', 'Alan', 'Katherine', 'John'],
].map((name, index) => {
  const slack = { slack: { channel: `C0${name.toUpperCase()}` } };
  if (index % 4 === 3) return person(name, slack, { default: { channels: ['slack'] } });
  return index % 4 === 1 ? person(name, { ...mailOf(name), ...slack }, both) : person(name, mailOf(name));
});

/** By what becomes of what they are told. */
export const cast = {
  /** By mail and in Slack. */
  ada: person('Ada', { ...mailOf('Ada'), slack: { channel: 'C0ADA' } }, both),
  grace: person('Grace', mailOf('Grace')),
  /** Whose mail server takes mails at the third attempt. */
  bea: person('Bea', mailOf('Bea', busyDomain)),
  /** Who has no mail box any more. */
  gil: person('Gil', mailOf('Gil', goneDomain)),
  /** Whose Slack channel takes nothing, and whose mail box does. */
  pat: person('Pat', { ...mailOf('Pat'), slack: { channel: archivedChannel } }, both),
  /** Whose Slack channel is given by its name: it takes messages and no files. */
  uma: person('Uma', { ...mailOf('Uma'), slack: { channel: 'general' } }, both),
  /** Who wants to be told nothing. */
  quinn: person('Quinn', mailOf('Quinn'), { default: { channels: [] } }),
  /** Who cannot be reached at all. */
  nico: person('Nico', {}),
} satisfies Readonly<Record<string, Person>>;

export const people: readonly Person[] = [...Object.values(cast), ...others];
