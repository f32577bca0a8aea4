import { Tabs } from '@mantine/core';
import { useContent } from '../../api/queries.js';
import { Answer, Nothing } from '../../parts/answer.js';
import { Json } from '../../parts/json.js';
import { HtmlFrame } from './html-frame.js';

/** What the notification says, as it was asked for. */
export function Said({ id }: { readonly id: string }) {
  const content = useContent(id);
  return (
    <Answer to={content} otherwise={{ 404: <Nothing>It is not kept any more, or the recipient was erased.</Nothing> }}>
      {({ subject, text, html, slack, attachments }) => (
        <>
          <Tabs defaultValue={html === null ? 'text' : 'html'} keepMounted={false}>
            <Tabs.List aria-label="What it said">
              {html !== null && <Tabs.Tab value="html">HTML</Tabs.Tab>}
              <Tabs.Tab value="text">Text</Tabs.Tab>
              {slack !== null && <Tabs.Tab value="slack">Slack</Tabs.Tab>}
            </Tabs.List>
            {html !== null && (
              <Tabs.Panel value="html" pt="xs">
                <HtmlFrame html={html} title={`HTML of the mail: ${subject}`} />
              </Tabs.Panel>
            )}
            <Tabs.Panel value="text" pt="xs">
              <pre className="said">{text}</pre>
            </Tabs.Panel>
            {slack !== null && (
              <Tabs.Panel value="slack" pt="xs">
                <Json of={slack} label="What Slack is given besides" />
              </Tabs.Panel>
            )}
          </Tabs>
          {attachments.length > 0 && (
            <ul className="list" aria-label="Attachments">
              {attachments.map(({ fileName, mediaType, size }) => (
                <li key={fileName}>
                  {fileName} <span className="dimmed">{`${mediaType}, ${size.toLocaleString('en')} bytes`}</span>
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </Answer>
  );
}
