import { Controller, Get, Header } from '@nestjs/common';
import { topology } from '#streams.config';
import { asyncApiDocument } from './asyncapi.js';
import { documentPage } from './html/page.js';
import { serverOpenApi } from './openapi-document.js';

/** Answers its documents, made once they are asked for. */
@Controller()
export class DocumentationController {
  private readonly openApi = once(() => serverOpenApi());
  private readonly asyncApi = once(() => asyncApiDocument(topology));
  private readonly page = once(() => documentPage(this.openApi()));

  @Get('openapi.json')
  getOpenApi(): object {
    return this.openApi();
  }

  @Get('asyncapi.json')
  getAsyncApi(): object {
    return this.asyncApi();
  }

  @Get('docs')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
  getDocs(): string {
    return this.page();
  }
}

function once<Made>(make: () => Made): () => Made {
  let made: Made | undefined;
  return () => (made ??= make());
}
