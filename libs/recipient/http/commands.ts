import { Inject } from '@nestjs/common';
import { Command, CommandHandler, Query, QueryHandler, type ICommandHandler, type IQueryHandler } from '@nestjs/cqrs';
import type { Moment } from '#libs/runtime';
import type { PutRecipientDto } from './put-recipient.dto.js';
import { Recipients, type Decided, type RecipientView, type RevisionCondition } from './recipients.js';

export class PutRecipient extends Command<Decided<RecipientView> & { readonly created: boolean }> {
  constructor(
    readonly id: string,
    readonly dto: PutRecipientDto,
    readonly ifMatch: RevisionCondition,
    readonly caller: string | undefined,
  ) {
    super();
  }
}

export class EraseRecipient extends Command<Decided<null> | undefined> {
  constructor(
    readonly id: string,
    readonly ifMatch: RevisionCondition,
    readonly caller: string | undefined,
  ) {
    super();
  }
}

export class GetRecipient extends Query<Decided<RecipientView> | undefined> {
  /** @param asOf the moment of which the state is asked; the present where it is not said */
  constructor(
    readonly id: string,
    readonly asOf?: Moment,
  ) {
    super();
  }
}

@CommandHandler(PutRecipient)
export class PutRecipientHandler implements ICommandHandler<PutRecipient> {
  constructor(@Inject(Recipients) private readonly recipients: Recipients) {}

  execute({ id, dto, ifMatch, caller }: PutRecipient): ReturnType<Recipients['put']> {
    return this.recipients.by(caller).put(id, dto, ifMatch);
  }
}

@CommandHandler(EraseRecipient)
export class EraseRecipientHandler implements ICommandHandler<EraseRecipient> {
  constructor(@Inject(Recipients) private readonly recipients: Recipients) {}

  execute({ id, ifMatch, caller }: EraseRecipient): ReturnType<Recipients['erase']> {
    return this.recipients.by(caller).erase(id, ifMatch);
  }
}

@QueryHandler(GetRecipient)
export class GetRecipientHandler implements IQueryHandler<GetRecipient> {
  constructor(@Inject(Recipients) private readonly recipients: Recipients) {}

  execute({ id, asOf }: GetRecipient): ReturnType<Recipients['get']> {
    return asOf === undefined ? this.recipients.get(id) : this.recipients.getAsOf(id, asOf);
  }
}
