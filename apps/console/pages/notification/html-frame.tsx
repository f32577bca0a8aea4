/** Nothing is loaded and nothing runs; styles and images that stand in the mail itself are shown. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

interface HtmlFrameProps {
  /** Whatever somebody has sent. */
  readonly html: string;
  readonly title: string;
}

/**
 * The HTML of a mail, locked up twice: the frame's sandbox allows no script, form, window or origin, and its policy
 * no request. That of the console itself holds for it as well, so that it can go nowhere else either.
 */
export function HtmlFrame({ html, title }: HtmlFrameProps) {
  const page = `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">${html}`;
  return <iframe className="mail" title={title} sandbox="" srcDoc={page} referrerPolicy="no-referrer" />;
}
