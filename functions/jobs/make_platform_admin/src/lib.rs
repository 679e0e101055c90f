//! Makes a person a platform administrator, or revokes that right. Invoked by an operator with AWS credentials, which is
//! the only way; no password exists that anybody but the person chose.
//!
//! Safe to run twice: an account is created once, the right is granted and revoked once, with its row in the platform's
//! log, and only mails are repeated. A grant is announced before it is written, so that a crash in between announces it
//! twice rather than never; a revocation waits for no mail.

use access::{password, token};
use domain::accounts::SecurityEventKind::{self, PlatformRightGiven, PlatformRightTaken};
use domain::accounts::{Account, Grant, SecurityEvent};
use domain::terms::{Actor, Email, Stamp, UserId, check_line};
use jiff::SignedDuration;
use jobs::{Mail, MailJob};
use kit::{ConfigError, Env, JobError, Links, Mails};
use serde::{Deserialize, Serialize};
use store::Store;
use store::accounts::Whose;
use store::tenants::PlatformAct;

/// State of the function, created once per process.
pub struct Context {
    env: Env,
    store: Store,
    mails: Mails,
    links: Links,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: env.store()?,
            mails: Mails::new(env)?,
            links: Links::new(env)?,
            env: env.clone(),
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The person's e-mail address.
    pub email: Email,
    /// Display name for a new account.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether to revoke the right.
    #[serde(default)]
    pub remove: bool,
}

/// The response to the operator.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    pub user: UserId,
    /// Whether the account was created now.
    pub account_created: bool,
    /// Whether a mail with a link to choose a password is sent, because the person has none yet.
    pub mailed: bool,
    /// Whether the person had the right and it was revoked.
    pub removed: bool,
    /// Whether a mail announces the grant or the revocation.
    pub told: bool,
    /// Whether the person must still switch on a second factor before using the right.
    pub second_factor_missing: bool,
}

/// Lifetime of the link to choose a password.
const LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

kit::function!(serve_invoke, Context::new, handle);

/// Creates the account if there is none, and grants it the right; or revokes the right.
///
/// # Errors
/// When the request is not allowed, or the table or the queue does not answer.
pub async fn handle(request: Request, ctx: &Context) -> Result<Answer, JobError> {
    let name = request.name.as_deref();
    if let Some(Err(wrong)) = name.map(check_line) {
        return Err(JobError::new(format!("the name {wrong}")));
    }
    let act = Act::new(ctx);
    if request.remove {
        remove(&request.email, &act, ctx).await
    } else {
        give(&request, &act, ctx).await
    }
}

/// This invocation as an author in logs.
struct Act {
    stamp: Stamp,
    id: String,
}

impl Act {
    fn new(ctx: &Context) -> Self {
        Self {
            stamp: Stamp {
                actor: Actor::Operator,
                at: ctx.env.clock().now(),
                correlation_id: ctx.env.ids().ulid().to_string().to_ascii_lowercase(),
            },
            id: ctx.env.ids().ulid().to_string(),
        }
    }

    fn of(&self, action: &str, user: UserId) -> PlatformAct {
        PlatformAct {
            action: action.to_owned(),
            tenant: None,
            by: self.stamp.clone(),
            detail: serde_json::json!({"user": user}),
        }
    }
}

async fn give(request: &Request, act: &Act, ctx: &Context) -> Result<Answer, JobError> {
    let email_sha256 = token::sha256_hex(request.email.as_str());
    let known = find_account(&email_sha256, ctx).await?;
    if let Some(account) = &known
        && account.second_factor.is_none()
        && !account.awaits_password
        && !ctx.store.is_platform_admin(account.id).await?
    {
        // With a password alone, somebody else who knows it could switch on a second factor and use the right.
        let detail = "they have no second factor: they must switch one on first, then invoke again";
        return Err(JobError::new(detail));
    }
    let account_created = known.is_none();
    // Before anything is written: without a link, the person could never log in.
    let link = if known.as_ref().is_none_or(|account| account.awaits_password) {
        Some(Link::new(ctx)?)
    } else {
        None
    };
    let account = match known {
        Some(account) => account,
        None => create(request, &email_sha256, ctx).await?,
    };
    let user = account.id;
    let told = !ctx.store.is_platform_admin(user).await?;
    if told {
        let notice = mail(act, &account, Mail::PlatformRight { given: true }, ctx);
        ctx.mails.send(vec![notice]).await?;
        let given = act.of("platform_admin_made", user);
        ctx.store
            .give_platform_right(user, &account.email, &given, &act.id)
            .await?;
        note(act, user, PlatformRightGiven, ctx).await;
    }
    let mailed = link.is_some();
    if let Some(Link { url, sha256 }) = link {
        let grant = Grant::reset(&account);
        ctx.store
            .put_grant(&grant, &sha256, act.stamp.at, LINK_LIFETIME)
            .await?;
        let choose = mail(act, &account, Mail::ResetPassword { link: url.into() }, ctx);
        ctx.mails.send(vec![choose]).await?;
    }
    Ok(Answer {
        user,
        account_created,
        mailed,
        removed: false,
        told,
        second_factor_missing: account.second_factor.is_none(),
    })
}

/// Revokes the right: the person's next request is refused. Sessions continue, and memberships of tenants stay.
async fn remove(email: &Email, act: &Act, ctx: &Context) -> Result<Answer, JobError> {
    let known = find_account(&token::sha256_hex(email.as_str()), ctx).await?;
    let account = known.ok_or_else(|| JobError::new("nobody has an account with this address"))?;
    let user = account.id;
    let taken = act.of("platform_admin_removed", user);
    let removed = ctx.store.take_platform_right(user, &taken, &act.id).await?;
    let mut told = false;
    if removed {
        note(act, user, PlatformRightTaken, ctx).await;
        let notice = mail(act, &account, Mail::PlatformRight { given: false }, ctx);
        match ctx.mails.send(vec![notice]).await {
            Ok(()) => told = true,
            Err(error) => tracing::error!(
                error = kit::chain(&error),
                "the person who lost the right was not notified by mail"
            ),
        }
    }
    Ok(Answer {
        user,
        account_created: false,
        mailed: false,
        removed,
        told,
        second_factor_missing: account.second_factor.is_none(),
    })
}

fn mail(act: &Act, account: &Account, mail: Mail, ctx: &Context) -> MailJob {
    MailJob {
        tenant: None,
        correlation_id: act.stamp.correlation_id.clone(),
        id: ctx.env.ids().ulid().to_string(),
        to: account.email.as_str().to_owned(),
        language: account.language.clone(),
        mail,
    }
}

/// Records it in the person's own trail. A failure to record it does not undo the change.
async fn note(act: &Act, user: UserId, what: SecurityEventKind, ctx: &Context) {
    let event = SecurityEvent {
        what,
        at: act.stamp.at,
        address: None,
        device: None,
        session: None,
    };
    let noted = ctx
        .store
        .note_security_event(Whose::Person(user), &event, ctx.env.ids().ulid());
    if let Err(error) = noted.await {
        tracing::warn!(
            error = kit::chain(&error),
            what = what.as_str(),
            "a security event is not recorded"
        );
    }
}

async fn find_account(email_sha256: &str, ctx: &Context) -> Result<Option<Account>, JobError> {
    let Some(user) = ctx.store.user_of_email(email_sha256).await? else {
        return Ok(None);
    };
    let account = ctx.store.account(user).await?;
    let account = account.ok_or_else(|| JobError::new("the address leads to no account"))?;
    Ok(Some(account.value))
}

/// A link to choose a password, with the stored grant.
struct Link {
    url: String,
    sha256: String,
}

impl Link {
    fn new(ctx: &Context) -> Result<Self, JobError> {
        let link_token = token::link_token(secret(ctx)?);
        let url = ctx.links.with_token_configured("reset-password", &link_token);
        let url = url.ok_or_else(|| JobError::new("set PublicBaseUrl or AppUrl first: the mail's link needs it"))?;
        let sha256 = token::sha256_hex(&link_token);
        Ok(Self { url, sha256 })
    }
}

fn secret(ctx: &Context) -> Result<[u8; 32], JobError> {
    ctx.env.ids().secret().map_err(|error| JobError::new(error.to_string()))
}

/// An account with a password that nobody knows. The mail lets the person choose one.
async fn create(request: &Request, email_sha256: &str, ctx: &Context) -> Result<Account, JobError> {
    let unknown = token::link_token(secret(ctx)?);
    let hash = password::hash(&unknown, &secret(ctx)?[..16]).map_err(|error| JobError::new(error.to_string()))?;
    let local = request.email.as_str().split('@').next().unwrap_or_default();
    let name = request.name.clone().unwrap_or_else(|| local.to_owned());
    let (id, now) = (UserId::new(ctx.env.ids().ulid()), ctx.env.clock().now());
    let mut account = Account::new(id, request.email.clone(), name, "en".to_owned(), hash, now);
    account.awaits_password = true;
    ctx.store.create_account(&account, email_sha256).await?;
    Ok(account)
}
