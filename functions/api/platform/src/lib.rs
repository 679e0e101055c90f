//! Administration of tenants by the platform: list, create, suspend, resume, delete, set plans and limits, show usage. Never what
//! a tenant's customers say. Every action is recorded in the platform's log and in the tenant's audit log.

pub mod models;

use api::{
    Api, Body, Created, IfMatch, LinkToken, Listed, NoContent, Paging, Patch, Patchable, Path, Platform, Query, RACES,
    Setback, Tagged, of_another_list, require_found,
};
use axum::extract::State;
use axum::{Extension, Json, Router};
use domain::accounts::{Account, Invitation, Role};
use domain::messages::{TrackedEnd, TrackedLinks};
use domain::money::PriceBook;
use domain::people::LinkCode;
use domain::tenants::{CheckResult, Checkup, Rule, Tenant, TenantStatus, country_in};
use domain::terms::{Email, Fault, FaultCode, InvitationId, Language, RuleId, Slug, Stamp, TenantId};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use jobs::{Mail, MailJob};
use kit::http::Target;
use kit::{ConfigError, Env, Problem};
use serde_json::json;
use store::table::lookups::WhatsAppOwner;
use store::tenants::PlatformAct;
use store::{StoreError, TenantScope, Versioned};
use url::Url;

use crate::models::{
    DayUsageOut, InviteAdminIn, LogQuery, PlatformActOut, PlatformPricesOut, PlatformTenantIn, PlatformTenantOut,
    PlatformTenantPatch, ReleaseIn, ReleasedOut, ReportedLinkIn, ReportedLinkOut, SuspendIn, TenantsQuery,
    TurnOffLinkIn, UsageOut, UsageQuery, own_limits,
};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let grace = Grace(env.config().seconds("TENANT_GRACE_SECONDS")?);
    Ok(api::serve(operations(), Api::with_mails(env)?).layer(Extension(grace)))
}

/// Period for cancelling the deletion of a tenant.
#[derive(Clone, Copy)]
struct Grace(SignedDuration);

api::operations! {
    "platform": "Administration of tenants by the platform." {
        /// List tenants
        ///
        /// All tenants of the deployment, in the order of their creation, or those with a name and in a state. A page examines at most
        /// 500 tenants: with conditions it may be short, or empty, without being the last. The list may lag by a moment.
        GET "/api/v1/platform/tenants" => list_platform_tenants, "A page of tenants";

        /// Create a tenant
        ///
        /// Its first administrator is invited by mail and chooses a password that nobody else learns.
        POST "/api/v1/platform/tenants" => create_platform_tenant, "The tenant. The invitation is on its way.",
            problems "slug_taken";

        /// Get a tenant
        GET "/api/v1/platform/tenants/{tenant_id}" => get_platform_tenant, "The tenant";

        /// Update a tenant's plan and limits
        PATCH "/api/v1/platform/tenants/{tenant_id}" => update_platform_tenant, "The updated tenant";

        /// Delete a tenant
        ///
        /// Suspends it at once. All its data is deleted when the grace period ends. Resume it before then to keep it.
        DELETE "/api/v1/platform/tenants/{tenant_id}" => delete_platform_tenant, "The tenant is suspended and its deletion is scheduled";

        /// Suspend a tenant
        ///
        /// Calls and messages are stored, but nothing is sent. The tenant's users and keys are refused within half a minute.
        POST "/api/v1/platform/tenants/{tenant_id}/suspend" => suspend_platform_tenant, "The updated tenant",
            problems "tenant_leaving";

        /// Resume a tenant
        ///
        /// For a tenant that is suspended, or that is being deleted and still within its grace period.
        POST "/api/v1/platform/tenants/{tenant_id}/resume" => resume_platform_tenant, "The updated tenant",
            problems "tenant_gone";

        /// Invite an administrator of a tenant
        ///
        /// For a tenant whose first invitation was lost or whose administrators have all left. The existing administrators are
        /// notified by mail.
        POST "/api/v1/platform/tenants/{tenant_id}/invitations" => invite_platform_admin, "The invitation is on its way";

        /// Get a tenant's usage by day
        ///
        /// Exact counts of calls and messages, for at most 31 days.
        GET "/api/v1/platform/tenants/{tenant_id}/usage" => get_platform_tenant_usage, "The usage";

        /// Release a WhatsApp number
        ///
        /// For a number that has moved to another business. Within five minutes, the connection that holds it gets no more events
        /// of the shared Meta app, and another tenant can connect the number. The former holder sees this in its
        /// connection's `last_test` and in its audit log. If its connection passes a test before another one does, it holds the
        /// number again.
        POST "/api/v1/platform/whatsapp-numbers/release" => release_whatsapp_number, "The former holder",
            404 "No connection holds the number";

        /// Find whose a tracked link is
        ///
        /// For a link that somebody reports, while it is valid.
        POST "/api/v1/platform/tracked-links/find" => find_tracked_link, "Whose it is",
            404 "There is no valid link with this code";

        /// Turn off the tracked links of a message
        ///
        /// The links lead nowhere from now on, for good. Tenant, host and reason are in the platform's log.
        POST "/api/v1/platform/tracked-links/turn-off" => turn_off_tracked_links, "They are turned off",
            404 "There is no valid link with this code";

        /// Get the prices of messages
        ///
        /// The price lists for estimating costs that providers do not report. They come with the version of the software, unless an
        /// operator replaced them.
        GET "/api/v1/platform/prices" => get_platform_prices, "The prices";

        /// Replace the prices of messages
        ///
        /// Replaces all prices, for all tenants. Estimates of earlier days use them, too: a list holds from its day on. The cost of
        /// messages without a price is unknown.
        PUT "/api/v1/platform/prices" => replace_platform_prices, "The prices that hold now";

        /// Restore the prices of messages
        ///
        /// Returns to the prices that come with the version.
        DELETE "/api/v1/platform/prices" => restore_platform_prices, "The prices are restored";

        /// List the platform's log
        ///
        /// The actions of administrators and operators in a month, newest first.
        GET "/api/v1/platform/log" => list_platform_log, "A page of the platform's log";
    }
}

/// Validity of an invitation to a tenant's first administrator.
const INVITATION_LIFETIME: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Maximum days of usage per request.
const MAX_DAYS: i32 = 31;

async fn list_platform_tenants(
    _who: Platform,
    State(api): State<Api>,
    Query(query): Query<TenantsQuery>,
    paging: Paging,
) -> Result<Listed<PlatformTenantOut>, Problem> {
    let (store, first) = (api.store(), paging.position::<TenantId>()?);
    let found = if query.lists_all() {
        store.tenants(first, paging.limit()).await?
    } else {
        let read = |after: Option<String>| async move {
            let after = after.and_then(|after| after.parse().ok());
            store.tenants(after, 100).await
        };
        let page = paging.narrow_page(read, |tenant| query.admits(tenant), |tenant| tenant.id.to_string());
        page.await?
    };
    Ok(Listed::of(found, |tenant: Tenant| PlatformTenantOut::from(&tenant)))
}

async fn create_platform_tenant(
    who: Platform,
    State(api): State<Api>,
    Extension(target): Extension<Target>,
    Body(input): Body<PlatformTenantIn>,
) -> Result<Created<PlatformTenantOut>, Problem> {
    let id = TenantId::new(who.ulid());
    let tenant = new_tenant(id, &input);
    let link = api.link_token()?;
    let invitation = invitation(&who, &input.admin_email, input.language.as_ref(), &link);
    let rule = Rule::first(RuleId::new(who.ulid()), country_in(&tenant.time_zone));
    let act_id = who.ulid().to_string();
    let act = act(
        "tenant_created",
        id,
        who.stamp(),
        json!({"name": input.name, "slug": input.slug, "plan": input.plan}),
    );
    let scope = who.admin().scope(id);
    let store = api.store();
    let created = store.create_tenant(&scope, &tenant, &rule, &input.slug, &invitation, &act, &act_id);
    let (tenant, is_new) = match created.await {
        Ok(()) => {
            let config_version = 1;
            (
                Tenant {
                    config_version,
                    ..tenant
                },
                true,
            )
        }
        Err(error) if error.is_conflict() => {
            let made = store
                .tenant(&scope)
                .await?
                .ok_or_else(|| slug_taken_problem(&input.slug))?;
            (made, false)
        }
        Err(error) => return Err(error.into()),
    };
    // Counted once nothing refuses it.
    let mailed = api.may_mail(&input.admin_email).await?;
    let invited = is_new || renew_invitation(&api, &who, &scope, &invitation, mailed).await?;
    if invited && mailed {
        let (email, language) = (&input.admin_email, input.language.as_ref());
        let mail = invitation_mail(&api, &who, &tenant, email, language, &link, &target);
        api.send_mails(vec![mail]).await?;
    }
    let Tagged { version, body } = tenant_with_etag(&tenant);
    Ok(Created {
        location: location(id),
        version,
        body,
    })
}

/// An invitation as administrator.
fn invitation(who: &Platform, email: &Email, language: Option<&Language>, link: &LinkToken) -> Invitation {
    Invitation {
        id: InvitationId::new(who.ulid()),
        email: email.clone(),
        name: None,
        // Its page is in the language of its mail.
        language: language.cloned().or_else(|| "en".parse().ok()),
        role: Role::Admin,
        invited_by: who.stamp().actor,
        created_at: who.now(),
        expires_at: who.now() + INVITATION_LIFETIME,
        token_sha256: link.sha256.clone(),
    }
}

/// Renews the invitation if the same request was interrupted before: perhaps nobody has its link, so it gets the link of
/// `wanted`, unless that link is not `mailed`. Returns true if the invitation is still open.
async fn renew_invitation(
    api: &Api,
    who: &Platform,
    scope: &TenantScope,
    wanted: &Invitation,
    mailed: bool,
) -> Result<bool, Problem> {
    let store = api.store();
    let renewed = RACES.until_won(async || {
        let Some(before) = store.invitation(scope, wanted.id, who.now()).await? else {
            return Ok(false);
        };
        let link = if mailed { wanted } else { &before.value };
        let after = Invitation {
            expires_at: wanted.expires_at,
            token_sha256: link.token_sha256.clone(),
            ..before.value.clone()
        };
        store.change(scope, &before, &after, &who.stamp()).await?;
        Ok(true)
    });
    renewed.await
}

fn new_tenant(id: TenantId, input: &PlatformTenantIn) -> Tenant {
    Tenant {
        slug: Some(input.slug.clone()),
        plan: input.plan.clone().map(String::from),
        limits: own_limits(input.limits),
        ..Tenant::new(id, input.name.clone().into(), input.time_zone.clone())
    }
}

fn slug_taken_problem(slug: &Slug) -> Problem {
    Problem::conflict("slug_taken", format!("The name {slug} is taken. Choose another."))
}

fn location(id: TenantId) -> String {
    format!("/api/v1/platform/tenants/{id}")
}

fn act(action: &str, tenant: TenantId, by: Stamp, detail: serde_json::Value) -> PlatformAct {
    PlatformAct {
        action: action.to_owned(),
        tenant: Some(tenant),
        by,
        detail,
    }
}

fn invitation_mail(
    api: &Api,
    who: &Platform,
    tenant: &Tenant,
    email: &Email,
    language: Option<&Language>,
    link: &LinkToken,
    target: &Target,
) -> MailJob {
    let mail = Mail::Invitation {
        link: api.links().with_token("accept-invitation", &link.token, target).into(),
        business: tenant.name.clone(),
        inviter: "Ringback".to_owned(),
        name: None,
        role: Some(Role::Admin),
    };
    of_tenant(who, tenant, email, language.map_or("en", Language::as_str), mail)
}

fn of_tenant(who: &Platform, tenant: &Tenant, email: &Email, language: &str, mail: Mail) -> MailJob {
    MailJob {
        tenant: Some(tenant.id),
        correlation_id: who.correlation_id().to_owned(),
        id: who.ulid().to_string(),
        to: email.as_str().to_owned(),
        language: language.to_owned(),
        mail,
    }
}

/// Notices to a tenant's administrators that somebody else is to become one, so that the platform cannot let anybody in secretly.
async fn notices(api: &Api, who: &Platform, tenant: &Tenant, invited: &Email) -> Result<Vec<MailJob>, Problem> {
    let admins = api.store().admin_accounts(&who.admin().scope(tenant.id)).await?;
    let notice = |admin: &Account| {
        let mail = Mail::PlatformInvited {
            business: tenant.name.clone(),
            invited: invited.as_str().to_owned(),
        };
        of_tenant(who, tenant, &admin.email, &admin.language, mail)
    };
    Ok(admins.iter().map(notice).collect())
}

async fn tenant_of(api: &Api, who: &Platform, id: TenantId) -> Result<Tenant, Problem> {
    require_found(api.store().tenant(&who.admin().scope(id))).await
}

fn tenant_with_etag(tenant: &Tenant) -> Tagged<PlatformTenantOut> {
    Tagged {
        version: tenant.config_version,
        body: PlatformTenantOut::from(tenant),
    }
}

async fn get_platform_tenant(
    who: Platform,
    State(api): State<Api>,
    Path(id): Path<TenantId>,
) -> Result<Tagged<PlatformTenantOut>, Problem> {
    Ok(tenant_with_etag(&tenant_of(&api, &who, id).await?))
}

/// Words for the platform's log about a change of a tenant.
struct Words {
    action: &'static str,
    detail: serde_json::Value,
}

/// The tenant, with the version of its configuration.
async fn find_tenant(api: &Api, who: &Platform, id: TenantId) -> Result<Option<Versioned<Tenant>>, StoreError> {
    let tenant = api.store().tenant(&who.admin().scope(id)).await?;
    Ok(tenant.map(|value| Versioned {
        version: value.config_version,
        value,
    }))
}

/// Writes a changed tenant and records the action in the platform's log.
async fn write(
    api: &Api,
    who: &Platform,
    act_id: &str,
    before: &Tenant,
    after: Tenant,
    Words { action, detail }: Words,
) -> Result<Versioned<Tenant>, Setback> {
    let act = act(action, before.id, who.stamp(), detail);
    let scope = who.admin().scope(before.id);
    let written = api
        .store()
        .change_tenant_for_platform(&scope, before, &after, &act, act_id);
    written.await?;
    let version = before.config_version + 1;
    let config_version = version;
    Ok(Versioned {
        version,
        value: Tenant {
            config_version,
            ..after
        },
    })
}

/// Changes a tenant. `decide` returns the tenant after the change, `words` what the log says of it.
async fn change(
    api: &Api,
    who: &Platform,
    id: TenantId,
    if_match: &IfMatch,
    decide: impl Fn(&Tenant) -> Result<Tenant, Problem>,
    words: impl Fn(&Tenant) -> Words,
) -> Result<Tagged<PlatformTenantOut>, Problem> {
    let act_id = who.ulid().to_string();
    let (act_id, words) = (&act_id, &words);
    let write = async |before: Versioned<Tenant>, after: Tenant| {
        let said = words(&before.value);
        write(api, who, act_id, &before.value, after, said).await
    };
    let changed = RACES
        .change(if_match, || find_tenant(api, who, id), decide, write)
        .await?;
    Ok(tenant_with_etag(&changed.value))
}

async fn update_platform_tenant(
    who: Platform,
    State(api): State<Api>,
    Path(id): Path<TenantId>,
    if_match: IfMatch,
    patch: Patch<PlatformTenantPatch>,
) -> Result<Tagged<PlatformTenantOut>, Problem> {
    let act_id = who.ulid().to_string();
    let (api, who, act_id) = (&api, &who, &act_id);
    let save = async |before: Versioned<Tenant>, after: Tenant| {
        let [was, is] = [&before.value, &after].map(PlatformTenantPatch::of);
        let said = Words {
            action: "tenant_changed",
            detail: json!({"before": was, "after": is}),
        };
        write(api, who, act_id, &before.value, after, said).await
    };
    let read = || find_tenant(api, who, id);
    let changed = patch.change(&if_match, read, |_, _| Ok(()), save).await?;
    Ok(tenant_with_etag(&changed.value))
}

async fn suspend_platform_tenant(
    who: Platform,
    State(api): State<Api>,
    Path(id): Path<TenantId>,
    Body(input): Body<SuspendIn>,
) -> Result<Tagged<PlatformTenantOut>, Problem> {
    let decide = |before: &Tenant| match before.status {
        TenantStatus::Leaving => Err(leaving()),
        TenantStatus::Suspended | TenantStatus::Active => Ok(Tenant {
            status: TenantStatus::Suspended,
            ..before.clone()
        }),
    };
    let words = |_: &Tenant| Words {
        action: "tenant_suspended",
        detail: json!({"reason": input.reason}),
    };
    change(&api, &who, id, &IfMatch::ANY, decide, words).await
}

fn leaving() -> Problem {
    Problem::conflict("tenant_leaving", "The tenant is being deleted. Resume it to keep it.")
}

async fn resume_platform_tenant(
    who: Platform,
    State(api): State<Api>,
    Path(id): Path<TenantId>,
) -> Result<Tagged<PlatformTenantOut>, Problem> {
    let decide = |before: &Tenant| {
        // Its data may be half gone already.
        if before.status == TenantStatus::Leaving && before.leaves_at.is_some_and(|at| at <= who.now()) {
            return Err(Problem::conflict(
                "tenant_gone",
                "The grace period is over and the tenant's data is being deleted. Create a new tenant instead.",
            ));
        }
        Ok(Tenant {
            status: TenantStatus::Active,
            leaves_at: None,
            ..before.clone()
        })
    };
    let words = |before: &Tenant| Words {
        action: match before.status {
            TenantStatus::Leaving => "tenant_deletion_cancelled",
            TenantStatus::Suspended | TenantStatus::Active => "tenant_resumed",
        },
        detail: json!({}),
    };
    change(&api, &who, id, &IfMatch::ANY, decide, words).await
}

async fn invite_platform_admin(
    who: Platform,
    State(api): State<Api>,
    Extension(target): Extension<Target>,
    Path(id): Path<TenantId>,
    Body(input): Body<InviteAdminIn>,
) -> Result<NoContent, Problem> {
    let tenant = tenant_of(&api, &who, id).await?;
    let mut mails = notices(&api, &who, &tenant, &input.email).await?;
    let link = api.link_token()?;
    let invitation = invitation(&who, &input.email, input.language.as_ref(), &link);
    let act = act("admin_invited", id, who.stamp(), json!({"invitation": invitation.id}));
    let act_id = who.ulid().to_string();
    let scope = who.admin().scope(id);
    let store = api.store();
    let made = store.invite_for_platform(&scope, &invitation, &act, &act_id);
    let is_new = match made.await {
        Ok(()) => true,
        Err(error) if error.is_conflict() => false,
        Err(error) => return Err(error.into()),
    };
    let mailed = api.may_mail(&input.email).await?;
    if is_new || renew_invitation(&api, &who, &scope, &invitation, mailed).await? {
        if mailed {
            let (email, language) = (&input.email, input.language.as_ref());
            mails.push(invitation_mail(&api, &who, &tenant, email, language, &link, &target));
        }
        api.send_mails(mails).await?;
    }
    Ok(NoContent)
}

async fn release_whatsapp_number(
    who: Platform,
    State(api): State<Api>,
    Body(input): Body<ReleaseIn>,
) -> Result<Json<ReleasedOut>, Problem> {
    let store = api.store();
    let number = (input.waba_id.as_str(), input.phone_number_id.as_str());
    let held = store.whatsapp_holder(number.0, number.1);
    let WhatsAppOwner { tenant, connection } = require_found(held).await?;
    let message = format!(
        "The operator of Ringback released the number: {}. Test the connection to claim it again.",
        input.reason.as_str()
    );
    let checkup = Checkup::new(CheckResult::Failed, message, who.now());
    let detail = json!({
        "waba_id": input.waba_id, "phone_number_id": input.phone_number_id, "connection": connection, "reason": input.reason,
    });
    let act = act("number_released", tenant, who.stamp(), detail);
    let act_id = who.ulid().to_string();
    let scope = who.admin().scope(tenant);
    let released = RACES.until_won(async || {
        let released = store.release_whatsapp_number(&scope, number, connection, &checkup, &act, &act_id);
        Ok(released.await?)
    });
    if released.await? {
        Ok(Json(ReleasedOut { tenant, connection }))
    } else {
        Err(Problem::not_found())
    }
}

/// The links of a message that have the code of a reported one, and that one's page.
async fn find_reported_links(
    api: &Api,
    who: &Platform,
    link: &str,
) -> Result<(LinkCode, TrackedLinks, String), Problem> {
    let end = TrackedEnd::of_link(link).map_err(|_| {
        let detail = "Expected a tracked link, such as https://api.example.com/l/0123456789abcdef0.";
        Problem::field("link", Fault::new(FaultCode::Invalid, detail))
    })?;
    let mut links = require_found(api.store().tracked_links_before_scope(&end.code, who.now())).await?;
    if end.place >= links.targets.len() {
        return Err(Problem::not_found());
    }
    let page = links.targets.swap_remove(end.place);
    Ok((end.code, links, page))
}

async fn find_tracked_link(
    who: Platform,
    State(api): State<Api>,
    Body(input): Body<ReportedLinkIn>,
) -> Result<Json<ReportedLinkOut>, Problem> {
    let (_, links, page) = find_reported_links(&api, &who, input.link.as_str()).await?;
    Ok(Json(ReportedLinkOut {
        tenant: links.tenant,
        message: links.message,
        page,
        created_at: links.created_at,
    }))
}

async fn turn_off_tracked_links(
    who: Platform,
    State(api): State<Api>,
    Body(input): Body<TurnOffLinkIn>,
) -> Result<NoContent, Problem> {
    let (code, links, page) = find_reported_links(&api, &who, input.link.as_str()).await?;
    // The whole page may say something about the person to whom the link was sent, and goes with them.
    let host = Url::parse(&page).ok().and_then(|url| url.host_str().map(str::to_owned));
    let detail = json!({"host": host, "reason": input.reason});
    let act = act("links_turned_off", links.tenant, who.stamp(), detail);
    let act_id = who.ulid().to_string();
    api.store().remove_tracked_links(&code, &act, &act_id).await?;
    Ok(NoContent)
}

async fn delete_platform_tenant(
    who: Platform,
    State(api): State<Api>,
    Extension(Grace(grace)): Extension<Grace>,
    Path(id): Path<TenantId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    let at = who.now() + grace;
    let decide = |before: &Tenant| {
        let leaves_at = if before.status == TenantStatus::Leaving {
            before.leaves_at
        } else {
            Some(at)
        };
        Ok(Tenant {
            status: TenantStatus::Leaving,
            leaves_at,
            ..before.clone()
        })
    };
    let words = |_: &Tenant| Words {
        action: "tenant_leaving",
        detail: json!({"leaves_at": at}),
    };
    change(&api, &who, id, &if_match, decide, words).await?;
    Ok(NoContent)
}

async fn get_platform_tenant_usage(
    who: Platform,
    State(api): State<Api>,
    Path(id): Path<TenantId>,
    Query(query): Query<UsageQuery>,
) -> Result<Json<UsageOut>, Problem> {
    tenant_of(&api, &who, id).await?;
    let today = who.now().to_zoned(TimeZone::UTC).date();
    let to = query.to.unwrap_or(today);
    let from = query.from.unwrap_or_else(|| to.saturating_sub(7.days()));
    let length = from.until(to).map_err(|_| days_refused())?.get_days();
    if !(0..MAX_DAYS).contains(&length) {
        return Err(days_refused());
    }
    let days: Vec<_> = from.series(1.day()).take_while(|day| *day <= to).collect();
    let mut counted = api.store().counters_of(&who.admin().scope(id), days.clone()).await?;
    let days = days.into_iter().map(|day| DayUsageOut {
        day,
        counts: counted.remove(&day).unwrap_or_default(),
    });
    Ok(Json(UsageOut { days: days.collect() }))
}

async fn get_platform_prices(_who: Platform, State(api): State<Api>) -> Result<Tagged<PlatformPricesOut>, Problem> {
    let given = api.store().prices().await?;
    Ok(given.map_or_else(PlatformPricesOut::shipped_prices, PlatformPricesOut::given_prices))
}

/// An entry of the platform's log about prices.
fn act_on_prices(action: &str, who: &Platform, book: &PriceBook) -> PlatformAct {
    PlatformAct {
        action: action.to_owned(),
        tenant: None,
        by: who.stamp(),
        detail: json!({"version": book.version, "lists": book.lists.iter().count()}),
    }
}

async fn replace_platform_prices(
    who: Platform,
    State(api): State<Api>,
    if_match: IfMatch,
    Body(book): Body<PriceBook>,
) -> Result<Tagged<PlatformPricesOut>, Problem> {
    let problems = book.problems();
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let act = act_on_prices("prices_replaced", &who, &book);
    let (store, act_id) = (api.store(), who.ulid().to_string());
    let replaced = RACES.until_won(async || {
        let before = store.prices().await?;
        let version = before.as_ref().map(|before| before.version);
        if_match.check(version.unwrap_or_default())?;
        match before {
            Some(before) if before.value == book => Ok(before.version),
            _ => Ok(store.replace_prices(version, &book, &act, &act_id).await?),
        }
    });
    let version = replaced.await?;
    Ok(PlatformPricesOut::given_prices(Versioned { version, value: book }))
}

async fn restore_platform_prices(
    who: Platform,
    State(api): State<Api>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    let (store, act_id) = (api.store(), who.ulid().to_string());
    let restored = RACES.until_won(async || {
        let before = store.prices().await?;
        if_match.check(before.as_ref().map_or(0, |before| before.version))?;
        if let Some(before) = before {
            let act = act_on_prices("prices_restored", &who, &before.value);
            store.remove_prices(before.version, &act, &act_id).await?;
        }
        Ok(())
    });
    restored.await?;
    Ok(NoContent)
}

fn days_refused() -> Problem {
    let detail = format!("The first day must not be after `to`, nor more than {MAX_DAYS} days before it.");
    Problem::field("from", Fault::out_of_range(0_i64, i64::from(MAX_DAYS), detail))
}

/// True if the text is a position in the platform's log of this month.
fn is_position(text: &str, month: Date) -> bool {
    let at = text.split_once('#').and_then(|(at, _)| at.parse::<Timestamp>().ok());
    let day = at.map(|at| at.to_zoned(TimeZone::UTC).date());
    day.is_some_and(|day| (day.year(), day.month()) == (month.year(), month.month()))
}

async fn list_platform_log(
    who: Platform,
    State(api): State<Api>,
    Query(query): Query<LogQuery>,
    paging: Paging,
) -> Result<Listed<PlatformActOut>, Problem> {
    let month = query.month.unwrap_or_else(|| who.now().to_zoned(TimeZone::UTC).date());
    if paging.after().is_some_and(|after| !is_position(after, month)) {
        return Err(of_another_list());
    }
    let store = api.store();
    let page = store.platform_acts(month, paging.after(), paging.limit()).await?;
    Ok(Listed::of(page, PlatformActOut::from))
}
