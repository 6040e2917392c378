import type { Random } from './random.ts';

/** What people at a small company that routes cargo-bike couriers write about, by subject. */
export interface Subject {
  openers: readonly string[];
  /** Follows an opener half of the time. */
  tails: readonly string[];
  answers: readonly string[];
}

const SLOTS: Readonly<Record<string, readonly string[]>> = {
  customer: [
    'Brouwer &amp; Zonen',
    'Café Lente',
    'Northwind Pharmacy',
    'De Groene Kist',
    'Müller Blumen',
    'Papelaria Sol',
    'Apotek 24',
  ],
  service: ['router', 'dispatch', 'tracking', 'billing', 'courier app', 'geocoder', 'label printer bridge'],
  city: ['Utrecht', 'Gent', 'Hamburg', 'Lisboa', 'København', 'Lyon'],
  day: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday'],
  version: ['4.12.0', '4.12.1', '4.13.0', '4.13.2', '5.0.0-rc.1'],
  ticket: ['1184', '1201', '1207', '1219', '1226', '1240', '1253'],
  number: ['3', '7', '12', '18', '40', '260', '1,900'],
  percent: ['2', '4.5', '11', '23', '38'],
};

export function fill(template: string, random: Random, people: readonly string[]): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, slot: string) => {
    if (slot === 'person') return `<@${random.pick(people)}>`;
    return random.pick(SLOTS[slot] ?? [slot]);
  });
}

export const engineering: Subject = {
  openers: [
    'The {service} is retrying every call twice since {version}, I think the backoff lost its cap.',
    'Opened <https://git.tidewater.example/core/pull/{ticket}|#{ticket}>: route cache keyed by depot instead of by courier.',
    'Profiled the {service} over lunch: {percent}% of the time goes into parsing opening hours :melting_face:',
    'Does anyone remember why `stopWindow` is inclusive at both ends? It bites us at midnight.',
    'Postgres upgrade on staging is done, {number} minutes of downtime, no surprises.',
    '{person} could you look at <https://git.tidewater.example/core/pull/{ticket}|#{ticket}> before {day}? It blocks the {city} rollout.',
    'The flaky test in {service} was a time zone after all. Fixed by passing the depot zone in.',
    'Proposal: we drop the XML feed with {version}. Two customers still use it, both said they can move.',
    'If you see `ETIMEDOUT` from the {service} locally: restart the tunnel, the certificate was rotated.',
    'I wrote down how the solver picks a depot, with pictures: <https://wiki.tidewater.example/solver|wiki>',
    'Memory of the {service} went from 900 MB to {number} MB on the small instances after the string interning change.',
    'We have {number} feature flags and nobody knows half of them. I would like to delete the ones older than a year.',
  ],
  tails: [
    'Comments welcome, it is a small diff.',
    'I will take it unless somebody objects.',
    'Numbers are in the ticket ({ticket}).',
    'Not urgent, but it will be next month.',
    'Paired on it with {person}, credit where due :pray:',
    'Rolling out behind a flag first.',
  ],
  answers: [
    'Good catch.',
    'Left two comments, otherwise fine with me.',
    'That explains the graph from {day}!',
    'Could we add a test that fails without it? Something like `expect(stops).toHaveLength({number})`',
    'Merged, thanks :rocket:',
    'I can reproduce it with the {city} data set but not with ours.',
    'Let us wait for {version}, the freeze starts on {day}.',
    'Agreed, and it would be one table less.',
    'Hmm, are we sure about `a &lt; b &amp;&amp; b &lt; c` there? Equal stops fall through.',
    '{person} knows that part better than I do.',
    'Deployed to staging, please have a look.',
  ],
};

export const support: Subject = {
  openers: [
    '{customer} cannot print labels since this morning, error 17 on the {service}.',
    'Ticket {ticket}: {customer} was billed twice for {day}. Who can issue the credit note?',
    '{customer} asks whether we deliver in {city} on public holidays.',
    'Three couriers in {city} report that the map turns grey after the second stop.',
    'Good news: {customer} renewed for a year and says the tracking page is the reason :tada:',
    'A customer got the tracking link of somebody else. {person} this needs eyes today.',
    'The answer template for late parcels still mentions the old phone number.',
    '{number} open tickets, oldest one is {ticket} (geocoder puts a street in the wrong town).',
    '{customer} wants to export all stops of the last quarter as CSV, is there a way without us?',
  ],
  tails: [
    'They are polite but it is the second time.',
    'Screenshot follows.',
    'I told them we answer before {day}.',
    'Priority?',
  ],
  answers: [
    'Looking into it.',
    'Answered the customer, they are happy again.',
    'It is the known problem with {service}, fix is in {version}.',
    'Can you send me the order number?',
    'Credit note sent, ticket {ticket} closed.',
    'Same here, {customer} wrote about it an hour ago.',
    'I called them, it was their firewall.',
    'Thank you for chasing this, {person}!',
  ],
};

export const sales: Subject = {
  openers: [
    'Demo with {customer} went well, they want a pilot with {number} bikes in {city}.',
    '{customer} asks for a discount of {percent}% if they pay yearly. Thoughts?',
    'Lost {customer} to a competitor, price was not the reason: they need temperature logs.',
    'Pipeline review moved to {day} 10:00, please update your numbers before.',
    'Signed! {customer}, {number} couriers, start on the first :champagne:',
    'Does the contract template already have the new data processing annex?',
    'The fair in {city} was worth it: {number} business cards and one serious lead.',
    'New one-pager for pharmacies is in the drive, feedback until {day} please.',
  ],
  tails: [
    'Notes are in the CRM.',
    '{person} can you join the next call?',
    'They decide next week.',
    'Fingers crossed.',
  ],
  answers: [
    'Brilliant :clap:',
    'I would not go below {percent}%.',
    'Can we promise that date? Engineering is full until {day}.',
    'I will prepare the offer.',
    'Ask {person}, they had the same case with {customer}.',
    'Sent it, they confirmed.',
    'Let us learn from it and write down why.',
  ],
};

export const office: Subject = {
  openers: [
    'Reminder: the office is closed on {day}, the heating gets replaced.',
    'Welcome {person}, who joins us today! :wave: Say hello.',
    'All hands on {day} at 15:00. Topics so far: {city} launch, budget, the coffee machine.',
    'We crossed 1,000,000 delivered parcels last night. Thank you all! 🎉',
    'Please file your expenses before {day}, the accountant is on holiday afterwards.',
    'New holiday calendar is online: <https://wiki.tidewater.example/holidays|wiki>. Check yours.',
    'Minutes of the all hands: we open {city} in spring, hire {number} people and keep the four-day week.',
    'The security training is due this week. It takes {number} minutes, honestly.',
  ],
  tails: [
    'Questions in the thread.',
    'Thanks to {person} for organising.',
    '<!here> please read.',
    'Remote people: the link is in the invite.',
  ],
  answers: [
    'Welcome!!',
    'Will it be recorded?',
    'Noted, thanks.',
    'Great news :tada:',
    'I am travelling that day, can somebody take notes?',
    'Done ✅',
    'Which entrance is open?',
  ],
};

export const chatter: Subject = {
  openers: [
    'Somebody left a whole apple pie in the kitchen. Asking for a friend.',
    'Cycled to work through the storm, arrived as a fish 🐟',
    'Film recommendations for a long train ride to {city}?',
    'Today I learned that the Dutch word for cargo bike is also a verb.',
    'Lost: one grey glove, left hand. Sentimental value.',
    'Lunch at the noodle place, leaving at 12:15. Who is in?',
    'My daughter drew our logo. It is better than our logo.',
    'おはよう from the night shift in the {city} depot ☕',
    'Photo of the new bike: it has a bell that goes *moo*.',
    'Board games on {day}? I bring the one with the trains.',
  ],
  tails: ['No pressure.', ':rainbow:', 'Serious answers only.', 'You know who you are.'],
  answers: [
    'In!',
    'hahaha',
    'Pictures or it did not happen',
    '+1',
    'Me too 🙋🏽',
    'It was me, sorry, it was delicious',
    'Count me in, {person} as well',
    'مرحبا 👋',
    'On my way',
  ],
};

export const design: Subject = {
  openers: [
    'New tracking page mock-ups are in Figma, please poke holes into them.',
    'Contrast of the grey buttons is 3.1:1, we need 4.5:1. I propose the darker slate.',
    'Test with {number} couriers in {city}: nobody found the "swap stop" button.',
    'Should the map or the list come first on small screens?',
    'I removed {number} icons nobody could name. The rest got labels.',
    'The e-mail for late parcels reads like a threat. Rewrote it, see thread.',
  ],
  tails: ['Prefer comments on the file.', 'Decision needed on {day}.', '{person} you asked for this.'],
  answers: [
    'Much clearer!',
    'List first, the map eats the battery.',
    'Could the empty state be friendlier?',
    'I like B.',
    'Agree with {person}.',
    'Ship it :ship:',
    'What happens with very long street names? Llanfairpwllgwyngyll...',
  ],
};

export const incidents: Subject = {
  openers: [
    ':rotating_light: {service} answers with 502 in {city} since a few minutes. I am incident lead.',
    ':rotating_light: Orders of {customer} are not being dispatched, queue at {number} and growing.',
    'Heads up: error rate of {service} at {percent}%, watching.',
    'Post-mortem for ticket {ticket} is ready: <https://wiki.tidewater.example/incidents/{ticket}|document>. Review on {day}.',
  ],
  tails: ['Status page is updated.', '{person} is on the call too.', 'Next update in 15 minutes.'],
  answers: [
    'Rolled back to {version}, error rate is falling.',
    'Root cause: the certificate of the {service} expired.',
    'Customers informed.',
    'Queue is draining, {number} left.',
    'All green for 30 minutes, closing. Post-mortem on {day}.',
    'Database looks innocent, CPU at {percent}%.',
    'Restarted two pods, no change.',
  ],
};

export const hiring: Subject = {
  openers: [
    'Interview with the backend candidate on {day}, who joins for the pairing part?',
    'We had {number} applications for the dispatcher role, shortlist is in the drive.',
    'Offer is out, answer expected by {day}.',
    'Feedback on the candidate from {city}, please in the form and not here.',
  ],
  tails: ['{person} would you?', 'Please treat as confidential.'],
  answers: [
    'I can do it.',
    'Strong yes from me.',
    'Not convinced yet, see my notes.',
    'They accepted! :tada:',
    'Calendar invite sent.',
  ],
};
