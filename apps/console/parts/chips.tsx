import type { Severity } from '#libs/recipient';
import { Icon, type IconName } from './icons.js';

/** Colours that mean something, each readable on the page in light and dark; see console.css. */
type Tone = 'good' | 'bad' | 'mixed' | 'busy' | 'quiet' | 'planned';

interface Look {
  readonly tone: Tone;
  readonly icon: IconName;
  readonly word: string;
}

/** Of notifications, their channels, their operations and consumers alike: one word always looks the same. */
const statuses: Readonly<Record<string, Look>> = {
  requested: { tone: 'busy', icon: 'dots', word: 'requested' },
  scheduled: { tone: 'planned', icon: 'clock', word: 'scheduled' },
  sending: { tone: 'busy', icon: 'arrow', word: 'sending' },
  sent: { tone: 'good', icon: 'check', word: 'sent' },
  partiallySent: { tone: 'mixed', icon: 'half', word: 'partially sent' },
  failed: { tone: 'bad', icon: 'cross', word: 'failed' },
  optedOut: { tone: 'quiet', icon: 'slash', word: 'opted out' },
  cancelled: { tone: 'quiet', icon: 'stop', word: 'cancelled' },
  expired: { tone: 'mixed', icon: 'hourglass', word: 'expired' },
  pending: { tone: 'busy', icon: 'dots', word: 'pending' },
  retrying: { tone: 'mixed', icon: 'retry', word: 'retrying' },
  succeeded: { tone: 'good', icon: 'check', word: 'succeeded' },
  bounced: { tone: 'bad', icon: 'retry', word: 'came back' },
  addressBounced: { tone: 'bad', icon: 'slash', word: 'address does not exist' },
  noAddress: { tone: 'quiet', icon: 'slash', word: 'no address' },
  notAvailable: { tone: 'quiet', icon: 'slash', word: 'not available' },
  couldNotPrepare: { tone: 'bad', icon: 'cross', word: 'could not be prepared' },
  discarded: { tone: 'quiet', icon: 'slash', word: 'discarded' },
  running: { tone: 'good', icon: 'check', word: 'running' },
  paused: { tone: 'mixed', icon: 'pause', word: 'paused' },
  stopped: { tone: 'quiet', icon: 'stop', word: 'stopped' },
  parked: { tone: 'bad', icon: 'warning', word: 'parked' },
  archived: { tone: 'quiet', icon: 'archive', word: 'archived' },
};

const severities: Readonly<Record<Severity, Look>> = {
  debug: { tone: 'quiet', icon: 'bug', word: 'debug' },
  info: { tone: 'busy', icon: 'info', word: 'info' },
  success: { tone: 'good', icon: 'check', word: 'success' },
  warning: { tone: 'mixed', icon: 'warning', word: 'warning' },
  error: { tone: 'bad', icon: 'cross', word: 'error' },
  critical: { tone: 'bad', icon: 'flame', word: 'critical' },
};

export function toneOf(status: string): Tone {
  return statuses[status]?.tone ?? 'quiet';
}

export function wordOf(status: string): string {
  return statuses[status]?.word ?? status;
}

function Chip({ look: { tone, icon, word }, filled = false }: { readonly look: Look; readonly filled?: boolean }) {
  return (
    <span className={filled ? 'chip chip-filled' : 'chip'} data-tone={tone}>
      <Icon name={icon} />
      {word}
    </span>
  );
}

export function Status({ of }: { readonly of: string }) {
  return <Chip filled look={statuses[of] ?? { tone: 'quiet', icon: 'dots', word: of }} />;
}

export function SeverityMark({ of }: { readonly of: Severity }) {
  return <Chip look={severities[of]} />;
}

export function ChannelMark({ of }: { readonly of: string }) {
  return (
    <span className="chip" data-tone="quiet">
      <Icon name={of === 'email' ? 'mail' : 'chat'} />
      {of === 'email' ? 'e-mail' : of}
    </span>
  );
}
