//! Notices: what somebody of a tenant must attend to, such as a connection that its provider refuses, and who is told.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::accounts::{Account, Member, MemberStatus, NoticeMails, Role};
use crate::campaigns::Campaign;
use crate::inbox::Conversation;
use crate::money::{Cap, Period};
use crate::people::Order;
use crate::reports::all_caps_of;
use crate::templates::TemplateDefinition;
use crate::tenants::{Connection, Health, Rule, TenantConfig};
use crate::terms::{
    CampaignId, CampaignState, Category, Channel, ConnectionId, OrderId, Reason, RuleId, WebhookEndpointId,
};

/// Kind of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    /// The provider refuses a connection's credentials or account.
    ConnectionRefused,
    /// WhatsApp stopped a template that an automation uses, such as by pausing it, or moved it to another category.
    TemplatePaused,
    /// An automation matched no call for seven days, although there were calls.
    AutomationUnmatched,
    /// Four fifths of what a cap allows in its period were sent.
    CapNearlyReached,
    /// A campaign paused itself.
    CampaignPaused,
    /// Nobody has read a customer's message for the time that the inbox allows.
    CustomersWait,
    /// An endpoint of webhooks fails, or is disabled because it did.
    WebhookFailing,
    /// An order is paid, and was not shipped in the time that the tenant allows.
    OrdersLate,
}

words! {
    /// The name in rows and in preferences.
    NoticeKind {
        ConnectionRefused = "connection_refused",
        TemplatePaused = "template_paused",
        AutomationUnmatched = "automation_unmatched",
        CapNearlyReached = "cap_nearly_reached",
        CampaignPaused = "campaign_paused",
        CustomersWait = "customers_wait",
        WebhookFailing = "webhook_failing",
        OrdersLate = "orders_late",
    }
}

impl NoticeKind {
    /// The lowest role that is told: the lowest one that can mend it.
    pub const fn least_role(self) -> Role {
        match self {
            Self::ConnectionRefused
            | Self::TemplatePaused
            | Self::AutomationUnmatched
            | Self::CapNearlyReached
            | Self::CampaignPaused
            | Self::WebhookFailing => Role::Manager,
            Self::CustomersWait | Self::OrdersLate => Role::Agent,
        }
    }

    /// Minimum time between two mails about one subject.
    pub const fn pause(self) -> SignedDuration {
        match self {
            Self::ConnectionRefused
            | Self::TemplatePaused
            | Self::AutomationUnmatched
            | Self::CapNearlyReached
            | Self::CampaignPaused
            | Self::WebhookFailing
            | Self::OrdersLate => A_DAY,
            Self::CustomersWait => SignedDuration::from_hours(1),
        }
    }

    /// Whether a person with these preferences gets mails about it.
    pub const fn is_wanted(self, mails: NoticeMails) -> bool {
        match self {
            Self::ConnectionRefused => mails.connection_refused,
            Self::TemplatePaused => mails.template_paused,
            Self::AutomationUnmatched => mails.automation_unmatched,
            Self::CapNearlyReached => mails.cap_nearly_reached,
            Self::CampaignPaused => mails.campaign_paused,
            Self::CustomersWait => mails.customers_wait,
            Self::WebhookFailing => mails.webhook_failing,
            Self::OrdersLate => mails.orders_late,
        }
    }

    /// Whether a member of the tenant gets a mail about it.
    pub fn reaches(self, member: &Member, account: &Account) -> bool {
        // The address of an account whose password nobody has chosen is not proved yet.
        member.status == MemberStatus::Active
            && member.role >= self.least_role()
            && !account.awaits_password
            && self.is_wanted(account.preferences.notifications.mails)
    }
}

/// The matter of a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Matter {
    /// See [`NoticeKind::ConnectionRefused`].
    ConnectionRefused { connection: ConnectionId, reason: String },
    /// See [`NoticeKind::TemplatePaused`].
    TemplatePaused {
        /// The connection whose account has it.
        connection: ConnectionId,
        /// The language code at Meta.
        language: String,
        /// Meta's word for its state, or [`DOUBTED`].
        status: String,
        /// Its new category, if Meta moved it to another one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<Category>,
    },
    /// See [`NoticeKind::AutomationUnmatched`].
    AutomationUnmatched { automation: RuleId },
    /// See [`NoticeKind::CapNearlyReached`].
    CapNearlyReached {
        /// The cap, with the maximum of that time.
        cap: Cap,
    },
    /// See [`NoticeKind::CampaignPaused`].
    CampaignPaused {
        campaign: CampaignId,
        /// The reason, as a word.
        code: Reason,
        /// The reason, in one sentence.
        reason: String,
    },
    /// See [`NoticeKind::CustomersWait`]. One for the whole tenant.
    CustomersWait(Waiting),
    /// See [`NoticeKind::WebhookFailing`].
    WebhookFailing {
        endpoint: WebhookEndpointId,
        trouble: EndpointTrouble,
        /// Time since which it fails, or since which newer events are dropped.
        since: Timestamp,
    },
    /// See [`NoticeKind::OrdersLate`]. One for the whole tenant and day, which names the first such order.
    OrdersLate { order: OrderId },
}

/// A reason for telling people about an endpoint of webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointTrouble {
    /// It has been failing for a day, or for three.
    Failing,
    /// It is disabled, since it failed for five days.
    Disabled,
    /// It is disabled, since its receiver answered 410.
    Gone,
    /// As many events wait as may, so that newer ones are dropped.
    Full,
}

words! {
    /// The name in keys.
    EndpointTrouble {
        Failing = "failing",
        Disabled = "disabled",
        Gone = "gone",
        Full = "full",
    }
}

impl Matter {
    /// The id of the connection, automation, campaign, endpoint or order that it is about, if it is about one.
    pub fn subject_id(&self) -> Option<String> {
        match self {
            Self::ConnectionRefused { connection, .. } | Self::TemplatePaused { connection, .. } => {
                Some(connection.to_string())
            }
            Self::AutomationUnmatched { automation } => Some(automation.to_string()),
            Self::CampaignPaused { campaign, .. } => Some(campaign.to_string()),
            Self::WebhookFailing { endpoint, .. } => Some(endpoint.to_string()),
            Self::OrdersLate { order } => Some(order.to_string()),
            Self::CapNearlyReached { .. } | Self::CustomersWait(_) => None,
        }
    }
}

/// Maximum of [`Waiting::conversations`].
pub const MAX_WAITING: usize = 100;

/// Conversations with a message of the customer that nobody has read. The row holds the one that was noted, a mail all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Their number, at most [`MAX_WAITING`].
    pub conversations: usize,
    /// Time since which the first of these customers waits.
    pub since: Timestamp,
}

impl Waiting {
    /// The customers who wait in these conversations. `None`: nobody does.
    pub fn among<'a>(conversations: impl Iterator<Item = &'a Conversation>) -> Option<Self> {
        let all: Vec<Timestamp> = conversations.filter_map(|one| one.waiting_since).collect();
        Some(Self {
            conversations: all.len().min(MAX_WAITING),
            since: all.into_iter().min()?,
        })
    }
}

/// The word of ours for a template that WhatsApp knows otherwise than it lists it.
pub const DOUBTED: &str = "DOUBTED";

/// Delay that orders the change of a category after an older state of its template, and a stop after the doubt that
/// caused it.
const BEHIND: SignedDuration = SignedDuration::from_millis(1);

/// Time that `tend_inbox` takes at most to find an overdue message.
const FOUND_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// An occurrence of something that people must attend to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Subject, with what is known about it.
    pub matter: Matter,
    /// Name of the connection, template or automation at that time, or number of the order. Empty if it is about the tenant.
    pub name: String,
    /// Time of the occurrence. A later occurrence about the same subject has a later one.
    pub at: Timestamp,
}

/// A subject as it is at present.
#[derive(Debug, Clone, Copy)]
pub struct Present<'a> {
    pub config: &'a TenantConfig,
    /// The template that the notice names, if it exists.
    pub template: Option<&'a TemplateDefinition>,
    /// First day with recorded matches of the tenant's automations.
    pub began: Option<Date>,
    /// Day of the automation's last match, if there was one.
    pub matched: Option<Date>,
    /// The campaign that the notice names, if it exists.
    pub campaign: Option<&'a Campaign>,
    /// Whether customers wait and nobody was told of them.
    pub customers_wait: bool,
    pub now: Timestamp,
}

impl Notice {
    pub const fn kind(&self) -> NoticeKind {
        match self.matter {
            Matter::ConnectionRefused { .. } => NoticeKind::ConnectionRefused,
            Matter::TemplatePaused { .. } => NoticeKind::TemplatePaused,
            Matter::AutomationUnmatched { .. } => NoticeKind::AutomationUnmatched,
            Matter::CapNearlyReached { .. } => NoticeKind::CapNearlyReached,
            Matter::CampaignPaused { .. } => NoticeKind::CampaignPaused,
            Matter::CustomersWait(_) => NoticeKind::CustomersWait,
            Matter::WebhookFailing { .. } => NoticeKind::WebhookFailing,
            Matter::OrdersLate { .. } => NoticeKind::OrdersLate,
        }
    }

    /// Kind and subject, as in keys.
    pub fn key(&self) -> String {
        let kind = self.kind().as_str();
        match &self.matter {
            Matter::ConnectionRefused { connection, .. } => format!("{kind}#{connection}"),
            Matter::TemplatePaused {
                connection, language, ..
            } => format!("{kind}#{connection}#{}#{language}", self.name),
            Matter::AutomationUnmatched { automation } => format!("{kind}#{automation}"),
            Matter::CapNearlyReached { cap } => format!("{kind}#{}#{}", cap.name(), cap.maximum),
            Matter::CampaignPaused { campaign, .. } => format!("{kind}#{campaign}"),
            Matter::CustomersWait(_) | Matter::OrdersLate { .. } => kind.to_owned(),
            Matter::WebhookFailing { endpoint, trouble, .. } => format!("{kind}#{endpoint}#{}", trouble.as_str()),
        }
    }

    /// The notice of a cap that is four fifths used at this time. There is one per period, however often it happens.
    pub fn of_cap(cap: &Cap, now: Timestamp) -> Self {
        Self {
            name: cap.name().to_string(),
            at: cap.period.begin(now),
            matter: Matter::CapNearlyReached { cap: cap.clone() },
        }
    }

    /// The notice of a campaign that paused itself; `None` if somebody paused it, or it is not paused. The same at every look.
    pub fn of_campaign(campaign: &Campaign) -> Option<Self> {
        let stopped = campaign.stopped.as_ref();
        let stopped = stopped.filter(|_| campaign.state == CampaignState::Paused)?;
        Some(Self {
            matter: Matter::CampaignPaused {
                campaign: campaign.id,
                code: stopped.code,
                reason: stopped.detail.clone(),
            },
            name: campaign.name.clone().into(),
            at: campaign.updated_at,
        })
    }

    /// The notice of a conversation with a message that has been unread for too long. Its time is when the message
    /// became overdue, which is the same at every look: every mail since then has counted it. An overdue message that
    /// is found late is new, since it was out of sight for a while, such as with a contact who was deleted meanwhile.
    pub fn of_conversation(conversation: &Conversation, now: Timestamp) -> Option<Self> {
        let since = conversation.overdue_since(now)?;
        Some(Self {
            matter: Matter::CustomersWait(Waiting::among([conversation].into_iter())?),
            name: String::new(),
            at: if now.duration_since(since) <= FOUND_WITHIN {
                since
            } else {
                now
            },
        })
    }

    /// The notice of an order that is late. There is one per day, for the first of them.
    pub fn of_late_order(order: &Order, now: Timestamp) -> Self {
        Self {
            name: order.number.as_str().to_owned(),
            at: midnight(day_of(now)),
            matter: Matter::OrdersLate { order: order.id },
        }
    }

    /// Whether it occurs at most once a day, so that none of its mails comes too often.
    pub(super) const fn is_of_a_day(&self) -> bool {
        match &self.matter {
            Matter::CapNearlyReached { cap } => !matches!(cap.period, Period::Hour),
            Matter::OrdersLate { .. } => true,
            Matter::ConnectionRefused { .. }
            | Matter::TemplatePaused { .. }
            | Matter::AutomationUnmatched { .. }
            | Matter::CampaignPaused { .. }
            | Matter::CustomersWait(_)
            | Matter::WebhookFailing { .. } => false,
        }
    }

    /// The notice of a connection that changed; `None` if it is not refused, or was already.
    pub fn of_connection(before: Option<&Connection>, after: &Connection) -> Option<Self> {
        let since = |connection: &Connection| match &connection.health {
            Health::Unhealthy { since, .. } => Some(*since),
            Health::Healthy => None,
        };
        let Health::Unhealthy { since: at, reason, .. } = &after.health else {
            return None;
        };
        (before.and_then(since) != Some(*at)).then(|| Self {
            matter: Matter::ConnectionRefused {
                connection: after.id,
                reason: reason.clone(),
            },
            name: after.name.clone(),
            at: *at,
        })
    }

    /// The notice of a template that changed at this time: WhatsApp stopped it, or accepts it in a category that may be another one than
    /// before, or refused a message with it for the second time because it knows it otherwise. `None` if there is nothing to tell. A new
    /// template has not been in use.
    pub fn of_template(
        before: Option<&TemplateDefinition>,
        after: &TemplateDefinition,
        changed_at: Timestamp,
    ) -> Option<Self> {
        let (connection, before) = (after.connection?, before?);
        let stops = after.status.is_stopped() && !before.status.is_stopped();
        // A list may end the first doubt. Of the later ones, only one is told.
        let doubted = before.doubts < 2 && after.doubts >= 2;
        let (could, can) = (before.status.sendable(), after.status.sendable());
        let moved = after.category != before.category;
        let category = (can && (moved || !could)).then_some(after.category);
        let (status, at) = if stops {
            // Messages that were on their way may be refused before the stop is known.
            let doubted_at = before.doubted_at.max(after.doubted_at);
            let behind = doubted_at.filter(|_| before.doubts >= 2).map(|at| at + BEHIND);
            (after.status.0.clone(), after.status_at.max(behind))
        } else if doubted {
            (DOUBTED.to_owned(), after.doubted_at)
        } else if category.is_some() {
            // A change of the category that is reported late comes behind the state, which may have been noted already.
            let behind = after.status_at.map(|at| at + BEHIND);
            let at = if could { behind } else { after.status_at };
            (after.status.0.clone(), after.category_at.max(at))
        } else {
            return None;
        };
        Some(Self {
            matter: Matter::TemplatePaused {
                connection,
                language: after.language.clone(),
                status,
                category: category.filter(|_| !stops && !doubted),
            },
            name: after.name.clone(),
            at: at.unwrap_or(changed_at),
        })
    }

    /// Whether it is anybody's concern with these automations. A template concerns nobody unless an active automation
    /// may send it, and, after a change of category, was made for another one.
    pub fn concerns(&self, rules: &[Rule]) -> bool {
        let Matter::TemplatePaused { language, category, .. } = &self.matter else {
            return true;
        };
        let mut users = rules
            .iter()
            .filter(|rule| rule.is_active() && uses(rule, &self.name, language));
        users.any(|rule| category.is_none_or(|category| category != rule.then.category))
    }

    /// Whether somebody must still attend to it.
    pub fn stands(&self, present: &Present<'_>) -> bool {
        let mut rules = present.config.rules.iter().filter(|rule| rule.is_active());
        match &self.matter {
            Matter::ConnectionRefused { connection, .. } => {
                let mut connections = present.config.connections.iter();
                connections.any(|known| known.id == *connection && known.unhealthy.is_some())
            }
            Matter::TemplatePaused {
                language,
                category,
                status,
                ..
            } => present.template.is_some_and(|template| {
                rules
                    .filter(|rule| uses(rule, &self.name, language))
                    .any(|rule| match category {
                        None if status == DOUBTED => template.doubted_at.is_some() || template.status.is_stopped(),
                        None => template.status.is_stopped(),
                        Some(_) => template.category != rule.then.category,
                    })
            }),
            Matter::AutomationUnmatched { automation } => {
                let rule = rules.find(|rule| rule.id == *automation);
                let due = |(rule, began)| midnight(due_on(rule, began, present.matched));
                rule.zip(present.began).map(due) == Some(self.at)
            }
            Matter::CapNearlyReached { cap } => {
                self.at == cap.period.begin(present.now) && all_caps_of(&present.config.tenant).contains(cap)
            }
            Matter::CampaignPaused { .. } => present.campaign.and_then(Self::of_campaign).as_ref() == Some(self),
            Matter::CustomersWait(_) => present.customers_wait,
            // It was so moments ago, when it was noted.
            Matter::WebhookFailing { .. } | Matter::OrdersLate { .. } => true,
        }
    }
}

/// Whether an automation may send this template.
fn uses(rule: &Rule, name: &str, language: &str) -> bool {
    rule.then.channels.contains(&Channel::WhatsApp)
        && rule.then.template.as_ref().is_some_and(|template| {
            let spoken = template.by_contact_language || template.language.as_str() == language;
            spoken && template.name.as_str() == name
        })
}

/// Time between two mails about one subject of most kinds.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// The record of what is needed to find automations that match nothing. It is due only on a day with a call, and only if an automation
/// may have been without a match for long enough by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// First day of recorded matches, or of calls after seven days without any (UTC).
    pub began: Date,
    /// First day that may leave an automation unmatched (UTC).
    pub next: Date,
    /// Last day with a call (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<Date>,
    /// Time of the next review of the automations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// Days without a match until people are told, and the day that comes after them.
const UNTIL_TOLD: i64 = 8;

impl Watch {
    /// The record after a call on this day; `None` if it stays as it is.
    ///
    /// After seven days without a call it begins anew: nothing could match. So every seven days that count against an
    /// automation include a call.
    pub fn after_call(known: Option<&Self>, day: Date, now: Timestamp) -> Option<Self> {
        let known = known.filter(|known| known.called.is_none_or(|called| day < add_days_until_told(called)));
        let Some(known) = known else {
            return Some(Self {
                began: day,
                next: add_days_until_told(day),
                called: Some(day),
                due: None,
            });
        };
        let reviews = known.due.is_none() && known.next <= day;
        (reviews || known.called < Some(day)).then(|| Self {
            called: known.called.max(Some(day)),
            due: if reviews { Some(now) } else { known.due },
            ..known.clone()
        })
    }

    /// The notices of automations that matched no call for seven days, and the record after the review. `matched`: the days of their
    /// last matches.
    pub fn review(&self, rules: &[Rule], matched: &BTreeMap<RuleId, Date>, today: Date) -> (Vec<Notice>, Self) {
        let mut next = add_days_until_told(today);
        let mut notices = Vec::new();
        for rule in rules.iter().filter(|rule| rule.is_active()) {
            let due = due_on(rule, self.began, matched.get(&rule.id).copied());
            if due > today {
                next = next.min(due);
                continue;
            }
            notices.push(Notice {
                matter: Matter::AutomationUnmatched { automation: rule.id },
                name: rule.name.as_str().to_owned(),
                at: midnight(due),
            });
        }
        let after = Self {
            next,
            due: None,
            ..self.clone()
        };
        (notices, after)
    }
}

/// The first day that ends seven whole days without a match of an automation: since its last match, its creation or
/// last change, or the beginning of the records.
fn due_on(rule: &Rule, began: Date, matched: Option<Date>) -> Date {
    let since = began.max(day_of(rule.updated_at));
    add_days_until_told(matched.map_or(since, |matched| since.max(matched)))
}

fn add_days_until_told(day: Date) -> Date {
    day.saturating_add(UNTIL_TOLD.days())
}

/// The day of a time in UTC.
pub fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The beginning of a day in UTC.
pub(super) fn midnight(day: Date) -> Timestamp {
    let begins = day.to_zoned(TimeZone::UTC).map(|at| at.timestamp());
    begins.unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::PasswordHash;
    use crate::notices::NoticeState;
    use crate::samples::{at, config, connections, material};
    use crate::templates::{TemplateKey, TemplateReport, TemplateStatus};

    const TELL_AFTER: Option<SignedDuration> = Some(SignedDuration::from_mins(10));
    const NOON: &str = "2026-11-20T12:00:00Z";

    fn member(role: Role) -> (Member, Account) {
        let user = "usr_00000000000000000000000001".parse().unwrap();
        let (email, password) = ("maya@saffron.example".parse().unwrap(), PasswordHash(String::new()));
        let account = Account::new(user, email, "Maya".to_owned(), "en".to_owned(), password, at(NOON));
        (Member::joining(&account, role, at(NOON)), account)
    }

    fn refused_connection(since: &str) -> Connection {
        Connection {
            health: Health::Unhealthy {
                since: at(since),
                reason: "the access token is not valid".to_owned(),
                tried_at: at(since),
            },
            ..connections().remove(1)
        }
    }

    fn template(status: &str) -> TemplateDefinition {
        TemplateDefinition {
            connection: Some(connections()[1].id),
            status: TemplateStatus(status.to_owned()),
            ..material().templates.remove(0)
        }
    }

    /// The template after WhatsApp moved it to another category.
    fn moved_template(status: &str) -> TemplateDefinition {
        TemplateDefinition {
            category: Category::Marketing,
            ..template(status)
        }
    }

    /// A report about the template, these seconds after noon.
    fn report(seconds: i64) -> TemplateReport {
        let key = TemplateKey::new("missed_call_followup", "en_GB").unwrap();
        TemplateReport::of(key, at(NOON) + SignedDuration::from_secs(seconds))
    }

    fn report_of_status(seconds: i64, status: &str) -> TemplateReport {
        TemplateReport {
            status: Some(TemplateStatus(status.to_owned())),
            ..report(seconds)
        }
    }

    /// This configuration at noon, and nothing else.
    fn present(config: &TenantConfig) -> Present<'_> {
        Present {
            config,
            template: None,
            began: None,
            matched: None,
            campaign: None,
            customers_wait: false,
            now: at(NOON),
        }
    }

    fn stands_with_template(notice: &Notice, config: &TenantConfig, template: &TemplateDefinition) -> bool {
        notice.stands(&Present {
            template: Some(template),
            ..present(config)
        })
    }

    /// The table of who is told.
    #[test]
    fn those_who_can_mend_it_and_want_it_are_told() {
        for kind in NoticeKind::ALL {
            for (role, told) in [
                (Role::Viewer, false),
                (
                    Role::Agent,
                    [NoticeKind::CustomersWait, NoticeKind::OrdersLate].contains(&kind),
                ),
                (Role::Manager, true),
                (Role::Admin, true),
            ] {
                let (member, account) = member(role);
                assert_eq!(kind.reaches(&member, &account), told, "{kind:?} {role}");
            }
            let (mut gone, account) = member(Role::Admin);
            gone.deactivate(at(NOON));
            assert!(!kind.reaches(&gone, &account));
            let (member, mut account) = member(Role::Admin);
            account.awaits_password = true;
            assert!(!kind.reaches(&member, &account), "the address is not proved");
        }
    }

    #[test]
    fn each_kind_has_a_preference_of_its_name() {
        for kind in NoticeKind::ALL {
            let off: NoticeMails = serde_json::from_value(serde_json::json!({ (kind.as_str()): false })).unwrap();
            for other in NoticeKind::ALL {
                assert_eq!(other.is_wanted(off), other != kind, "{kind:?} {other:?}");
            }
            let (member, mut account) = member(Role::Admin);
            account.preferences.notifications.mails = off;
            assert!(!kind.reaches(&member, &account));
        }
    }

    #[test]
    fn connection_is_noticed_when_it_is_refused() {
        let (healthy, first) = (connections().remove(1), refused_connection("2026-11-20T10:00:00Z"));
        let notice = Notice::of_connection(Some(&healthy), &first).unwrap();
        assert_eq!(notice.key(), format!("connection_refused#{}", healthy.id));
        assert_eq!(notice.at, at("2026-11-20T10:00:00Z"));
        let mut tried = first.clone();
        if let Health::Unhealthy { tried_at, .. } = &mut tried.health {
            *tried_at = at(NOON);
        }
        assert_eq!(Notice::of_connection(Some(&first), &tried), None, "another attempt");
        assert_eq!(Notice::of_connection(Some(&first), &healthy), None, "it works again");
        assert!(
            Notice::of_connection(Some(&first), &refused_connection(NOON)).is_some(),
            "once more"
        );
    }

    #[test]
    fn template_is_noticed_when_whatsapp_stops_it() {
        let changed = |before: &str, after: &str| {
            Notice::of_template(Some(&template(before)), &template(after), at(NOON)).map(|notice| notice.at)
        };
        for stopped in ["PAUSED", "DISABLED", "REJECTED", "ARCHIVED", "DELETED"] {
            assert_eq!(changed("APPROVED", stopped), Some(at(NOON)), "{stopped}");
            assert_eq!(changed("PAUSED", stopped), None, "{stopped}");
        }
        for other in ["FLAGGED", "LIMIT_EXCEEDED", "A_NEW_WORD"] {
            assert_eq!(changed("APPROVED", other), Some(at(NOON)), "{other}");
        }
        // Whoever edits a template knows that it is reviewed again.
        for other in ["APPROVED", "PENDING", "IN_APPEAL", "REINSTATED"] {
            assert_eq!(changed("APPROVED", other), None, "{other}");
        }
        assert_eq!(Notice::of_template(None, &template("PAUSED"), at(NOON)), None, "new");
        let reported = TemplateDefinition {
            status_at: Some(at("2026-11-20T11:59:00Z")),
            ..template("PAUSED")
        };
        let notice = Notice::of_template(Some(&template("APPROVED")), &reported, at(NOON)).unwrap();
        assert_eq!(
            notice.at,
            at("2026-11-20T11:59:00Z"),
            "the provider's time, in any delivery"
        );
        let key = format!("template_paused#{}#missed_call_followup#en_GB", connections()[1].id);
        assert_eq!(notice.key(), key);
        let of_another = TemplateDefinition {
            connection: Some(connections()[0].id),
            ..reported
        };
        let before = TemplateDefinition {
            status: TemplateStatus("APPROVED".to_owned()),
            ..of_another.clone()
        };
        let other = Notice::of_template(Some(&before), &of_another, at(NOON)).unwrap();
        assert_ne!(other.key(), key, "another account");
    }

    #[test]
    fn template_is_noticed_when_it_is_moved_to_another_category() {
        let moved = TemplateDefinition {
            category_at: Some(at("2026-11-20T11:58:00Z")),
            ..moved_template("APPROVED")
        };
        let notice = Notice::of_template(Some(&template("APPROVED")), &moved, at(NOON)).unwrap();
        assert_eq!(notice.at, at("2026-11-20T11:58:00Z"));
        let mut config = config();
        assert!(stands_with_template(&notice, &config, &moved));
        let back = template("APPROVED");
        assert!(!stands_with_template(&notice, &config, &back), "it is moved back");
        config.rules[0].then.category = Category::Marketing;
        assert!(
            !stands_with_template(&notice, &config, &moved),
            "the automation is changed"
        );
    }

    /// In each order of a pause, a change of the category, and the end of the pause, the last notice is about the category, and stands.
    #[test]
    fn moved_template_is_noticed_in_any_order() {
        let reports = [
            report_of_status(10, "PAUSED"),
            TemplateReport {
                category: Some(Category::Marketing),
                ..report(20)
            },
            report_of_status(30, "REINSTATED"),
        ];
        let config = config();
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let (mut now, mut known) = (template("APPROVED"), None::<NoticeState>);
            for place in order {
                let before = now.clone();
                now.note(&reports[place]);
                let notice = Notice::of_template(Some(&before), &now, at(NOON));
                let noted = notice.and_then(|notice| NoticeState::after_occurrence(&notice, known.as_ref(), at(NOON)));
                known = noted.or(known);
            }
            let last = known.unwrap().notice;
            let Matter::TemplatePaused { category, .. } = last.matter else {
                panic!("{last:?}")
            };
            assert_eq!(category, Some(Category::Marketing), "{order:?}");
            assert!(stands_with_template(&last, &config, &now), "{order:?}");
        }
    }

    /// An edit of a used template may come back in another category.
    #[test]
    fn edit_that_comes_back_in_another_category_is_noticed() {
        let (pending, approved) = (template("PENDING"), template("APPROVED"));
        let notice = Notice::of_template(Some(&pending), &approved, at(NOON)).unwrap();
        assert!(
            !stands_with_template(&notice, &config(), &approved),
            "it is the automation's"
        );
        assert!(!notice.concerns(&config().rules));
        let moved = moved_template("PENDING");
        assert_eq!(Notice::of_template(Some(&pending), &moved, at(NOON)), None);
        let approved = moved_template("APPROVED");
        let notice = Notice::of_template(Some(&moved), &approved, at(NOON)).unwrap();
        assert!(stands_with_template(&notice, &config(), &approved));
        assert!(notice.concerns(&config().rules));
    }

    /// The first doubt may end with the next list. Of the later ones, people are told once.
    #[test]
    fn template_that_falls_back_into_doubt_is_noticed_once() {
        let mut now = template("APPROVED");
        let mut told = Vec::new();
        for hour in 0..4 {
            let before = now.clone();
            now.doubt(at(NOON) + SignedDuration::from_hours(hour));
            told.extend(Notice::of_template(Some(&before), &now, at(NOON)));
            now.doubted_at = None;
        }
        let [notice] = &told[..] else { panic!("{told:?}") };
        assert_eq!(notice.at, at(NOON) + SignedDuration::from_hours(1));
        assert!(!stands_with_template(notice, &config(), &now), "it is tried again");
        now.doubt(at(NOON));
        assert!(stands_with_template(notice, &config(), &now));
    }

    /// A message on its way is refused before the report of the pause arrives, whose time has whole seconds.
    #[test]
    fn pause_is_noticed_behind_the_doubt_that_it_caused() {
        let refused = at(NOON) + SignedDuration::from_millis(700);
        let before = TemplateDefinition {
            doubts: 1,
            ..template("APPROVED")
        };
        let mut doubted = before.clone();
        doubted.doubt(refused);
        let doubt = Notice::of_template(Some(&before), &doubted, refused).unwrap();
        let known = NoticeState::after_occurrence(&doubt, None, refused).unwrap();
        let mut paused = doubted.clone();
        paused.note(&report_of_status(0, "PAUSED"));
        let pause = Notice::of_template(Some(&doubted), &paused, refused).unwrap();
        let noted = NoticeState::after_occurrence(&pause, Some(&known), refused).unwrap();
        assert_eq!(noted.notice, pause);
        let Matter::TemplatePaused { status, .. } = &pause.matter else {
            panic!("{pause:?}")
        };
        assert_eq!(status, "PAUSED");
        // Whichever of both is told, it stands while the template is stopped.
        paused.doubted_at = None;
        for notice in [&doubt, &pause] {
            assert!(stands_with_template(notice, &config(), &paused), "{notice:?}");
        }
    }

    /// People are told of what they can still mend.
    #[test]
    fn what_is_mended_or_unused_no_longer_stands() {
        let mut config = config();
        let paused = template("PAUSED");
        let stands = stands_with_template;
        let notice = Notice::of_template(Some(&template("APPROVED")), &paused, at(NOON)).unwrap();
        assert!(stands(&notice, &config, &paused) && notice.concerns(&config.rules));
        assert!(!stands(&notice, &config, &template("APPROVED")), "it is approved again");
        config.rules[0].enabled = false;
        assert!(!stands(&notice, &config, &paused), "no active automation uses it");
        assert!(!notice.concerns(&config.rules));
        config.rules[0].enabled = true;
        let used = config.rules[0].then.template.as_mut().unwrap();
        (used.by_contact_language, used.language) = (false, "ar".parse().unwrap());
        assert!(!stands(&notice, &config, &paused), "another language is used");
        assert!(!notice.concerns(&config.rules));

        let notice = Notice::of_connection(None, &refused_connection(NOON)).unwrap();
        assert!(!stands(&notice, &config, &paused), "it works");
        config.connections[1].unhealthy = Some("the access token is not valid".to_owned());
        assert!(stands(&notice, &config, &paused));
        config.connections.truncate(1);
        assert!(!stands(&notice, &config, &paused), "it was deleted");
    }

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn automation_is_noticed_after_seven_days_with_calls() {
        let mut config = config();
        let rule = config.rules[0].id;
        config.rules[0].updated_at = at("2026-11-01T12:00:00Z");
        let watch = Watch::after_call(None, day("2026-11-02"), at(NOON)).unwrap();
        assert_eq!((watch.next, watch.due), (day("2026-11-10"), None));
        let watch = Watch::after_call(Some(&watch), day("2026-11-09"), at(NOON)).unwrap();
        assert_eq!((watch.next, watch.due), (day("2026-11-10"), None));
        for known in ["2026-11-08", "2026-11-09"] {
            assert_eq!(Watch::after_call(Some(&watch), day(known), at(NOON)), None);
        }
        let due = Watch::after_call(Some(&watch), day("2026-11-10"), at(NOON)).unwrap();
        assert_eq!(due.due, Some(at(NOON)));
        let still = Watch::after_call(Some(&due), day("2026-11-11"), at("2026-11-20T13:00:00Z")).unwrap();
        assert_eq!(still.due, due.due, "it is due already");

        let never = BTreeMap::new();
        let (notices, after) = due.review(&config.rules, &never, day("2026-11-10"));
        assert_eq!(notices.len(), 1);
        assert_eq!(notices[0].at, at("2026-11-10T00:00:00Z"));
        assert_eq!((after.next, after.due), (day("2026-11-18"), None));
        let (again, _) = due.review(&config.rules, &never, day("2026-11-30"));
        assert_eq!(again, notices, "the same occurrence");

        let matched = BTreeMap::from([(rule, day("2026-11-09"))]);
        let (notices, after) = due.review(&config.rules, &matched, day("2026-11-10"));
        assert_eq!((notices, after.next), (vec![], day("2026-11-17")));
        config.rules[0].enabled = false;
        let (notices, after) = due.review(&config.rules, &never, day("2026-11-10"));
        assert_eq!((notices, after.next), (vec![], day("2026-11-18")), "it is switched off");
    }

    /// No automation can match while nobody calls.
    #[test]
    fn seven_days_without_calls_begin_the_count_anew() {
        let mut config = config();
        config.rules[0].updated_at = at("2026-11-01T12:00:00Z");
        let never = BTreeMap::new();
        let first = Watch::after_call(None, day("2026-11-02"), at(NOON)).unwrap();
        for (again, next) in [
            ("2026-11-09", "2026-11-10"),
            ("2026-11-10", "2026-11-18"),
            ("2026-11-16", "2026-11-24"),
        ] {
            let watch = Watch::after_call(Some(&first), day(again), at(NOON)).unwrap();
            assert_eq!((watch.next, watch.due), (day(next), None), "{again}");
            let eve = day(next).yesterday().unwrap();
            assert_eq!(watch.review(&config.rules, &never, eve).0, [], "{again}");
            assert_eq!(watch.review(&config.rules, &never, day(next)).0.len(), 1, "{again}");
        }
        // Earlier findings no longer stand.
        let (notices, _) = first.review(&config.rules, &never, day("2026-11-10"));
        let stands = |watch: &Watch| {
            notices[0].stands(&Present {
                began: Some(watch.began),
                ..present(&config)
            })
        };
        let again = Watch::after_call(Some(&first), day("2026-11-10"), at(NOON)).unwrap();
        assert_eq!((stands(&first), stands(&again)), (true, false));
    }

    /// Days count from the last of match, change and beginning of the records.
    #[test]
    fn changed_or_matched_automation_has_seven_more_days() {
        let mut config = config();
        config.rules[0].updated_at = at("2026-11-05T23:59:00Z");
        let watch = Watch::after_call(None, day("2026-11-02"), at(NOON)).unwrap();
        let id = config.rules[0].id;
        for (matched, due) in [
            (None, "2026-11-13"),
            (Some("2026-11-03"), "2026-11-13"),
            (Some("2026-11-07"), "2026-11-15"),
        ] {
            let known: BTreeMap<_, _> = matched.map(|text| (id, day(text))).into_iter().collect();
            let eve = day(due).yesterday().unwrap();
            assert_eq!(watch.review(&config.rules, &known, eve).0, []);
            let (notices, _) = watch.review(&config.rules, &known, day(due));
            let stands = |config: &TenantConfig, matched: Option<&str>| {
                notices[0].stands(&Present {
                    began: Some(watch.began),
                    matched: matched.map(day),
                    ..present(config)
                })
            };
            assert!(stands(&config, matched));
            assert!(!stands(&config, Some(due)), "it matched since");
            let mut changed = config.clone();
            changed.rules[0].updated_at = at("2026-11-14T09:00:00Z");
            assert!(!stands(&changed, matched), "it was changed since");
        }
    }

    #[test]
    fn cap_is_told_in_its_period_and_while_it_has_that_maximum() {
        let mut config = config();
        let cap = crate::money::usual_caps().remove(1);
        let notice = Notice::of_cap(&cap, at(NOON));
        assert_eq!(notice.key(), "cap_nearly_reached#day.tenant.follow_up#1000");
        let stands = |config: &TenantConfig, now: Timestamp| notice.stands(&Present { now, ..present(config) });
        assert!(stands(&config, at(NOON)));
        assert!(!stands(&config, at(NOON) + A_DAY), "the day is over");
        let known = NoticeState::after_occurrence(&notice, None, at(NOON))
            .unwrap()
            .after_mailing(notice.at, at(NOON));
        assert_eq!(
            NoticeState::after_occurrence(&Notice::of_cap(&cap, at(NOON)), Some(&known), at(NOON)),
            None
        );
        let tomorrow = at(NOON) + SignedDuration::from_hours(13);
        let again = NoticeState::after_occurrence(&Notice::of_cap(&cap, tomorrow), Some(&known), tomorrow).unwrap();
        assert_eq!(again.due, Some(tomorrow), "not a day after the last mail");
        let raised = Cap { maximum: 2_000, ..cap };
        config.tenant.caps = Some(vec![raised].into());
        assert!(!stands(&config, at(NOON)), "it was raised");
    }

    fn unread(wrote_at: &[&str]) -> Conversation {
        use ulid::Ulid;

        use crate::inbox::{Happening, What};
        use crate::terms::{ContactId, ConversationId, MessageId};

        let contact = ContactId::new(Ulid::from_parts(1, 1));
        let mut happenings = wrote_at.iter().zip(1..).map(|(wrote_at, number)| Happening {
            at: at(wrote_at),
            what: What::Inbound(MessageId::new(contact, Ulid::from_parts(2, number)), Channel::WhatsApp),
        });
        let mut begun = Conversation::from_happening(
            ConversationId::of(contact, None),
            happenings.next().unwrap(),
            TELL_AFTER,
        );
        happenings.for_each(|one| begun.note(one, TELL_AFTER));
        begun
    }

    #[test]
    fn unread_message_is_noticed_after_ten_minutes() {
        let mut conversation = unread(&["2026-11-20T11:45:00Z", "2026-11-20T11:50:00Z"]);
        assert_eq!(Notice::of_conversation(&conversation, at("2026-11-20T11:54:59Z")), None);
        let notice = Notice::of_conversation(&conversation, at("2026-11-20T11:56:00Z")).unwrap();
        assert_eq!(
            (notice.key().as_str(), notice.at),
            ("customers_wait", at("2026-11-20T11:55:00Z"))
        );
        let late = Notice::of_conversation(&conversation, at(NOON)).unwrap();
        assert_eq!(late.at, at(NOON), "mails since then may not have counted it");
        let waiting = Waiting {
            conversations: 1,
            since: at("2026-11-20T11:45:00Z"),
        };
        assert_eq!(notice.matter, Matter::CustomersWait(waiting));
        let both = Waiting {
            conversations: 2,
            since: at("2026-11-20T11:30:00Z"),
        };
        let all = [conversation.clone(), unread(&["2026-11-20T11:30:00Z"])];
        assert_eq!(Waiting::among(all.iter()), Some(both));
        let many = std::iter::repeat_n(&conversation, 101);
        assert_eq!(Waiting::among(many).unwrap().conversations, MAX_WAITING);
        let config = config();
        let stands = |customers_wait| {
            notice.stands(&Present {
                customers_wait,
                ..present(&config)
            })
        };
        assert!(stands(true) && !stands(false));
        conversation.read_to(2);
        assert_eq!(Notice::of_conversation(&conversation, at(NOON)), None);
    }

    /// The former wrote later, but had waited for longer.
    #[test]
    fn customer_who_is_overdue_later_is_told_of() {
        let noticed =
            |conversation: &Conversation, found: &str| Notice::of_conversation(conversation, at(found)).unwrap();
        let first = noticed(
            &unread(&["2026-11-20T11:40:00Z", "2026-11-20T11:49:00Z"]),
            "2026-11-20T11:50:20Z",
        );
        let second = noticed(&unread(&["2026-11-20T11:45:00Z"]), "2026-11-20T11:55:20Z");
        let known = NoticeState::after_occurrence(&first, None, at("2026-11-20T11:50:20Z")).unwrap();
        for (told, due) in [
            (
                known.after_mailing(first.at, at("2026-11-20T11:52:00Z")),
                "2026-11-20T12:52:00Z",
            ),
            (known.without_due_time(), "2026-11-20T11:55:20Z"),
        ] {
            let noted = NoticeState::after_occurrence(&second, Some(&told), at("2026-11-20T11:55:20Z")).unwrap();
            assert_eq!(noted.due, Some(at(due)));
        }
        // A mail counts whoever is overdue by then, also if that is found only later, or while the mail is written.
        let told = known.after_mailing(first.at, at("2026-11-20T11:55:10Z"));
        assert_eq!(
            NoticeState::after_occurrence(&second, Some(&told), at("2026-11-20T11:55:20Z")),
            None
        );
        let both = NoticeState::after_occurrence(&second, Some(&known), at("2026-11-20T11:55:20Z")).unwrap();
        let told = |mailed_at: &str| both.after_mailing(first.at, at(mailed_at)).due;
        assert_eq!(told("2026-11-20T11:55:00Z"), None);
        assert_eq!(told("2026-11-20T11:54:59Z"), Some(at("2026-11-20T12:54:59Z")));
    }
}
