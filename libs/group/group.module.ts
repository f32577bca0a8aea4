import { Module, type DynamicModule } from '@nestjs/common';
import { CqrsModule } from '@nestjs/cqrs';
import {
  ChangeGroupMembersHandler,
  DeleteGroupHandler,
  GetGroupHandler,
  ListGroupMembersHandler,
  PutGroupHandler,
} from './http/commands.js';
import { GroupController } from './http/group.controller.js';
import { Groups, type GroupServices } from './http/groups.js';

/** The groups' API. */
@Module({})
export class GroupModule {
  static with(services: GroupServices): DynamicModule {
    return {
      module: GroupModule,
      imports: [CqrsModule.forRoot()],
      controllers: [GroupController],
      providers: [
        { provide: Groups, useValue: new Groups(services) },
        PutGroupHandler,
        ChangeGroupMembersHandler,
        DeleteGroupHandler,
        GetGroupHandler,
        ListGroupMembersHandler,
      ],
    };
  }
}
