import { Link } from 'wouter';
import { Page } from '../parts/page.js';

export function NotFound() {
  return (
    <Page title="There is no such page">
      <p>
        <Link href="/">To the overview</Link>
      </p>
    </Page>
  );
}
