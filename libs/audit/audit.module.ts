import { Inject, Module, type DynamicModule, type OnModuleDestroy } from '@nestjs/common';
import { OpenStreams } from '#libs/http';
import { Audit } from './audit.js';
import { AUDIT_SERVICES, type AuditServices } from './audit-services.js';
import { AuditController } from './http/audit.controller.js';

/** The auditors' API. */
@Module({})
export class AuditModule implements OnModuleDestroy {
  constructor(@Inject(OpenStreams) private readonly streams: OpenStreams) {}

  static with(services: AuditServices): DynamicModule {
    return {
      module: AuditModule,
      controllers: [AuditController],
      providers: [
        { provide: AUDIT_SERVICES, useValue: services },
        { provide: Audit, useValue: new Audit(services) },
        { provide: OpenStreams, useValue: new OpenStreams() },
      ],
    };
  }

  /** Before the server waits for its requests to end: these do not end by themselves. */
  onModuleDestroy(): void {
    this.streams.drain();
  }
}
