import type { ApiCommand } from '../command.js';
import { CommandFailed, exitCodes } from '../exit-codes.js';

interface Erased {
  readonly id: string;
  /** False where there is nothing to erase, and never was. */
  readonly erased: boolean;
}

export const erase: ApiCommand = {
  summary: 'destroy the personal data of recipients, for ever',
  positionals: ['<recipient>', '[recipient…]'],
  options: {},
  async run({ api, args, output }) {
    const items: Erased[] = [];
    for (const id of args.positionals) items.push(await eraseOne(id));
    output.result({ items }, () => [
      output.table(items, [
        { head: 'recipient', value: ({ id }) => id },
        { head: 'erased', value: ({ erased }) => (erased ? 'yes' : 'there is none') },
      ]),
    ]);
    return items.some(({ erased }) => erased) ? exitCodes.ok : exitCodes.no;

    async function eraseOne(id: string): Promise<Erased> {
      try {
        await api.delete(`/v1/recipients/${encodeURIComponent(id)}`);
        return { id, erased: true };
      } catch (error) {
        if (error instanceof CommandFailed && error.status === 404) return { id, erased: false };
        throw error;
      }
    }
  },
};
