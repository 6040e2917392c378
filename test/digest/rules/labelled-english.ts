import { byApp, type Labelled, posted } from './labelled.ts';

/** A Wednesday. */
const berlin = posted('2026-03-11T09:30:00Z', 'Europe/Berlin', [
  ['We are deploying checkout v2.3.1 to production tomorrow at 10:00.', 'Deploy|planned|checkout|2026-03-12T09:00'],
  ['The mobile app 4.2 release is postponed to next Tuesday.', 'Launch|postponed|mobile app|2026-03-17'],
  [':rocket: Stocks &amp; ETFs is live for all customers!', 'Launch|completed|stocks|'],
  [
    'Planned maintenance on the database cluster on Saturday 14 March from 22:00 to 23:30 CET, expect short downtime.',
    'Other|planned|database|2026-03-14T21:00',
  ],
  ['All-hands is on Thursday at 16:00, agenda in the doc', 'Other|planned|all-hands|2026-03-12T15:00'],
  ['The webinar on pricing (20 March, 17:00) is cancelled, sorry', 'Webinar|canceled|pricing|2026-03-20T16:00'],
  ['Code freeze starts on Friday.', 'Other|planned|freeze|2026-03-13'],
  ['New expense policy takes effect on April 1st', 'Policy|planned|expense|2026-04-01'],
  ['We migrated the user database to Aurora last night :tada:', 'Migration|completed|user database|'],
  ['Deployment of billing-service finished successfully', 'Deploy|completed|billing|'],
  [
    'iOS ships on Monday and Android ships on Thursday',
    'Launch|planned|ios|2026-03-16',
    'Launch|planned|android|2026-03-12/2026-03-19',
  ],
  [
    'Release plan:\n• iOS 4.2: 16 March\n• Android 4.2: 18 March',
    'Launch|planned|ios|2026-03-16',
    'Launch|planned|android|2026-03-18',
  ],
  ['Rolled back search-service to 1.8.2 because of elevated error rates', 'Rollback|rolled_back|search|'],
  ['Payments API is down, investigating', 'Incident|started/updated|payments|'],
  ['[RESOLVED] High latency on search API', 'Incident|completed|search|'],
  ['The A/B test for the new onboarding started today', 'A/B Test|started|onboarding|2026-03-11'],
  ['Reminder: deadline for expense reports is Friday EOD', 'Other|planned|expense|2026-03-13'],
  ['Security training is due by March 31', 'Other|planned|security training|2026-03-31'],
  ['The office move to Kreuzberg happens on March 30', 'Move|planned|kreuzberg/office|2026-03-30'],
  ['v3.0 of the SDK is out', 'Launch|completed|sdk/v3.0|'],
  ['Town hall moved from Thursday to Friday 15:00', 'Other|postponed|town hall|2026-03-13T14:00'],
  ['Heads up: no deploys from 20 Dec until 3 Jan (holiday freeze)', 'Other|planned|freeze|2026-12-20'],
  [
    'Tonight at 23:00 UTC we will migrate the billing DB to Postgres 16. Expect ~30 min of downtime. OPS-221',
    'Migration|planned|billing|2026-03-11T23:00',
  ],
  [
    'Postmortem for the checkout outage is published: <https://wiki.example.com/pm/12|read it here>',
    'RCA|completed|checkout/postmortem|',
  ],
  ['Reverted the pricing page change from this morning', 'Rollback|rolled_back|pricing|2026-03-11'],
  ['The Kubernetes upgrade on staging is complete', 'Migration|completed|kubernetes|'],
  ['Prod DB failover test scheduled for Sunday 02:00-04:00 UTC', 'Other|planned|failover|2026-03-15T02:00'],
  ['Feature flag new_search is enabled for everyone in prod', 'Deploy/Launch|completed|new_search|'],
  ['The v5 API will be deprecated on June 30, 2026', 'Other|planned|v5 api|2026-06-30'],
  ['Our spring campaign kicks off on 16 March', 'Campaign|planned|spring|2026-03-16'],
  ['We decided to delay the launch of Search 2.0 until May 5', 'Launch|postponed|search|2026-05-05'],
  ['Starting the rollout of payments-v2 now', 'Deploy|started|payments|'],
  ['Sprint review is tomorrow 14:00, everyone is welcome', 'Other|planned|sprint review|2026-03-12T13:00'],
  ['Hackathon is 24-26 March, sign up in the sheet', 'Other|planned|hackathon|2026-03-24'],
  ['Tomorrow between 9 and 11 we upgrade Jenkins', 'Migration|planned|jenkins|2026-03-12T08:00'],
  ['The Friday release of Atlas is called off, QA found a blocker (ATL-99)', 'Launch|canceled|atlas|2026-03-13'],
  ['Office hours with the data team: Thursday, 11:00', 'Other|planned|office hours/data team|2026-03-12T10:00'],
  ['Just shipped dark mode to all users :new_moon:', 'Launch|completed|dark mode|'],
]);

/** A Monday, the day after clocks were put forward in Europe. */
const summer = posted('2026-03-30T07:00:00Z', 'Europe/Berlin', [
  ['Release 2.8 goes live tomorrow at 9:00', 'Launch|planned|2.8|2026-03-31T07:00'],
  ['Board meeting on 15.04.2026 at 10:00', 'Other|planned|board meeting|2026-04-15T08:00'],
  ['The conference is on 26 October at 9am, see you there', 'Other|planned|conference|2026-10-26T08:00'],
]);

/** A Thursday. */
const california = posted('2026-10-22T17:15:00Z', 'America/Los_Angeles', [
  ['Heads up, we are going to migrate Kafka on Monday at 8pm', 'Migration|planned|kafka|2026-10-27T03:00'],
  ['TSC meeting is tomorrow at 10 am PT', 'Other|planned|tsc|2026-10-23T17:00'],
  ['the launch of Wallet v2 (INV-1024) is confirmed for 11/03', 'Launch|confirmed|wallet|2026-11-03'],
  ['SEV1: login is down for everyone, war room in #inc-login', 'Incident|started/updated|login|'],
  ['Update: the login outage has been mitigated, monitoring', 'Incident|completed/updated|login|'],
  ['Deployed web-frontend 5.1.0 to prod', 'Deploy|completed|web-frontend|'],
  ['Rollout of the new editor begins next Wednesday', 'Deploy|planned|editor|2026-10-28'],
  [
    'Maintenance window: Nov 7, 1:00-3:00 AM PT, the warehouse will be read only',
    'Other|planned|maintenance/warehouse|2026-11-07T09:00',
  ],
  ['We pushed the Denver offsite back to Dec 8-10', 'Other|postponed|denver|2026-12-08'],
  ['ICYMI the data retention policy was updated yesterday', 'Policy|completed/updated|data retention|2026-10-21'],
  ['Hotfix for the cart bug is live', 'Deploy/Launch|completed|cart|'],
  ['Newsletter goes out Tuesday 9am', 'Campaign|planned|newsletter|2026-10-27T16:00'],
  ['Q4 planning kickoff: Oct 29, 1pm - 3pm', 'Other|planned|q4|2026-10-29T20:00'],
  ['GA release of Reports has slipped to Q1, new date is Jan 14', 'Launch|postponed|reports|2027-01-14'],
  ['We have finished the migration of analytics to BigQuery', 'Migration|completed|analytics|'],
  ['Experiment “green button” ended yesterday, control won', 'A/B Test|completed|green button|2026-10-21'],
  [
    'Root cause analysis for Tuesday’s outage is available: https://docs.example.com/rca/7',
    'RCA|completed|outage/root cause|',
  ],
  ['Company holiday party is on December 11 at 6pm', 'Other|planned|party|2026-12-12T02:00'],
  ['Cert rotation done on all edge nodes', 'Other|completed|cert/edge|'],
  ['The new hiring guidelines are effective Nov 1', 'Policy|planned|hiring|2026-11-01'],
]);

const india = posted('2026-06-02T05:00:00Z', 'Asia/Kolkata', [
  ['Deploy of ledger-api to production at 3:30 pm today', 'Deploy|planned|ledger|2026-06-02T10:00'],
  ['UAT for the new KYC flow starts tomorrow', 'Other/Launch|planned|kyc|2026-06-03'],
  [
    'Production deployment window is cancelled for today due to the outage',
    'Deploy/Other|canceled|production/window/deployment|2026-06-02',
  ],
  ['DB maintenance today 11 pm to 1 am IST', 'Other|planned|db|2026-06-02T17:30'],
  ['Webinar "Payments 101" on 12 June, 4 PM IST', 'Webinar|planned|payments|2026-06-12T10:30'],
]);

const apps = [
  byApp(
    '2026-03-11T09:30:00Z',
    { title: 'Deployment succeeded', text: 'api-gateway 1.42.0 was deployed to production' },
    'Deploy|completed|api-gateway|',
  ),
  byApp(
    '2026-03-11T09:30:00Z',
    { title: '[FIRING] High error rate on checkout', text: 'Error rate is above 5% since 09:21 UTC' },
    'Incident|started/updated|checkout|',
  ),
  byApp(
    '2026-03-11T09:30:00Z',
    { title: 'Scheduled maintenance', text: 'Object storage maintenance on 2026-03-18 from 01:00 to 02:00 UTC' },
    'Other|planned|object storage|2026-03-18T01:00',
  ),
  byApp(
    '2026-03-11T09:30:00Z',
    { title: 'Release v7.4.0', text: 'v7.4.0 of the terraform provider was released' },
    'Launch|completed|terraform/v7.4.0|',
  ),
];

export const messages: readonly Labelled[] = [...berlin, ...summer, ...california, ...india, ...apps];
