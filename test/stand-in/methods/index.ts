import type { Method } from './call.ts';
import { chatDelete, chatPostMessage, chatUpdate, conversationsOpen } from './chat.ts';
import {
  conversationsInfo,
  conversationsJoin,
  conversationsList,
  conversationsMembers,
  usersConversations,
} from './conversations.ts';
import { conversationsHistory, conversationsReplies } from './history.ts';
import { botsInfo, usergroupsList, usersInfo, usersList } from './people.ts';
import { authTest, emojiList, teamInfo } from './workspace.ts';

/** What the stand-in can do; anything else is an unknown_method. */
export const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['auth.test', authTest],
  ['bots.info', botsInfo],
  ['chat.postMessage', chatPostMessage],
  ['chat.update', chatUpdate],
  ['chat.delete', chatDelete],
  ['conversations.history', conversationsHistory],
  ['conversations.info', conversationsInfo],
  ['conversations.join', conversationsJoin],
  ['conversations.list', conversationsList],
  ['conversations.members', conversationsMembers],
  ['conversations.open', conversationsOpen],
  ['conversations.replies', conversationsReplies],
  ['emoji.list', emojiList],
  ['team.info', teamInfo],
  ['usergroups.list', usergroupsList],
  ['users.conversations', usersConversations],
  ['users.info', usersInfo],
  ['users.list', usersList],
]);
