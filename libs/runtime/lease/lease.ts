import { TidingsError } from '#libs/kernel';
import type { Slot } from './slot.js';

/** Another process has the slot now, or may have it. */
export class LeaseLost extends TidingsError {
  readonly code = 'lease-lost';
  constructor(slot: Slot) {
    super(`${slot} is not this process's any more`);
  }
}

/** This process has a slot, until it drains it or loses it. */
export interface Lease {
  readonly slot: Slot;
  /** Counts who had the slot, from 1. */
  readonly epoch: number;
  /** Asked right before everything that cannot be taken back. @throws LeaseLost */
  check(): void;
  /** Called where another process shows to have taken the slot. */
  lose(): void;
}
