import { describe, expect, test } from '@jest/globals';
import { Problem } from '#libs/http';
import { NotificationController } from './notification.controller.js';
import type { PostNotificationDto } from './post-notification.dto.js';

const controller = new NotificationController({} as never, {} as never, {} as never);
const sealed = `sealed.v1.key.address.${'A'.repeat(38)}`;

describe('text that looks sealed is refused, since whoever reads the records would have it opened', () => {
  test.each<[string, Partial<PostNotificationDto>]>([
    ['recipientId', { recipientId: sealed }],
    ['recipientId', { recipientId: sealed, tags: { recipientId: 'harmless' } }],
    ['category', { category: sealed, tags: { category: 'harmless' } }],
    ['about.entityId', { about: { entityId: sealed }, tags: { entityId: 'harmless' } }],
    ['tags.invoice', { tags: { invoice: sealed } }],
  ])('%s', async (path, more) => {
    const dto = { recipientId: 'user-42', content: { subject: 'a', text: 'b' }, ...more };
    const answer = controller.post(dto, undefined, undefined, undefined, {} as never);
    const problem = await answer.then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(problem).toBeInstanceOf(Problem);
    expect((problem as Problem).document).toMatchObject({ status: 422, errors: [{ path }] });
  });
});
