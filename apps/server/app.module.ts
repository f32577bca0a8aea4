import { Module, type DynamicModule } from '@nestjs/common';
import { EmailModule, emailClient } from '#libs/channel/email';
import { HealthController, READINESS_CHECKS, type ReadinessCheck } from '#libs/http';
import { notificationClient, NotificationModule } from '#libs/notification';
import { recipientClient, RecipientModule } from '#libs/recipient';
import { openClient } from '#libs/runtime';
import type { Parts } from './parts.js';

/** The API: the modules of all subsystems, each with its own way into the store. */
@Module({})
export class AppModule {
  static with(parts: Parts, checks: readonly ReadinessCheck[]): DynamicModule {
    const { store, vault, blobs, contents, feed } = parts;
    return {
      module: AppModule,
      imports: [
        RecipientModule.with({ client: openClient(store, recipientClient), vault, blobs }),
        NotificationModule.with({ client: openClient(store, notificationClient), vault, blobs, contents, feed }),
        EmailModule.with({ client: openClient(store, emailClient), blobs }),
      ],
      controllers: [HealthController],
      providers: [{ provide: READINESS_CHECKS, useValue: checks }],
    };
  }
}
