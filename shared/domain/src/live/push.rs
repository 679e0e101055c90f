//! Push notifications (RFC 8030): the devices that notify a person of messages, mentions, calls and notices while none of their pages is
//! open, and the content of the notifications.

use std::fmt;

use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::{Host, Url};

use crate::accounts::{Notifications, QuietTime};
use crate::calls::Call;
use crate::notices::{Notice, NoticeState};
use crate::people::Note;
use crate::terms::{
    CallId, ContactId, ConversationId, NoteId, PushSubscriptionId, SessionId, TenantId, UserId, derive_id,
};

/// Maximum devices of a person.
pub const MAX_SUBSCRIPTIONS: usize = 10;

/// Retention of a subscription after its client sent it: clients send it whenever they begin.
pub const SUBSCRIPTIONS_KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Delay of a notification, so that a person can read the message on a page first.
pub const WAITS: SignedDuration = SignedDuration::from_secs(20);

/// Nobody is notified of a message later than this.
pub const TOO_LATE: SignedDuration = SignedDuration::from_mins(5);

/// Maximum age of a message for a notification: an older one became known by a backfill, or far too late.
pub const MAX_AGE: SignedDuration = SignedDuration::from_hours(1);

/// A notice that is due at once is written within this time.
const MOMENT: SignedDuration = SignedDuration::from_mins(1);

/// Interval for noting again that a person has a device.
const NOTED_EVERY: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Maximum size of an endpoint, in bytes.
pub const MAX_ENDPOINT: usize = 1_024;

/// Maximum characters of a name and of a text in a notification. Push services take about 4,000 bytes.
const MAX_SHOWN: (usize, usize) = (80, 400);

/// A device that notifies a person. Its endpoint is a secret: nobody can tell those who know it from the device's owner.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushSubscription {
    /// Id, by its endpoint.
    pub id: PushSubscriptionId,
    pub user: UserId,
    /// Session that made it. Nothing is sent after the session's end.
    pub session: SessionId,
    /// The URL of the push service, for this device.
    pub endpoint: String,
    /// The device's public key: a point on P-256, uncompressed, in base64url.
    pub p256dh: String,
    /// The device's secret of 16 bytes, in base64url.
    pub auth: String,
    /// Browser or app, from its `User-Agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// End of its use, unless its client sends it again.
    pub expires_at: Timestamp,
}

impl fmt::Debug for PushSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PushSubscription({})", self.id)
    }
}

impl PushSubscription {
    /// The id of the subscription with this endpoint: the same whenever it is sent.
    pub fn id_of(endpoint: &str) -> PushSubscriptionId {
        PushSubscriptionId::new(derive_id(0, endpoint.as_bytes()))
    }
}

/// The push services that may get notifications: those of browsers, and others that the operator names.
#[derive(Debug, Clone, Default)]
pub struct PushServices {
    further: Vec<String>,
}

impl PushServices {
    /// Hosts of the browsers' services: Chrome, Firefox, Edge, Safari. A name that begins with a dot stands for all hosts below it.
    const KNOWN: [&'static str; 4] = [
        "fcm.googleapis.com",
        ".push.services.mozilla.com",
        ".notify.windows.com",
        ".push.apple.com",
    ];

    /// Adds these origins, such as `https://push.example.org`, separated by commas, to those of browsers.
    pub fn with(further: &str) -> Self {
        let further = further.split(',').map(|origin| origin.trim().trim_end_matches('/'));
        Self {
            further: further.filter(|origin| !origin.is_empty()).map(str::to_owned).collect(),
        }
    }

    /// The first of the operator's origins that is not of `https` and a name: without TLS, or an address, such as one of our own network.
    pub fn unsafe_origin(&self) -> Option<&str> {
        let is_safe = |origin: &String| {
            let url = Url::parse(origin).ok();
            url.is_some_and(|url| {
                url.scheme() == "https" && matches!(url.host(), Some(Host::Domain(name)) if name.contains('.'))
            })
        };
        self.further.iter().find(|origin| !is_safe(origin)).map(String::as_str)
    }

    /// Whether notifications may be sent to this endpoint.
    pub fn allow(&self, endpoint: &str) -> bool {
        let Ok(url) = Url::parse(endpoint) else { return false };
        if endpoint.len() > MAX_ENDPOINT || !url.username().is_empty() || url.password().is_some() {
            return false;
        }
        let Some(Host::Domain(host)) = url.host() else {
            return self.names(&url);
        };
        let known = Self::KNOWN.iter().any(|known| {
            let below = known.starts_with('.') && host.ends_with(known);
            below || host == *known
        });
        (known && url.scheme() == "https" && url.port().is_none()) || self.names(&url)
    }

    fn names(&self, url: &Url) -> bool {
        let origin = url.origin().ascii_serialization();
        self.further.contains(&origin)
    }
}

/// An endpoint as browsers write it, so that it is known again. `None`: it is no URL.
pub fn normalize_endpoint(endpoint: &str) -> Option<String> {
    let mut url = Url::parse(endpoint).ok()?;
    url.set_fragment(None);
    Some(url.into())
}

/// The origin of an endpoint. A signature for a push service names it as its audience.
pub fn origin_of_endpoint(endpoint: &str) -> Option<String> {
    let url = Url::parse(endpoint).ok()?;
    Some(url.origin().ascii_serialization())
}

/// The host of an endpoint.
pub fn host_of_endpoint(endpoint: &str) -> Option<String> {
    let url = Url::parse(endpoint).ok()?;
    url.host_str().map(str::to_owned)
}

/// Subject of a notification, by ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum About {
    Message {
        conversation: ConversationId,
        /// Number of the message in it.
        seq: u64,
    },
    /// A note that mentions people.
    Mention {
        note: NoteId,
        /// People that the former note did not mention.
        mentioned: Vec<UserId>,
    },
    /// A customer's call that nobody answered, and that no message follows.
    Call {
        call: CallId,
        /// The conversation with the customer on its line. It need not exist.
        conversation: ConversationId,
    },
    /// Something that people must attend to.
    Notice {
        /// The key of the notice.
        notice: String,
    },
}

impl About {
    /// People that a note mentions since this change.
    pub fn of_note(before: Option<&Note>, after: &Note) -> Option<Self> {
        let known = before.map(Note::mentioned_users).unwrap_or_default();
        let new = after.mentioned_users().iter().filter(|user| !known.contains(user));
        let mentioned: Vec<UserId> = new.copied().collect();
        (!mentioned.is_empty()).then_some(Self::Mention {
            note: after.id,
            mentioned,
        })
    }

    /// A call that nobody answered and no message follows, once it is first decided. `None` if somebody has talked to the customer since.
    pub fn of_call(before: Option<&Call>, after: &Call) -> Option<Self> {
        let is_left = |call: &Call| call.is_missed() && call.message.is_none() && call.recovered == 0;
        (is_left(after) && !before.is_some_and(is_left)).then(|| Self::Call {
            call: after.id,
            conversation: ConversationId::of(after.id.contact(), after.grounds.line),
        })
    }

    /// A notice that became due at once by a change of this time: people are told on their devices when its mail begins to wait. While a
    /// mail of its kind waits already, or the pause of its kind lasts, they know.
    pub fn of_notice(before: Option<&NoticeState>, after: &NoticeState, at: Timestamp) -> Option<Self> {
        let was_due = before.is_some_and(|before| before.due.is_some());
        // The time of a change is in whole seconds.
        let is_due = after.due.is_some_and(|due| due.duration_since(at) < MOMENT);
        (is_due && !was_due).then(|| Self::Notice {
            notice: after.notice.key(),
        })
    }

    /// Whether it happens at one time, so that people are told once. A message is repeated as long as it is unread.
    pub const fn is_told_once(&self) -> bool {
        !matches!(self, Self::Message { .. })
    }

    /// Delay of the notification, so that people can see the subject on a page first.
    pub const fn waits(&self) -> SignedDuration {
        if self.is_told_once() {
            SignedDuration::ZERO
        } else {
            WAITS
        }
    }

    /// Whether a person wants to be told of it now, at this local time of the tenant. `attends`: who attends to the conversation.
    pub fn is_wanted(&self, wishes: &Notifications, user: UserId, attends: Option<UserId>, now: Time) -> bool {
        let kind = match self {
            Self::Message { .. } => match attends {
                Some(assignee) => assignee == user && wishes.mine,
                None => wishes.unassigned,
            },
            Self::Mention { .. } => wishes.mentions,
            Self::Call { .. } => wishes.calls,
            Self::Notice { .. } => wishes.attention,
        };
        kind && !wishes.quiet_hours.is_some_and(|quiet| is_within(quiet, now))
    }
}

/// Whether the hours hold at this time. If they end when they begin, they are all hours.
fn is_within(quiet: QuietTime, now: Time) -> bool {
    let (from, to) = (quiet.from.get(), quiet.to.get());
    if from < to {
        (from..to).contains(&now)
    } else {
        now >= from || now < to
    }
}

/// Content of a notification. The service worker of the device makes the words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Notification {
    #[serde(rename = "message.received")]
    Message {
        tenant_id: TenantId,
        /// The conversation. A later notification of the same one replaces this.
        conversation_id: ConversationId,
        /// Name of the customer, if it is known.
        name: Option<String>,
        /// The message, if the person wants to see it, and it has a text.
        text: Option<String>,
    },
    /// A note mentions the person.
    #[serde(rename = "note.mentioned")]
    Mention {
        tenant_id: TenantId,
        contact_id: ContactId,
        note_id: NoteId,
        /// Name of the customer, if it is known.
        name: Option<String>,
        /// The note, if the person wants to see it.
        text: Option<String>,
    },
    /// Nobody answered a customer's call, and no message follows it.
    #[serde(rename = "call.missed")]
    Call {
        tenant_id: TenantId,
        contact_id: ContactId,
        call_id: CallId,
        /// The conversation, if there is one: callers who hide their number have none. A later call of the same one replaces this.
        conversation_id: Option<ConversationId>,
        /// Name of the customer, if it is known.
        name: Option<String>,
    },
    /// Somebody must attend to something.
    #[serde(rename = "attention")]
    Notice {
        tenant_id: TenantId,
        /// Kind of notice: the name of the preference for its mails. A later notice of the same kind and subject replaces this one.
        notice: String,
        /// Id of the connection, automation or campaign, if it is about one.
        subject_id: Option<String>,
        /// Name of the connection, template, automation, cap or campaign, if it is about one.
        name: Option<String>,
    },
}

/// A text of at most this many characters.
fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

fn short_name(name: Option<&str>) -> Option<String> {
    name.map(|name| short(name, MAX_SHOWN.0))
}

fn short_text(text: Option<&str>) -> Option<String> {
    text.map(|text| short(text, MAX_SHOWN.1))
}

impl Notification {
    /// The notification of a customer's message.
    pub fn of_message(
        tenant_id: TenantId,
        conversation_id: ConversationId,
        name: Option<&str>,
        text: Option<&str>,
    ) -> Self {
        Self::Message {
            tenant_id,
            conversation_id,
            name: short_name(name),
            text: short_text(text),
        }
    }

    /// The notification of a note, for a person that it mentions.
    pub fn of_mention(tenant_id: TenantId, note_id: NoteId, name: Option<&str>, text: Option<&str>) -> Self {
        Self::Mention {
            tenant_id,
            contact_id: note_id.contact(),
            note_id,
            name: short_name(name),
            text: short_text(text),
        }
    }

    /// The notification of a call that no message follows.
    pub fn of_call(
        tenant_id: TenantId,
        call_id: CallId,
        conversation_id: Option<ConversationId>,
        name: Option<&str>,
    ) -> Self {
        Self::Call {
            tenant_id,
            contact_id: call_id.contact(),
            call_id,
            conversation_id,
            name: short_name(name),
        }
    }

    /// The notification of a notice.
    pub fn of_notice(tenant_id: TenantId, notice: &Notice) -> Self {
        Self::Notice {
            tenant_id,
            notice: notice.kind().as_str().to_owned(),
            subject_id: notice.matter.subject_id(),
            name: short_name(Some(&notice.name).filter(|name| !name.is_empty()).map(String::as_str)),
        }
    }

    /// Name that lets a push service replace a notification that the device has not fetched, of at most 32 characters (RFC 8030, 5.4).
    pub fn topic(&self) -> String {
        let subject = match self {
            Self::Message {
                tenant_id,
                conversation_id,
                ..
            } => format!("{tenant_id} {conversation_id}"),
            Self::Mention { tenant_id, note_id, .. } => format!("{tenant_id} {note_id}"),
            Self::Call {
                tenant_id,
                call_id,
                conversation_id,
                ..
            } => match conversation_id {
                Some(conversation) => format!("{tenant_id} {conversation} call"),
                None => format!("{tenant_id} {call_id}"),
            },
            Self::Notice {
                tenant_id,
                notice,
                subject_id,
                name,
            } => format!("{tenant_id} {notice} {subject_id:?} {name:?}"),
        };
        let hash = Sha256::digest(subject);
        hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The people of a tenant who have a device, with the times until when that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reachable(Vec<(UserId, Timestamp)>);

impl Reachable {
    /// Maximum people. A further one replaces the one who would be forgotten first.
    const MAX: usize = 500;

    /// The people who may have a device at this time.
    pub fn people(&self, now: Timestamp) -> impl Iterator<Item = UserId> {
        self.0
            .iter()
            .filter(move |(_, until)| now < *until)
            .map(|(user, _)| *user)
    }

    /// End of its validity: the latest of its times.
    pub fn ends_at(&self) -> Option<Timestamp> {
        self.0.iter().map(|(_, until)| *until).max()
    }

    /// Notes that a person has a device from now on. Returns whether that changed anything: the same is noted once a week.
    pub fn note(&mut self, user: UserId, now: Timestamp) -> bool {
        // Not before the last of their devices.
        let until = now + SUBSCRIPTIONS_KEPT_FOR + NOTED_EVERY;
        let known = self.0.iter().find(|(one, _)| *one == user);
        if known.is_some_and(|(_, known)| until.duration_since(*known) < NOTED_EVERY) {
            return false;
        }
        self.0.retain(|(one, known)| *one != user && now < *known);
        if self.0.len() >= Self::MAX {
            let first = self.0.iter().enumerate().min_by_key(|(_, (_, until))| *until);
            if let Some((place, _)) = first {
                self.0.remove(place);
            }
        }
        self.0.push((user, until));
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;
    use ulid::Ulid;

    use super::*;
    use crate::notices::{Matter, Waiting};
    use crate::people::NoteText;
    use crate::terms::Actor;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + hour * 3_600).unwrap()
    }

    fn user(number: u128) -> UserId {
        UserId::new(Ulid::from_parts(1, number))
    }

    #[test]
    fn only_known_services_are_used() {
        let services = PushServices::with(" http://127.0.0.1:9000/, https://push.example.org");
        for good in [
            "https://fcm.googleapis.com/fcm/send/abc",
            "https://updates.push.services.mozilla.com/wpush/v2/abc",
            "https://wns2-par02p.notify.windows.com/w/?token=abc",
            "https://web.push.apple.com/QGx",
            "http://127.0.0.1:9000/push/1",
            "https://push.example.org/x",
        ] {
            assert!(services.allow(good), "{good}");
        }
        for wrong in [
            "http://fcm.googleapis.com/fcm/send/abc",
            "https://fcm.googleapis.com:8443/x",
            "https://fcm.googleapis.com.evil.example/x",
            "https://evilnotify.windows.com.example/x",
            "https://push.services.mozilla.com.example",
            "https://user@fcm.googleapis.com/x",
            "https://169.254.169.254/latest/meta-data",
            "http://127.0.0.1:9001/push/1",
            "https://10.0.0.1/",
            "https://[::1]/",
            "https://push.example.org:444/x",
            "file:///etc/passwd",
            "push",
            "",
        ] {
            assert!(!services.allow(wrong), "{wrong}");
        }
        assert_eq!(
            normalize_endpoint(" HTTPS://FCM.googleapis.com/x#1").as_deref(),
            Some("https://fcm.googleapis.com/x")
        );
        let long = format!("https://fcm.googleapis.com/{}", "a".repeat(MAX_ENDPOINT));
        assert!(!services.allow(&long));
    }

    #[test]
    fn people_are_told_of_what_they_want_outside_their_quiet_hours() {
        let contact = ContactId::new(Ulid::from_parts(1, 9));
        let message = About::Message {
            conversation: ConversationId::of(contact, None),
            seq: 1,
        };
        let mention = About::Mention {
            note: NoteId::new(contact, Ulid::from_parts(1, 2)),
            mentioned: vec![user(2)],
        };
        let call = About::Call {
            call: CallId::new(contact, Ulid::from_parts(1, 3)),
            conversation: ConversationId::of(contact, None),
        };
        let notice = About::Notice {
            notice: "customers_wait".to_owned(),
        };
        let set = |value: serde_json::Value| serde_json::from_value::<Notifications>(value).unwrap();
        let time = |text: &str| text.parse::<Time>().unwrap();
        let noon = time("12:00");
        let (mine, nobodys) = (Some(user(1)), None);
        for (about, wishes, who, attends, told) in [
            (&message, json!({}), 1, nobodys, true),
            (&message, json!({"unassigned": false}), 1, nobodys, false),
            (&message, json!({"unassigned": false}), 1, mine, true),
            (&message, json!({"mine": false}), 1, mine, false),
            (&message, json!({}), 2, mine, false),
            (&message, json!({"mentions": false}), 1, mine, true),
            (&mention, json!({"mine": false, "unassigned": false}), 2, nobodys, true),
            (&mention, json!({"mentions": false}), 2, nobodys, false),
            (&call, json!({"mine": false, "unassigned": false}), 1, mine, true),
            (&call, json!({"calls": false}), 1, mine, false),
            (&notice, json!({"mine": false, "unassigned": false}), 1, nobodys, true),
            (&notice, json!({"attention": false}), 1, nobodys, false),
        ] {
            let wanted = about.is_wanted(&set(wishes.clone()), user(who), attends, noon);
            assert_eq!(wanted, told, "{about:?} {wishes}");
        }
        let night = set(json!({"quiet_hours": {"from": "21:00", "to": "07:30"}}));
        let lunch = set(json!({"quiet_hours": {"from": "12:00", "to": "13:00"}}));
        let always = set(json!({"quiet_hours": {"from": "00:00", "to": "00:00"}}));
        for (hours, now, told) in [
            (&night, "20:59", true),
            (&night, "21:00", false),
            (&night, "03:00", false),
            (&night, "07:29", false),
            (&night, "07:30", true),
            (&lunch, "11:59", true),
            (&lunch, "12:00", false),
            (&lunch, "13:00", true),
            (&always, "12:00", false),
        ] {
            for about in [&message, &mention, &call, &notice] {
                assert_eq!(
                    about.is_wanted(hours, user(1), None, time(now)),
                    told,
                    "{about:?} {now}"
                );
            }
        }
    }

    #[test]
    fn a_notification_is_short_enough_for_push_services() {
        let tenant = TenantId::new(Ulid::from_parts(1, 1));
        let conversation = ConversationId::of(ContactId::new(Ulid::from_parts(1, 9)), None);
        let long = "ش".repeat(5_000);
        let note = NoteId::new(ContactId::new(Ulid::from_parts(1, 9)), Ulid::from_parts(1, 2));
        let all = [
            Notification::of_message(tenant, conversation, Some(&long), Some(&long)),
            Notification::of_mention(tenant, note, Some(&long), Some(&long)),
            Notification::of_call(
                tenant,
                CallId::new(note.contact(), Ulid::from_parts(1, 3)),
                Some(conversation),
                Some(&long),
            ),
            Notification::of_notice(
                tenant,
                &Notice {
                    name: long.clone(),
                    ..waits(at(0))
                },
            ),
        ];
        for whole in &all {
            let json = serde_json::to_value(whole).unwrap();
            assert!(json.to_string().len() <= 3_000, "{json}");
            for said in ["name", "text"]
                .map(|field| &json[field])
                .iter()
                .filter_map(|said| said.as_str())
            {
                assert!(said.ends_with('…'), "{json}");
            }
            assert_eq!(whole.topic().len(), 32);
        }
        let other = ConversationId::of(ContactId::new(Ulid::from_parts(1, 10)), None);
        let short = Notification::of_message(tenant, other, Some("Layla"), None);
        let topics: BTreeSet<String> = all.iter().chain([&short]).map(Notification::topic).collect();
        assert_eq!(topics.len(), all.len() + 1, "none replaces another");
        let shown = serde_json::to_value(&short).unwrap();
        assert_eq!((&shown["name"], &shown["text"]), (&json!("Layla"), &json!(null)));
    }

    /// Customers who wait since this time.
    fn waits(since: Timestamp) -> Notice {
        Notice {
            matter: Matter::CustomersWait(Waiting {
                conversations: 1,
                since,
            }),
            name: String::new(),
            at: since,
        }
    }

    #[test]
    fn notice_is_told_when_its_mail_begins_to_wait() {
        let noted = |known: Option<&NoticeState>, hour: i64| {
            let now = at(hour) + SignedDuration::from_millis(900);
            NoticeState::after_occurrence(&waits(now), known, now).unwrap()
        };
        let told = |before: Option<&NoticeState>, after: &NoticeState, hour: i64| {
            About::of_notice(before, after, at(hour)).is_some()
        };
        let first = noted(None, 0);
        assert!(told(None, &first, 0));
        let second = noted(Some(&first), 1);
        assert!(!told(Some(&first), &second, 1), "its mail waits already");
        let mailed = second.after_mailing(second.notice.at, at(2));
        assert!(!told(Some(&second), &mailed, 2));
        let soon = NoticeState::after_occurrence(&waits(at(2) + MOMENT), Some(&mailed), at(2) + MOMENT).unwrap();
        assert!(!told(Some(&mailed), &soon, 2), "the next mail waits for an hour");
        assert!(told(Some(&mailed), &noted(Some(&mailed), 4), 4));
        let settled = first.without_due_time();
        assert!(!told(Some(&first), &settled, 1) && told(Some(&settled), &noted(Some(&settled), 4), 4));
    }

    #[test]
    fn people_are_told_of_a_mention_once() {
        let id = NoteId::new(ContactId::new(Ulid::from_parts(1, 9)), Ulid::from_parts(1, 2));
        let note = |mentions: &[u128]| {
            let text: NoteText = "Call her back".parse().unwrap();
            let mentions: Vec<UserId> = mentions.iter().copied().map(user).collect();
            Note::new(id, text.clone(), Actor::Operator, at(0)).with_text(text, mentions.into())
        };
        for (before, after, told) in [
            (None, vec![], vec![]),
            (None, vec![1, 2], vec![1, 2]),
            (Some(vec![1]), vec![1], vec![]),
            (Some(vec![1]), vec![2, 1, 3], vec![2, 3]),
            (Some(vec![1, 2]), vec![2], vec![]),
        ] {
            let before = before.as_deref().map(note);
            let mentioned: Vec<UserId> = told.into_iter().map(user).collect();
            let expected = (!mentioned.is_empty()).then_some(About::Mention { note: id, mentioned });
            assert_eq!(About::of_note(before.as_ref(), &note(&after)), expected, "{after:?}");
        }
    }

    #[test]
    fn people_with_devices_are_noted_once_a_week() {
        let mut reachable = Reachable::default();
        assert!(reachable.note(user(1), at(0)) && !reachable.note(user(1), at(24)));
        assert!(reachable.note(user(1), at(7 * 24)));
        assert!(reachable.note(user(2), at(8 * 24)));
        let people = |now| reachable.people(now).collect::<Vec<_>>();
        assert_eq!(people(at(8 * 24)), [user(1), user(2)]);
        // A device that was sent on the sixth day is kept until the 37th.
        assert_eq!(people(at(37 * 24)), [user(1), user(2)]);
        assert_eq!(people(at(44 * 24)), [user(2)]);
        assert_eq!(reachable.ends_at(), Some(at(45 * 24)));
        for number in 0..600 {
            reachable.note(user(number), at(9 * 24));
        }
        assert_eq!(reachable.people(at(9 * 24)).count(), 500);
    }
}
