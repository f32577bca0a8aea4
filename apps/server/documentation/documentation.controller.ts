import { Controller, Get, Header, Inject } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { Public } from '#libs/http';
import { topology } from '#streams.config';
import { asyncApiDocument } from './asyncapi.js';
import { documentPage } from './html/page.js';
import { serverOpenApi } from './openapi-document.js';

/** Answers its documents, made once they are asked for. */
@Controller()
export class DocumentationController {
  private readonly openApi = once(() => serverOpenApi(this.adapterHost.httpAdapter.getInstance().routeNeeds()));
  private readonly asyncApi = once(() => asyncApiDocument(topology));
  private readonly page = once(() => documentPage(this.openApi()));

  constructor(@Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost<FastifyAdapter>) {}

  @Get('openapi.json')
  @Public()
  getOpenApi(): object {
    return this.openApi();
  }

  @Get('asyncapi.json')
  @Public()
  getAsyncApi(): object {
    return this.asyncApi();
  }

  @Get('docs')
  @Public()
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
