/** Text as HTML; what stands between backticks as code. */
export function prose(text: string): string {
  return escape(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

export function code(text: string): string {
  return `<code>${escape(text)}</code>`;
}

export function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** An id within the page. */
export function anchor(text: string): string {
  return text.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^-|-$/g, '');
}
