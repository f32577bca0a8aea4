import { ArrayUnique, IsIn, IsOptional, ValidateNested } from 'class-validator';
import { IsRecordOf, Type } from '#libs/validation';

/** How much a message matters, rising. */
export const severities = ['debug', 'info', 'success', 'warning', 'error', 'critical'] as const;
export type Severity = (typeof severities)[number];

export const channels = ['email', 'slack'] as const;
export type Channel = (typeof channels)[number];

export class MinSeverity {
  @IsOptional()
  @IsIn(severities)
  email?: Severity | null;

  @IsOptional()
  @IsIn(severities)
  slack?: Severity | null;
}

/** How somebody wants to be told. */
export class Preference {
  /** In the order of preference; none: opted out of all. */
  @IsIn(channels, { each: true })
  @ArrayUnique()
  channels!: Channel[];

  /** The least severity worth a message, by channel. */
  @IsOptional()
  @ValidateNested()
  @Type(() => MinSeverity)
  minSeverity?: MinSeverity | null;
}

export class Preferences {
  @IsOptional()
  @ValidateNested()
  @Type(() => Preference)
  default?: Preference | null;

  /** In place of the default, by category of the notification. */
  @IsOptional()
  @IsRecordOf(() => Preference)
  categories?: Record<string, Preference> | null;
}

/** Why a channel is used, or is not. */
export type ChannelChoice =
  | { readonly channel: Channel; readonly use: true }
  | { readonly channel: Channel; readonly use: false; readonly reason: 'notChosen' | 'belowMinSeverity' };

/** Which preference decided. */
export type PreferenceSource = 'category' | 'default' | 'none';

export interface Choice {
  readonly source: PreferenceSource;
  /** True where the preference names no channel at all. */
  readonly optedOutOfAll: boolean;
  /** In the order of preference, those that are not chosen last. */
  readonly channels: readonly ChannelChoice[];
}

/**
 * What the preferences say of each of these channels, whether the recipient can be reached on it or not. Without a
 * preference, every channel is used.
 */
export function chooseChannels(
  considered: readonly Channel[],
  preferences: Preferences | null,
  category: string,
  severity: Severity,
): Choice {
  const own = preferences?.categories ?? {};
  const ofCategory = Object.hasOwn(own, category) ? own[category] : undefined;
  const preference = ofCategory ?? preferences?.default ?? undefined;
  const source = ofCategory ? 'category' : preference ? 'default' : 'none';
  const chosen = (preference?.channels ?? []).filter((channel) => considered.includes(channel));
  const others = considered.filter((channel) => !chosen.includes(channel));
  return {
    source,
    optedOutOfAll: preference?.channels.length === 0,
    channels: [...chosen, ...others].map((channel) => {
      if (preference === undefined) return { channel, use: true };
      if (!preference.channels.includes(channel)) return { channel, use: false, reason: 'notChosen' };
      const least = preference.minSeverity?.[channel] ?? severities[0];
      if (severities.indexOf(severity) < severities.indexOf(least)) {
        return { channel, use: false, reason: 'belowMinSeverity' };
      }
      return { channel, use: true };
    }),
  };
}
