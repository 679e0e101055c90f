//! Makes somebody an administrator of the platform, or takes the right from them. Invoked by an operator with AWS credentials;
//! nothing else can, and no password exists that anybody but the person chose.
//!
//! Safe to run twice: an account is made once, the right is given and taken once, with its row in the platform's log, and only
//! mails come again. Whom the right is given is told before it is, so that a crash in between tells them twice rather than never;
//! taking it waits for no mail.

use access::{password, token};
use domain::{
    account::{Account, Email, Grant},
    actor::{Actor, Stamp},
    ids::UserId,
    security::{
        SecurityEvent,
        SecurityEventKind::{self, PlatformRightGiven, PlatformRightTaken},
    },
    text::check_line,
};
use jiff::SignedDuration;
use jobs::{Mail, MailJob};
use kit::{ConfigError, Env, JobError, Links, Mails};
use serde::{Deserialize, Serialize};
use store::{Store, platform::PlatformAct, security::Whose};

/// State of the function, created once per process.
pub struct Context {
    env: Env,
    store: Store,
    mails: Mails,
    links: Links,
}

impl Context {
    /// Creates the state from the function's environment.
    ///
    /// # Errors
    /// When a variable is missing or wrong.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(env.dynamodb(), env.config().text("TABLE_NAME")?),
            mails: Mails::new(env)?,
            links: Links::new(env)?,
            env: env.clone(),
        })
    }
}

/// What the operator sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Who shall administer the platform, or no longer.
    pub email: Email,
    /// Their name, where they have no account yet.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether the right is taken from them.
    #[serde(default)]
    pub remove: bool,
}

/// What the operator is told.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The person.
    pub user: UserId,
    /// Whether their account was made now.
    pub account_created: bool,
    /// Whether a mail lets them choose a password: they never have.
    pub mailed: bool,
    /// Whether they had the right and it was taken from them.
    pub removed: bool,
    /// Whether a mail tells them that the right was given or taken.
    pub told: bool,
    /// Whether they must still switch a second factor on before they can use the right.
    pub second_factor_missing: bool,
}

/// The link to choose a password works this long.
const LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// Makes the account where there is none, and gives it the right; or takes the right.
///
/// # Errors
/// When the request is no such request, or the table or the queue does not answer.
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

/// This invocation, as it stands in logs.
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
    let known = known(&email_sha256, ctx).await?;
    if let Some(account) = &known
        && account.second_factor.is_none()
        && !account.awaits_password
        && !ctx.store.is_platform_admin(account.id).await?
    {
        // A password that somebody else may know would be enough to switch a factor of theirs on, and use the right.
        let detail = "they have no second factor: they must switch one on first, then invoke again";
        return Err(JobError::new(detail));
    }
    let account_created = known.is_none();
    // Before anything is written: where no link can be made, nobody could ever log in.
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

/// Takes the right: their next request is refused. Sessions go on, and what they are to tenants stays.
async fn remove(email: &Email, act: &Act, ctx: &Context) -> Result<Answer, JobError> {
    let known = known(&token::sha256_hex(email.as_str()), ctx).await?;
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
            Err(error) => tracing::error!(error = kit::chain(&error), "who lost the right is not told by mail"),
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

/// Notes it in the person's own trail. It is done even if it cannot be noted.
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

async fn known(email_sha256: &str, ctx: &Context) -> Result<Option<Account>, JobError> {
    let Some(user) = ctx.store.user_of_email(email_sha256).await? else {
        return Ok(None);
    };
    let account = ctx.store.account(user).await?;
    let account = account.ok_or_else(|| JobError::new("the address leads to no account"))?;
    Ok(Some(account.value))
}

/// A link to choose a password by, and what is kept of it.
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

/// An account whose password nobody knows: the mail lets the person choose one.
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
