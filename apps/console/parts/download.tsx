import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { fetchFile } from '../api/client.js';
import { Trouble } from './answer.js';

interface DownloadProps {
  readonly path: string;
  readonly fileName: string;
  readonly children: ReactNode;
}

/** What the API has at a path, to be saved. A link would come without the key. */
export function Download({ path, fileName, children }: DownloadProps) {
  const saving = useMutation({ mutationFn: async () => save(await fetchFile(path), fileName) });
  return (
    <>
      <button type="button" className="plain" onClick={() => saving.mutate()}>
        {children}
      </button>
      {saving.error && <Trouble error={saving.error} />}
    </>
  );
}

function save(file: Blob, fileName: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(link.href);
}
