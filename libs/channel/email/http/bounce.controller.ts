import { Controller, HttpCode, HttpStatus, Inject, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import {
  invalid,
  Needs,
  notFound,
  parseJsonBody,
  readStreamedBody,
  StreamedBody,
  unsupportedMediaType,
  validated,
} from '#libs/http';
import { beginningOf, mostMailBytes } from '../bounce/beginning-of.js';
import { BounceIntake, type BounceAnswer } from '../bounce/bounce-intake.js';
import { MalformedReport } from '../bounce/delivery-status.js';
import { PostBounceDto } from './post-bounce.dto.js';

/** Bytes of a JSON body. */
const mostJsonBytes = 65_536;

/** What becomes of mails after they were taken, as servers and providers tell it. */
@Controller('v1/bounces')
export class BounceController {
  private readonly body = validated(PostBounceDto);

  constructor(@Inject(BounceIntake) private readonly intake: BounceIntake) {}

  /** Takes a mail that came back, or what a provider tells of one. */
  @Post()
  @HttpCode(HttpStatus.OK)
  @StreamedBody()
  @Needs('bounces:write')
  async post(@Req() request: FastifyRequest): Promise<BounceAnswer> {
    const [mediaType] = (request.raw.headers['content-type'] ?? '').toLowerCase().split(';');
    switch (mediaType!.trim()) {
      case 'message/rfc822':
        return this.takeMail(await readStreamedBody(request, mostMailBytes));
      case 'application/json':
        return this.takeNotice(await readStreamedBody(request, mostJsonBytes));
      default:
        throw unsupportedMediaType('send the body as message/rfc822 or application/json');
    }
  }

  private async takeMail(body: AsyncIterable<Buffer>): Promise<BounceAnswer> {
    try {
      return await this.intake.takeMail(await beginningOf(body));
    } catch (error) {
      if (error instanceof MalformedReport) throw invalid([{ path: '', message: error.message }]);
      throw error;
    }
  }

  private async takeNotice(body: AsyncIterable<Buffer>): Promise<BounceAnswer> {
    const dto = this.body.transform(parseJsonBody(await beginningOf(body)), { type: 'body' });
    const operationId = await this.operationOf(dto);
    const { recipient, action, status, diagnostic = null } = dto;
    const answer =
      operationId === undefined
        ? undefined
        : await this.intake.take(operationId, [{ action, addresses: [recipient], status, diagnostic }]);
    if (answer === undefined || answer.ignored.includes('unknownMail')) throw notFound('there is no such mail');
    return answer;
  }

  private async operationOf({ operationId, messageId }: PostBounceDto): Promise<string | undefined> {
    const isOperation = operationId !== undefined && operationId !== null;
    const isMessage = messageId !== undefined && messageId !== null;
    if (isOperation && isMessage) throw invalid([{ path: 'messageId', message: 'stands beside operationId' }]);
    if (isOperation) return operationId;
    if (isMessage) return this.intake.operationOfMessage(messageId);
    throw invalid([{ path: 'operationId', message: 'is required, or a messageId' }]);
  }
}
