/** Icons of the menu, by what they stand for. */
import Automations from "@lucide/svelte/icons/workflow";
import Campaigns from "@lucide/svelte/icons/megaphone";
import Calls from "@lucide/svelte/icons/phone";
import Contacts from "@lucide/svelte/icons/users";
import Home from "@lucide/svelte/icons/house";
import Inbox from "@lucide/svelte/icons/inbox";
import Messages from "@lucide/svelte/icons/message-square";
import Orders from "@lucide/svelte/icons/shopping-bag";
import Reports from "@lucide/svelte/icons/chart-column";
import Settings from "@lucide/svelte/icons/settings";

export const icons = { home: Home, inbox: Inbox, calls: Calls, messages: Messages, contacts: Contacts, orders: Orders, automations: Automations, campaigns: Campaigns, reports: Reports, settings: Settings };
export type Icon = keyof typeof icons;
