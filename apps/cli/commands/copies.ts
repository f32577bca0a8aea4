import type { LocalCommand } from '../command.js';
import { exitCodes } from '../exit-codes.js';
import { onFiles } from '../on-files.js';
import { Progress } from '../output/remarks-of-progress.js';

const keyPlace = 'a data directory, a redis:// URL, or env:NAME for what stands in the environment; required';
const blobPlace = 'a data directory, an s3:// URL, or env:NAME for what stands in the environment; required';

export const copyKeysOfPersonalData: LocalCommand = {
  local: true,
  summary: 'copy the keys of personal data to or from Redis, and compare them; stop the servers first',
  positionals: [],
  options: {
    from: { value: '<keys>', help: keyPlace },
    to: { value: '<keys>', help: keyPlace },
    ca: { value: '<file>', help: 'certificates (PEM) to trust when talking to Redis; else TIDINGS_KEYS_CA' },
  },
  run: ({ args, output }) =>
    onFiles(async () => {
      // Only this command needs the key stores.
      const { copySecrets } = await import('../copy/secrets.js');
      const progress = new Progress((text) => output.remark(text));
      const request = { from: args.required('from'), to: args.required('to') };
      const ca = args.text('ca') ?? (process.env['TIDINGS_KEYS_CA'] || undefined);
      const copied = await copySecrets(request, ca, (text) => progress.report(() => text));
      output.result(copied, ({ from, to, keys, destroyed, sha256 }) => [
        output.details({ from, to, keys, destroyed, sha256 }),
      ]);
      return exitCodes.ok;
    }),
};

export const copyBlobs: LocalCommand = {
  local: true,
  summary: 'copy all blobs to or from an S3 API, and compare them; stop the servers first',
  positionals: [],
  options: {
    from: { value: '<blobs>', help: blobPlace },
    to: { value: '<blobs>', help: blobPlace },
  },
  run: ({ args, output }) =>
    onFiles(async () => {
      const { copyAllBlobs } = await import('../copy/blobs.js');
      const progress = new Progress((text) => output.remark(text));
      const request = { from: args.required('from'), to: args.required('to') };
      const copied = await copyAllBlobs(request, (text) => progress.report(() => text));
      output.result(copied, ({ from, to, blobs, bytes, sha256 }) => [
        output.details({ from, to, blobs, bytes, sha256 }),
      ]);
      return exitCodes.ok;
    }),
};
