import { createTransport } from 'nodemailer';

/** What an SMTP server answered. */
export interface SmtpAnswer {
  readonly code: number;
  readonly text: string;
}

/** Hands a mail to an SMTP server, from nobody, as mail that comes back is handed over. */
export async function handOver(url: string, to: string | readonly string[], mail: Buffer): Promise<SmtpAnswer> {
  const { hostname: host, port } = new URL(url);
  const transport = createTransport({ host, port: Number(port), secure: false, ignoreTLS: true });
  try {
    const { response } = await transport.sendMail({ envelope: { from: '', to: [to].flat() }, raw: mail });
    return answerOf(response);
  } catch (error) {
    const { response } = error as { response?: string };
    if (response === undefined) throw error;
    return answerOf(response);
  } finally {
    transport.close();
  }
}

function answerOf(response: string): SmtpAnswer {
  return { code: Number(response.slice(0, 3)), text: response.slice(4) };
}
