//! The keys of the table. No other crate knows them.
//!
//! Every key of tenant data is built from a scope, so that no call can name another tenant's rows.

mod contacts;
mod counters;

use std::fmt::Display;

use domain::live::{Place, SocketId, Start};
use domain::people::LinkCode;
use domain::terms::{
    ApiKeyId, CampaignId, ConnectionId, ContactId, EventId, ImportId, Lane, LineId, OperationId, PushSubscriptionId,
    RuleId, SessionId, Slug, TenantId, UserId, WebhookEndpointId,
};
use domain::webhooks::DeliveryState;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ulid::Ulid;

use crate::TenantScope;

pub(crate) use self::contacts::{
    ATTACHMENT, CALL, CONSENT, CONVERSATION, DELETED, ENROLMENT, MEDIUM, MESSAGE, ORDER, attachment, audience, call,
    calls_of, consent, contact, contact_of, contact_partition, contacts, conversation, conversation_of,
    count_of_contact, deleted_contacts, draft, duplicates, enrolment, enrolment_of, exits, held_messages, history,
    identity, identity_called, inbox, inbox_place, inbox_turn, inbox_until, listed_as, listed_contact, listing, medium,
    mention, mentions, merge, message, messages_of, number, numbers, of_contact, on_day, orders_in, orders_of, profile,
    record_id, stage, suppressed_identities, tag, troubled_of, undo, values, waits_for_caps, words,
};
pub(crate) use self::counters::{
    DAYS_OF_LINES, DayOf, counted_day, counted_day_at, counted_hour, counted_template_day, day_place, days_partition,
    hour, hour_of, hour_place, hours_partition, rolled_hours, template_day, template_day_place,
    template_days_partition,
};

/// The place of a row in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IndexPlace {
    pub(crate) partition: String,
    pub(crate) sort: String,
}

/// A row's primary key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Key {
    fn new(pk: String, sk: impl Into<String>) -> Self {
        Self { pk, sk: sk.into() }
    }
}

pub(crate) fn lower(id: Ulid) -> String {
    id.to_string().to_ascii_lowercase()
}

fn tenant_pk(tenant: TenantId) -> String {
    format!("T#{}", lower(tenant.ulid()))
}

/// Prefix of the tenant's partitions; itself the partition of the tenant and its settings.
pub(crate) fn tenant_partition(scope: &TenantScope) -> String {
    tenant_pk(scope.tenant())
}

/// A partition of configured things. IAM sees only partition keys, so rows that a function must not read are in other
/// partitions than those it must.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// People, invitations and API keys, read to authenticate.
    People,
    /// Days of the last uses of API keys.
    KeyUses,
    /// Connections with their sealed credentials.
    Connections,
    /// Refused webhooks of connections by the hour, and called numbers that connections do not have.
    Refusals,
    /// Rules, lines and other kinds with few rows.
    Configuration,
    Templates,
    Products,
    Assets,
    Operations,
    /// Notices to people, and what is needed to find them.
    Notices,
    /// The places of people in the inbox.
    Desks,
    /// Hashes of the identities of erased people, with their salt.
    Erased,
    /// Endpoints of outgoing webhooks with their sealed secrets.
    Webhooks,
}

impl Part {
    /// All parts, connections first.
    pub(crate) const ALL: [Self; 13] = [
        Self::Connections,
        Self::Refusals,
        Self::Operations,
        Self::Notices,
        Self::Configuration,
        Self::Templates,
        Self::Products,
        Self::Assets,
        Self::Desks,
        Self::Erased,
        Self::Webhooks,
        Self::KeyUses,
        Self::People,
    ];

    const fn word(self) -> &'static str {
        match self {
            Self::People => "IAM",
            Self::KeyUses => "KEYUSE",
            Self::Connections => "CONN",
            Self::Refusals => "REFUSED",
            Self::Configuration => "CONF",
            Self::Templates => "TEMPLATE",
            Self::Products => "PRODUCT",
            Self::Assets => "ASSET",
            Self::Operations => OPERATIONS,
            Self::Notices => NOTICES,
            Self::Desks => "DESK",
            Self::Erased => "ERASED",
            Self::Webhooks => WEBHOOKS,
        }
    }
}

pub(crate) fn part(scope: &TenantScope, part: Part) -> String {
    format!("{}#{}", tenant_partition(scope), part.word())
}

/// A row in a partition of configured things.
fn row_in(scope: &TenantScope, in_part: Part, sk: impl Into<String>) -> Key {
    Key::new(part(scope, in_part), sk)
}

/// The row of an owned thing. A prefix that its id already has is not repeated.
pub(crate) fn owned_row(scope: &TenantScope, in_part: Part, prefix: &str, id: &impl Display) -> Key {
    let id = id.to_string();
    let bare = id.strip_prefix(prefix).unwrap_or(&id);
    row_in(scope, in_part, format!("{prefix}{bare}"))
}

/// The counter of a kind.
pub(crate) fn count(scope: &TenantScope, in_part: Part, kind: &str) -> Key {
    row_in(scope, in_part, format!("COUNT#{kind}"))
}

/// The latest list of a connection's templates.
pub(crate) fn template_sync(scope: &TenantScope, connection: ConnectionId) -> Key {
    row_in(scope, Part::Templates, format!("{TEMPLATE_SYNC}{connection}"))
}

/// Prefix of the sort keys of the latest lists.
pub(crate) const TEMPLATE_SYNC: &str = "SYNC#";

/// Prefix of the sort keys of the versions that are kept of an owned thing. No kind's own prefix begins like this.
pub(crate) fn versions(kind: &str, id: &impl Display) -> String {
    format!("VERSION#{kind}#{id}#")
}

/// The row of a kept version, in one of the places for them.
pub(crate) fn version(scope: &TenantScope, in_part: Part, kind: &str, id: &impl Display, place: u64) -> Key {
    row_in(scope, in_part, format!("{}{place:02}", versions(kind, id)))
}

/// A value that is unique within the tenant.
pub(crate) fn claim(scope: &TenantScope, what: &str, value: &str) -> Key {
    Key::new(format!("{}#ID#{what}:{value}", tenant_partition(scope)), "ID")
}

pub(crate) fn tenant(scope: &TenantScope) -> Key {
    Key::new(tenant_partition(scope), TENANT)
}

/// The sort key of the tenant itself.
pub(crate) const TENANT: &str = "TENANT";

pub(crate) const CONNECTION: &str = "CONN#";
pub(crate) const SESSION: &str = "SESSION#";
pub(crate) const REFERENCE: &str = "REF";
const IDLE: &str = "IDLE";

/// Areas of a tenant's partitions: `T#<tenant>#<area>#…`.
pub(crate) const CONTACTS: &str = "C";
pub(crate) const REFERENCES: &str = "REF";
pub(crate) const OPERATIONS: &str = "OP";
pub(crate) const NOTICES: &str = "NOTICE";
pub(crate) const WEBHOOKS: &str = "HOOK";

/// Prefix of the sort keys of operations: that of their ids.
pub(crate) const OPERATION: &str = "op_";

pub(crate) fn operation(scope: &TenantScope, id: OperationId) -> Key {
    row_in(scope, Part::Operations, id.to_string())
}

/// The slots of a tenant's operations that are taken. Lists of operations do not contain it.
pub(crate) fn slots(scope: &TenantScope) -> Key {
    row_in(scope, Part::Operations, "SLOTS")
}

/// A slot of the deployment for an operation that runs.
pub(crate) fn slot(number: u32) -> Key {
    Key::new(format!("SLOT#{number:03}"), "SLOT")
}

/// The operations of a tenant that are due and have not ended.
pub(crate) fn due_operations(scope: &TenantScope) -> String {
    format!("{}#OPEN", tenant_partition(scope))
}

/// The place of an operation among them.
pub(crate) fn due_operation(scope: &TenantScope, id: OperationId) -> IndexPlace {
    IndexPlace {
        partition: due_operations(scope),
        sort: id.to_string(),
    }
}

/// Details of an operation that only its worker reads. Lists of operations do not contain it.
pub(crate) fn operation_details(scope: &TenantScope, id: OperationId) -> Key {
    row_in(scope, Part::Operations, format!("DETAILS#{id}"))
}

/// The latest application of the tenant's retention policy.
pub(crate) fn retention(scope: &TenantScope) -> Key {
    row_in(scope, Part::Operations, "RETENTION")
}

/// The newest archive of a contact. Lists of operations do not contain it.
pub(crate) fn archive(scope: &TenantScope, contact: ContactId) -> Key {
    row_in(scope, Part::Operations, format!("ARCHIVE#{}", lower(contact.ulid())))
}

/// Prefix of the sort keys of imports: that of their ids.
pub(crate) const IMPORT: &str = "imp_";

/// An import, beside the operations that work through it.
pub(crate) fn import(scope: &TenantScope, id: ImportId) -> Key {
    row_in(scope, Part::Operations, id.to_string())
}

/// Prefix of the sort keys of notices: their kind and subject follow.
pub(crate) const NOTICE: &str = "NOTICE#";

/// The latest notice of a kind about a subject.
pub(crate) fn notice(scope: &TenantScope, key: &str) -> Key {
    row_in(scope, Part::Notices, format!("{NOTICE}{key}"))
}

/// The mailings of a tenant's notices.
pub(crate) fn mailings(scope: &TenantScope) -> Key {
    row_in(scope, Part::Notices, "MAILINGS")
}

/// The sort key of the record for finding automations without a match.
pub(crate) const WATCH: &str = "WATCH";

pub(crate) fn watch(scope: &TenantScope) -> Key {
    row_in(scope, Part::Notices, WATCH)
}

/// The day of an automation's last match.
pub(crate) fn last_match(scope: &TenantScope, rule: RuleId) -> Key {
    row_in(scope, Part::Notices, format!("MATCHED#{rule}"))
}

/// The salt of the hashes in [`Part::Erased`].
pub(crate) fn salt(scope: &TenantScope) -> Key {
    row_in(scope, Part::Erased, "SALT")
}

/// An identity of an erased person, by its hash.
pub(crate) fn erased_identity(scope: &TenantScope, hash: &str) -> Key {
    row_in(scope, Part::Erased, format!("HASH#{hash}"))
}

/// The one row that is read before the tenant in the URL is verified: the secrets that verify the webhook.
pub(crate) fn connection_before_scope(tenant: TenantId, connection: ConnectionId) -> Key {
    Key::new(
        format!("{}#{}", tenant_pk(tenant), Part::Connections.word()),
        format!("{CONNECTION}{connection}"),
    )
}

/// The refused webhook of a connection in an hour of the day, whose sender nobody knows.
pub(crate) fn refused_webhook_before_scope(tenant: TenantId, connection: ConnectionId, hour: i64) -> Key {
    Key::new(
        format!("{}#{}", tenant_pk(tenant), Part::Refusals.word()),
        format!("{connection}#{hour:02}"),
    )
}

/// The called numbers that connections do not have.
pub(crate) const UNKNOWN_NUMBERS: &str = "NUMBERS#";

/// The called numbers that this connection does not have.
pub(crate) fn unknown_numbers(scope: &TenantScope, connection: ConnectionId) -> Key {
    row_in(scope, Part::Refusals, format!("{UNKNOWN_NUMBERS}{connection}"))
}

/// Look-up from a WhatsApp number to its connection, for tenants that share one Meta app.
pub(crate) fn whatsapp_account(waba: &str, phone_number_id: &str) -> Key {
    Key::new(format!("WABA#{waba}"), format!("NUMBER#{phone_number_id}"))
}

/// The tenant's active administrators: read and written with every change that could leave none.
pub(crate) fn admins(scope: &TenantScope) -> Key {
    row_in(scope, Part::People, "ADMINS")
}

/// The counter of invitations, conditioned on by whoever counted the people.
pub(crate) fn additions(scope: &TenantScope) -> Key {
    row_in(scope, Part::People, "ADDITIONS#PEOPLE")
}

/// The last use of an API key.
pub(crate) fn key_use(scope: &TenantScope, key: ApiKeyId) -> Key {
    row_in(scope, Part::KeyUses, key.to_string())
}

/// A person's own partition: they belong to no single tenant.
pub(crate) fn user_partition(user: UserId) -> String {
    format!("USER#{}", lower(user.ulid()))
}

pub(crate) fn account(user: UserId) -> Key {
    Key::new(user_partition(user), "ACCOUNT")
}

pub(crate) fn session(user: UserId, session: SessionId) -> Key {
    Key::new(user_partition(user), format!("{SESSION}{}", lower(session.ulid())))
}

/// Prefix of the sort keys of a person's security trail.
pub(crate) const SECURITY_EVENT: &str = "EVENT#";

/// An entry of a person's security trail: its time, then an id that makes it unique.
pub(crate) fn security_event(user: UserId, at: Timestamp, id: &str) -> Key {
    Key::new(user_partition(user), format!("{SECURITY_EVENT}{}#{id}", sortable(at)))
}

/// An entry of the security trail of an address without an account, by its SHA-256. There are only sixteen such trails, so that nobody can
/// fill the table.
pub(crate) fn nobodys_security_event(email_sha256: &str, at: Timestamp, id: &str) -> Key {
    let first = email_sha256.get(..1).unwrap_or_default();
    Key::new(
        format!("USER#NOBODY#{first}"),
        format!("{SECURITY_EVENT}{}#{id}", sortable(at)),
    )
}

/// Look-up from an address to the person, by its SHA-256.
pub(crate) fn email(sha256: &str) -> Key {
    Key::new(format!("EMAIL#{sha256}"), "USER")
}

/// Look-up from an API key to its tenant, by its SHA-256.
pub(crate) fn api_key_owner(sha256: &str) -> Key {
    Key::new(format!("KEY#{sha256}"), "KEY")
}

/// A one-time link, by its token's SHA-256.
pub(crate) fn grant(sha256: &str) -> Key {
    Key::new(format!("TOKEN#{sha256}"), "TOKEN")
}

/// A link to a preference page, by the SHA-256 of its code.
pub(crate) fn preference_link(code: &LinkCode) -> Key {
    Key::new(format!("LINK#{}", code.sha256()), "LINK")
}

/// The tracked links of a message, by the SHA-256 of their code.
pub(crate) fn tracked_links(code: &LinkCode) -> Key {
    Key::new(format!("GO#{}", code.sha256()), "GO")
}

/// The owner of a name in URLs.
pub(crate) fn slug(slug: &Slug) -> Key {
    Key::new(format!("SLUG#{slug}"), "TENANT")
}

/// The platform's own rows.
pub(crate) const PLATFORM: &str = "PLATFORM";

/// The partition of the list index that holds all tenants.
pub(crate) const PLATFORM_TENANTS: &str = "PLATFORM#TENANTS";

pub(crate) fn signing_keys() -> Key {
    Key::new(PLATFORM.to_owned(), "JWKS")
}

/// The prices of messages that an operator gave.
pub(crate) fn prices() -> Key {
    Key::new(PLATFORM.to_owned(), "PRICES")
}

pub(crate) fn platform_admin(user: UserId) -> Key {
    Key::new(PLATFORM.to_owned(), format!("ADMIN#{}", lower(user.ulid())))
}

/// The tenants that leave, by time.
pub(crate) const LEAVING: &str = "LEAVING#";

pub(crate) fn leaving(at: Timestamp, tenant: TenantId) -> Key {
    Key::new(
        PLATFORM.to_owned(),
        format!("{LEAVING}{}#{}", sortable(at), lower(tenant.ulid())),
    )
}

/// The platform's own log, one partition per month.
pub(crate) fn platform_log(month: Date) -> String {
    format!("PLATFORM#LOG#{}", month.strftime("%Y-%m"))
}

pub(crate) fn platform_act(at: Timestamp, id: &str) -> Key {
    let month = at.to_zoned(TimeZone::UTC).date();
    Key::new(platform_log(month), format!("{}#{id}", sortable(at)))
}

/// The tenant's audit log of one month.
pub(crate) fn audit_partition(scope: &TenantScope, month: Date) -> String {
    format!("{}#AUDIT#{}", tenant_partition(scope), month.strftime("%Y-%m"))
}

/// An entry of the audit log: by time, then by the change's id.
pub(crate) fn audit(scope: &TenantScope, at: Timestamp, id: &str) -> Key {
    let month = at.to_zoned(TimeZone::UTC).date();
    Key::new(audit_partition(scope, month), format!("{}#{id}", sortable(at)))
}

/// A row's place in the list index: primary key and index key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) key: Key,
    pub(crate) partition: String,
    pub(crate) sort: String,
}

pub(crate) fn listed_tenant(tenant: TenantId) -> Listed {
    Listed {
        key: Key::new(tenant_pk(tenant), "TENANT"),
        partition: PLATFORM_TENANTS.to_owned(),
        sort: tenant.to_string(),
    }
}

/// The counts for the tenant's caps on a day, in UTC.
pub(crate) fn cap_day(scope: &TenantScope, day: Date) -> Key {
    Key::new(format!("{}#CAP", tenant_partition(scope)), format!("{CAP_DAY}{day}"))
}

/// Count of something that a tenant has stored.
pub(crate) fn stored_amount(scope: &TenantScope, what: &str) -> Key {
    Key::new(format!("{}#CAP", tenant_partition(scope)), format!("COUNT#{what}"))
}

/// The day of such a row.
pub(crate) fn day_of_caps(sk: &str) -> Option<Date> {
    sk.strip_prefix(CAP_DAY)?.parse().ok()
}

/// Prefix of the sort keys of those days.
pub(crate) const CAP_DAY: &str = "DAY#";

/// The used throughput of a connection's number.
pub(crate) fn number_limit(scope: &TenantScope, connection: ConnectionId) -> Key {
    Key::new(
        format!("{}#LIMIT", tenant_partition(scope)),
        format!("NUM#{connection}"),
    )
}

/// The used places for customers that the tenant writes to first.
pub(crate) fn portfolio_limit(scope: &TenantScope) -> Key {
    Key::new(format!("{}#LIMIT", tenant_partition(scope)), "PORT")
}

/// A rate counter for the span of time that begins at `window`.
pub(crate) fn rate(scope: &TenantScope, who: &str, window: i64) -> Key {
    Key::new(format!("{}#RATE#{who}", tenant_partition(scope)), window.to_string())
}

/// A rate counter for callers without a tenant. `who` contains hashes only.
pub(crate) fn rate_outside(who: &str, window: i64) -> Key {
    Key::new(format!("RATE#{who}"), window.to_string())
}

/// The result of a request with an idempotency key.
pub(crate) fn idempotency(scope: &TenantScope, who: &str, sha256: &str) -> Key {
    Key::new(format!("{}#IDEM#{who}", tenant_partition(scope)), sha256.to_owned())
}

/// The result of a request with an idempotency key by a person without a tenant.
pub(crate) fn idempotency_outside(user: UserId, sha256: &str) -> Key {
    Key::new(format!("{}#IDEM", user_partition(user)), sha256.to_owned())
}

/// A person's place in the inbox.
pub(crate) fn desk(scope: &TenantScope, user: UserId) -> Key {
    row_in(scope, Part::Desks, user.to_string())
}

/// Prefix of the sort keys of such rows. Their partition also holds the look at idle conversations.
pub(crate) const DESK_OF_USER: &str = "usr_";

/// The person of such a row.
pub(crate) fn desk_of(pk: &str, sk: &str) -> Option<UserId> {
    let (_, part) = pk.rsplit_once('#')?;
    let user = sk.parse().ok();
    user.filter(|_| part == Part::Desks.word())
}

/// The look at a tenant's idle conversations.
pub(crate) fn idle(scope: &TenantScope) -> Key {
    row_in(scope, Part::Desks, IDLE)
}

/// Whether it is such a row.
pub(crate) fn is_idle(pk: &str, sk: &str) -> bool {
    sk == IDLE && pk.ends_with(Part::Desks.word())
}

/// A version of the steps of a drip.
pub(crate) fn steps(scope: &TenantScope, campaign: CampaignId, version: u32) -> Key {
    row_in(
        scope,
        Part::Configuration,
        format!("{}{version:04}", steps_of(campaign)),
    )
}

/// Prefix of the sort keys of the versions of the steps of a drip.
pub(crate) fn steps_of(campaign: CampaignId) -> String {
    format!("STEPS#{}#", lower(campaign.ulid()))
}

/// The triggers of a drip that was started.
pub(crate) fn trigger(scope: &TenantScope, campaign: CampaignId) -> Key {
    row_in(
        scope,
        Part::Configuration,
        format!("{TRIGGER}{}", lower(campaign.ulid())),
    )
}

/// Prefix of the sort keys of such rows.
pub(crate) const TRIGGER: &str = "TRIGGER#";

/// The campaign of such a row.
pub(crate) fn campaign_of_trigger(sk: &str) -> Option<CampaignId> {
    let id = sk.strip_prefix(TRIGGER)?;
    format!("{}_{id}", CampaignId::PREFIX).parse().ok()
}

/// A provider's reference. `kind` separates the providers and, within one, calls from messages.
pub(crate) fn reference(scope: &TenantScope, kind: &str, reference: &str) -> Key {
    let partition = format!("{}#{REFERENCES}#{kind}:{reference}", tenant_partition(scope));
    Key::new(partition, REFERENCE)
}

/// The place of what belongs to no line.
const NO_LINE: &str = "-";

fn line_place(line: Option<LineId>) -> String {
    line.map_or_else(|| NO_LINE.to_owned(), |line| lower(line.ulid()))
}

fn line_at(place: &str) -> Option<Option<LineId>> {
    if place == NO_LINE {
        return Some(None);
    }
    format!("{}_{place}", LineId::PREFIX).parse().ok().map(Some)
}

/// The followers of a tenant, who follow its events.
pub(crate) fn followers(scope: &TenantScope) -> Key {
    Key::new(format!("{}#LIVE", tenant_partition(scope)), "FOLLOWERS")
}

/// The endpoints of a tenant that get events.
pub(crate) fn following_endpoints(scope: &TenantScope) -> Key {
    Key::new(format!("{}#LIVE", tenant_partition(scope)), "ENDPOINTS")
}

/// The deliveries of an endpoint, and its health.
pub(crate) fn deliveries(scope: &TenantScope, endpoint: WebhookEndpointId) -> String {
    format!("{}#{endpoint}", part(scope, Part::Webhooks))
}

/// The endpoint of a row in such a partition.
pub(crate) fn endpoint_of(pk: &str) -> Option<WebhookEndpointId> {
    let (_, endpoint) = pk.rsplit_once('#')?;
    endpoint.parse().ok()
}

/// Prefix of the sort keys of deliveries: that of the ids of their events.
pub(crate) const DELIVERY: &str = "evt_";

pub(crate) fn delivery(scope: &TenantScope, endpoint: WebhookEndpointId, event: EventId) -> Key {
    Key::new(deliveries(scope, endpoint), event.to_string())
}

/// The sort key of an endpoint's health.
pub(crate) const HEALTH: &str = "HEALTH";

pub(crate) fn webhook_health(scope: &TenantScope, endpoint: WebhookEndpointId) -> Key {
    Key::new(deliveries(scope, endpoint), HEALTH)
}

/// The run whose token has this hash, which is read before the tenant in the token is proven.
pub(crate) fn webhook_run_before_scope(tenant: TenantId, sha256: &str) -> Key {
    Key::new(format!("{}#RUN#{sha256}", tenant_pk(tenant)), "RUN")
}

/// The list of an endpoint's deliveries in a state. Those that were delivered have none.
pub(crate) fn deliveries_in(scope: &TenantScope, endpoint: WebhookEndpointId, state: DeliveryState) -> String {
    format!("{}#{}", deliveries(scope, endpoint), state.as_str())
}

/// The place of a delivery in such a list: by a time, then by its event.
pub(crate) fn delivery_place(at: Timestamp, event: EventId) -> String {
    format!("{}#{event}", sortable(at))
}

/// The time and the event of such a place.
pub(crate) fn delivery_at(place: &str) -> Option<ListedDelivery> {
    let (at, event) = place.split_once('#')?;
    Some(ListedDelivery {
        at: at.parse().ok()?,
        event: event.parse().ok()?,
    })
}

/// A delivery in a list by a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListedDelivery {
    pub(crate) at: Timestamp,
    pub(crate) event: EventId,
}

/// The people of a tenant who have a device.
pub(crate) fn reachable(scope: &TenantScope) -> Key {
    Key::new(format!("{}#LIVE", tenant_partition(scope)), "REACHABLE")
}

/// The note that people were told of an event on their devices.
pub(crate) fn pushed_event(scope: &TenantScope, event: &str) -> Key {
    Key::new(format!("{}#LIVE", tenant_partition(scope)), format!("PUSHED#{event}"))
}

/// The devices of a person.
pub(crate) fn push_subscriptions(user: UserId) -> String {
    format!("PUSH#{}", lower(user.ulid()))
}

pub(crate) fn push_subscription(user: UserId, id: PushSubscriptionId) -> Key {
    Key::new(push_subscriptions(user), lower(id.ulid()))
}

/// The owner of a device.
pub(crate) fn push_owner(id: PushSubscriptionId) -> Key {
    Key::new(format!("PUSH#OF#{}", lower(id.ulid())), "OWNER")
}

/// The key that tells push services who sends.
pub(crate) fn push_key() -> Key {
    Key::new("PUSH".to_owned(), "KEY")
}

/// A ticket that opens a socket, by the SHA-256 of its token.
pub(crate) fn ticket(sha256: &str) -> Key {
    Key::new(format!("TICKET#{sha256}"), "TICKET")
}

/// The look-up from a socket to its tenant.
pub(crate) fn socket_owner(socket: &SocketId) -> Key {
    Key::new(format!("SOCK#{socket}"), "SOCK")
}

/// The sockets of a tenant.
pub(crate) fn sockets(scope: &TenantScope) -> String {
    format!("{}#SOCK", tenant_partition(scope))
}

pub(crate) fn socket(scope: &TenantScope, socket: &SocketId) -> Key {
    Key::new(sockets(scope), socket.to_string())
}

/// The events that are published in an hour.
pub(crate) fn hour_published(scope: &TenantScope, at: Timestamp) -> String {
    format!("{}#LIVE#{}", tenant_partition(scope), hour_place(at))
}

/// Events that were published together.
pub(crate) fn published_events(scope: &TenantScope, place: Place) -> Key {
    Key::new(hour_published(scope, place.at), place_of(place))
}

fn place_of(place: Place) -> String {
    format!("{}#{}", sortable(place.at), place.first)
}

/// The place of such a row.
pub(crate) fn place_published(sk: &str) -> Option<Place> {
    let (at, first) = sk.split_once('#')?;
    Some(Place {
        at: at.parse().ok()?,
        first: first.parse().ok()?,
    })
}

/// The beginning of the sort keys of what was published from here on.
pub(crate) fn published_from(start: Start) -> String {
    match start {
        Start::At(at) => sortable(at),
        // Behind the key, and before every other one that is greater: all have the same length.
        Start::Behind(place) => format!("{}~", place_of(place)),
    }
}

/// A day in UTC.
pub(crate) fn date(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// A day in UTC, `2026-11-20`.
pub(crate) fn day(at: Timestamp) -> String {
    date(at).to_string()
}

/// A time that sorts as text: UTC, always with milliseconds.
pub(crate) fn sortable(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%dT%H:%M:%S.%3fZ")
        .to_string()
}

/// The partitions of each lane of the due index.
pub(crate) const DUE_SHARDS: u8 = 16;

pub(crate) fn due_partition(lane: Lane, shard: u8) -> String {
    format!("DUE#{}#{shard:02}", lane.as_str())
}

/// Position of a row in the due index. The shard follows from the row's key, so a row always keeps its shard. Rows at one
/// position are distinguished by their keys, which the index contains anyway: the position is short because every change
/// writes it.
pub(crate) fn due_position(lane: Lane, key: &Key, at: Timestamp) -> IndexPlace {
    let shard = u8::try_from(hash_of(key) % u32::from(DUE_SHARDS)).unwrap_or_default();
    IndexPlace {
        partition: due_partition(lane, shard),
        sort: due_place(key, at),
    }
}

/// Number of partitions of the due index for each of [`DueOther`].
pub(crate) const DUE_OTHER_SHARDS: u8 = 4;

/// Kinds of due rows that have a function of their own, and partitions that it alone reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DueOther {
    /// Steps of drips, and days for contacts to enter drips.
    Steps,
    /// Conversations of the inbox.
    Inbox,
}

impl DueOther {
    pub(crate) fn partition(self, shard: u8) -> String {
        let word = match self {
            Self::Steps => "campaigns",
            Self::Inbox => "inbox",
        };
        format!("DUE#{word}#{shard:02}")
    }

    /// The position of a row in the due index.
    pub(crate) fn place(self, key: &Key, at: Timestamp) -> IndexPlace {
        let shard = u8::try_from(hash_of(key) % u32::from(DUE_OTHER_SHARDS)).unwrap_or_default();
        IndexPlace {
            partition: self.partition(shard),
            sort: due_place(key, at),
        }
    }
}

/// A hash of a key that is the same in all processes.
fn hash_of(key: &Key) -> u32 {
    let id = format!("{}#{}", key.pk, key.sk);
    // FNV-1a: distributes evenly and needs no dependency.
    id.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// The partition of the due index for notices: they are rare, and a function of their own reads it.
pub(crate) const DUE_NOTICES: &str = "DUE#notices";

pub(crate) fn due_place(key: &Key, at: Timestamp) -> String {
    format!("{}#{}", sortable(at), key.sk)
}

/// The time in a position of the due index.
pub(crate) fn due_time(place: &str) -> Option<&str> {
    place.split_once('#').map(|(at, _)| at)
}

/// The tenant of a row, read from its key.
pub(crate) fn tenant_of(pk: &str) -> Option<TenantId> {
    let rest = pk.strip_prefix("T#")?;
    let id = rest.split('#').next()?;
    format!("{}_{id}", TenantId::PREFIX).parse().ok()
}

/// The area of a tenant's partition, read from its key.
pub(crate) fn area_of(pk: &str) -> Option<&str> {
    pk.strip_prefix("T#")?.split('#').nth(1)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test may stand in for access")]
mod tests {
    use domain::messages::TemplateEdition;
    use domain::people::HistoryKind;
    use domain::templates::TemplateId;
    use domain::terms::MessageId;

    use super::*;
    use crate::Authority;

    fn scope() -> TenantScope {
        TenantScope::mint(TenantId::new(Ulid::from_parts(7, 7)), Authority::Operator)
    }

    #[test]
    fn tenant_is_read_from_a_key() {
        let contact = ContactId::new(Ulid::from_parts(1, 2));
        let id = MessageId::new(contact, Ulid::from_parts(3, 4));
        let key = message(&scope(), id);
        assert_eq!(tenant_of(&key.pk), Some(scope().tenant()));
    }

    #[test]
    fn records_are_read_from_their_keys() {
        let (contact, own) = (ContactId::new(Ulid::from_parts(1, 2)), Ulid::from_parts(3, 4));
        for kind in HistoryKind::RECORDS {
            let key = of_contact(&scope(), contact, kind, own);
            assert_eq!(record_id(&key.pk, &key.sk), kind.record_id(contact, own));
            assert_eq!(record_id("T#a", &key.sk), None);
            assert_eq!(record_id(&key.pk, "MSG#0"), None);
        }
        assert_eq!(history(HistoryKind::Consent), CONSENT);
        assert_eq!(history(HistoryKind::Call), CALL);
        assert_eq!(history(HistoryKind::Order), ORDER);
    }

    #[test]
    fn counted_hours_and_days_are_read_from_their_keys() {
        let at: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let day: Date = "2026-11-20".parse().unwrap();
        for line in [None, Some(LineId::new(Ulid::from_parts(5, 6)))] {
            let hour = hour(&scope(), at, line, "shardId-1-a");
            assert_eq!(counted_hour(&hour.sk), Some((at, line)));
            assert!(hour_place(at) < hour.sk && hour.sk < hour_place("2026-11-20T10:00:00Z".parse().unwrap()));
            let counted = counted_day(&scope(), DayOf::Line(line), day);
            assert_eq!(counted_day_at(&counted.sk), Some((DayOf::Line(line), day)));
        }
        let counted = counted_day(&scope(), DayOf::All, day);
        assert!(counted.pk.ends_with("#STATS#2026-11"), "{}", counted.pk);
        assert_eq!(counted_day_at(&counted.sk), Some((DayOf::All, day)));
        assert_eq!(counted_hour(&rolled_hours(&scope()).sk), None);
        let of = TemplateEdition {
            template: "conn_00000000000000000000000002.missed_call.en_GB".parse().unwrap(),
            edition: 3,
        };
        let counted = template_day(&scope(), &of, day, "shardId-1-a");
        assert_eq!(counted_template_day(&of.template, &counted.sk), Some((3, day)));
        let next = template_day_place(&of.template, "2026-11-21".parse().unwrap());
        assert!(template_day_place(&of.template, day) < counted.sk && counted.sk < next);
        let other: TemplateId = "conn_00000000000000000000000002.missed_call.en".parse().unwrap();
        assert_eq!(counted_template_day(&other, &counted.sk), None);
    }

    #[test]
    fn due_times_sort_as_text_and_shards_are_stable() {
        let key = Key::new("T#a".to_owned(), "MSG#b");
        let earlier = due_position(Lane::Bulk, &key, "2026-11-20T10:00:00Z".parse().unwrap());
        let later = due_position(Lane::Bulk, &key, "2026-11-20T10:00:00.5Z".parse().unwrap());
        assert!(earlier.partition.starts_with("DUE#bulk#"));
        assert!(earlier.sort < later.sort);
        assert_eq!(earlier.partition, later.partition);
        assert_eq!(due_time(&later.sort), Some("2026-11-20T10:00:00.500Z"));
    }
}
