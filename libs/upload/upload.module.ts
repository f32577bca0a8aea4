import { Module, type DynamicModule } from '@nestjs/common';
import { UPLOAD_LIMIT, UploadController } from './http/upload.controller.js';
import { Uploads, type UploadServices } from './http/uploads.js';

/** The uploads' API. */
@Module({})
export class UploadModule {
  static with(services: UploadServices): DynamicModule {
    return {
      module: UploadModule,
      controllers: [UploadController],
      providers: [
        { provide: Uploads, useValue: new Uploads(services) },
        { provide: UPLOAD_LIMIT, useValue: services.uploadLimit },
      ],
    };
  }
}
