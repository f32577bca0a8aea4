import { IsIn, IsInt, IsOptional, IsString, Min } from 'class-validator';
import { IsSealed, type Sealed } from '#libs/vault';

/** As what somebody gets a mail. `unknown`: a report names an address that is none of those the mail went to. */
export const mailRoles = ['to', 'cc', 'bcc', 'unknown'] as const;
export type MailRole = (typeof mailRoles)[number];

/** What a mail server reports of one address after it had taken the mail. */
export class EmailReport {
  /** Attempts made when it came. */
  @IsInt()
  @Min(1)
  attempt!: number;

  @IsIn(mailRoles)
  role!: MailRole;

  /** Which of those with that role, from 0. */
  @IsInt()
  @Min(0)
  index!: number;

  /** The address that the report is about. */
  @IsSealed()
  address!: Sealed;

  /** RFC 3463: `5.1.1`. */
  @IsString()
  status!: string;

  /** What the server said, for people; it may name addresses. */
  @IsOptional()
  @IsSealed()
  diagnostic!: Sealed | null;
}
