import { lazy, Suspense } from 'react';
import { Route, Switch } from 'wouter';
import { useSession } from './api/session.js';
import { Navigation, Shell } from './shell.js';
import { NotFound } from './pages/not-found.js';
import { NotificationPage } from './pages/notification/page.js';
import { NotificationsPage } from './pages/notifications/page.js';
import { OverviewPage } from './pages/overview/page.js';
import { ParkedPage } from './pages/parked/page.js';
import { RecipientPage, RecipientsPage } from './pages/recipients.js';
import { SendPage } from './pages/send.js';
import { SignInPage } from './pages/sign-in.js';

const TopologyPage = lazy(() => import('./pages/topology/page.js'));

/** The pages by path. `apps/server/console.ts` has the first part of each, to answer with this page there. */
export function App() {
  const { wish } = useSession();
  if (wish !== undefined) {
    return (
      <Shell>
        <SignInPage wish={wish} />
      </Shell>
    );
  }
  return (
    <Shell nav={<Navigation />}>
      <Suspense fallback={<p role="status">Loading</p>}>
        <Switch>
          <Route path="/">
            <OverviewPage />
          </Route>
          <Route path="/notifications">
            <NotificationsPage />
          </Route>
          <Route path="/notifications/:id">{({ id }) => <NotificationPage key={id} id={id} />}</Route>
          <Route path="/recipients">
            <RecipientsPage />
          </Route>
          <Route path="/recipients/:id">{({ id }) => <RecipientPage key={id} id={decodeURIComponent(id)} />}</Route>
          <Route path="/topology">
            <TopologyPage />
          </Route>
          <Route path="/parked">
            <ParkedPage />
          </Route>
          <Route path="/send">
            <SendPage />
          </Route>
          <Route>
            <NotFound />
          </Route>
        </Switch>
      </Suspense>
    </Shell>
  );
}
