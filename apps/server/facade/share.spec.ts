import { describe, expect, it } from '@jest/globals';
import { shareBeside } from './share.js';

describe('what the facade may take beside the server', () => {
  it.each([
    [0, 1],
    [0.4, 1],
    [0.6, 0.6],
    [0.8, 0.1],
    [1, 0.1],
  ])('with the event loop at work for %p of the time it is %p', (utilization, share) => {
    expect(shareBeside(utilization)).toBe(share);
  });
});
