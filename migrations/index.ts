import { init } from './0001_init.ts';
import { audits } from './0002_audits.ts';
import { imports } from './0003_imports.ts';
import { digests } from './0004_digests.ts';
import { conversationKinds } from './0005_conversation_kinds.ts';
import { doubts } from './0006_doubts.ts';
import { followedFrom } from './0008_followed_from.ts';
import type { Migration } from './column-types.ts';

/** All migrations, oldest first. */
export const migrations: readonly Migration[] = [
  init,
  audits,
  imports,
  digests,
  conversationKinds,
  doubts,
  followedFrom,
];
