//! Makes somebody an administrator of the platform. Invoked by an operator with AWS credentials; nothing else can, and no
//! password exists that anybody but the person chose.
//!
//! Safe to run twice: an account is made once, the right is written over itself, and only the mail comes again, until
//! its reader has chosen a password.

use access::{password, token};
use domain::{
    account::{Account, Email, Grant},
    actor::{Actor, Stamp},
    ids::UserId,
};
use jiff::SignedDuration;
use jobs::{Mail, MailJob};
use kit::{ConfigError, Entry, Env, JobError, Links, Queue, QueueName};
use serde::{Deserialize, Serialize};
use store::{Store, platform::PlatformAct};

/// What the function works with, made once per process.
pub struct Context {
    env: Env,
    store: Store,
    mails: Queue,
    links: Links,
}

impl Context {
    /// From the function's environment.
    ///
    /// # Errors
    /// When a variable is missing or wrong.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(env.dynamodb(), env.config().text("TABLE_NAME")?),
            mails: Queue::new(env, QueueName::Mails)?,
            links: Links::new(env)?,
            env: env.clone(),
        })
    }
}

/// What the operator sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Who shall administer the platform.
    pub email: Email,
    /// Their name, where they have no account yet.
    #[serde(default)]
    pub name: Option<String>,
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
}

/// The link to choose a password works this long.
const LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// Makes the account where there is none, and gives it the right.
///
/// # Errors
/// When the request is no such request, or the table or the queue does not answer.
pub async fn handle(request: Request, ctx: &Context) -> Result<Answer, JobError> {
    let now = ctx.env.clock().now();
    let correlation_id = ctx.env.ids().ulid().to_string().to_ascii_lowercase();
    let stamp = Stamp {
        actor: Actor::Operator,
        at: now,
        correlation_id: correlation_id.clone(),
    };
    let email_sha256 = token::sha256_hex(request.email.as_str());
    let known = known(&email_sha256, ctx).await?;
    let account_created = known.is_none();
    // Before anything is written: where no link can be made, nobody could ever log in.
    let link = if known.as_ref().is_none_or(never_chose_a_password) {
        Some(Link::new(ctx)?)
    } else {
        None
    };
    let account = match known {
        Some(account) => account,
        None => create(&request, &email_sha256, ctx).await?,
    };
    let user = account.id;
    ctx.store.make_platform_admin(user, &request.email, &stamp).await?;
    let act = PlatformAct {
        action: "platform_admin_made".to_owned(),
        tenant: None,
        by: stamp,
        detail: serde_json::json!({"user": user}),
    };
    let act_id = ctx.env.ids().ulid().to_string();
    ctx.store.log_platform_act(&act, &act_id).await?;
    let mailed = link.is_some();
    if let Some(Link { url, sha256 }) = link {
        let grant = Grant::reset(&account);
        ctx.store.put_grant(&grant, &sha256, now, LINK_LIFETIME).await?;
        let mail = MailJob {
            tenant: None,
            correlation_id,
            id: ctx.env.ids().ulid().to_string(),
            to: request.email.as_str().to_owned(),
            language: "en".to_owned(),
            mail: Mail::ResetPassword { link: url },
        };
        ctx.mails.send_all(vec![Entry::new(&mail)?]).await?;
    }
    Ok(Answer {
        user,
        account_created,
        mailed,
    })
}

async fn known(email_sha256: &str, ctx: &Context) -> Result<Option<Account>, JobError> {
    let Some(user) = ctx.store.user_of_email(email_sha256).await? else {
        return Ok(None);
    };
    let account = ctx.store.account(user).await?;
    let account = account.ok_or_else(|| JobError::new("the address leads to no account"))?;
    Ok(Some(account.value))
}

/// Whether the account was made here and waits for its password: choosing one ends the sessions before it. Who signed
/// up or was invited chose theirs then, and belongs to a tenant.
fn never_chose_a_password(account: &Account) -> bool {
    account.tenants.is_empty() && account.sessions_from == account.created_at
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
    let now = ctx.env.clock().now();
    let local = request.email.as_str().split('@').next().unwrap_or_default();
    let account = Account {
        id: UserId::new(ctx.env.ids().ulid()),
        email: request.email.clone(),
        name: request.name.clone().unwrap_or_else(|| local.to_owned()),
        language: "en".to_owned(),
        password: hash,
        second_factor: None,
        pending_factor: None,
        tenants: Vec::new(),
        sessions_from: now,
        created_at: now,
    };
    ctx.store.create_account(&account, email_sha256).await?;
    Ok(account)
}
