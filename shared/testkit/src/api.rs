//! Two tenants with users and keys, and clients that call a function of the API as them.

use std::future::IntoFuture;
use std::pin::Pin;

use access::link;
use access::token::{self, Claims, PublicKey};
use aws_sdk_dynamodb::types::AttributeValue;
use axum::Router;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::accounts::{
    Account, ApiKey, Invitation, KeySecret, Member, PasswordHash, Permission, Role, SealedFactor, SecondFactor, SignUp,
};
use domain::tenants::{Connection, Rule, Tenant};
use domain::terms::{
    Actor, ApiKeyId, ConnectionId, Email, InvitationId, Resource, RuleId, SessionId, Slug, Stamp, TenantId, UserId,
};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kit::{ConfigError, Env};
use serde_json::{Value, json};
use store::tenants::PlatformAct;
use store::{Owned, TenantScope, Versioned};

use crate::{Answer, Aws, Call, Function, Lossy, seed};

/// The password of all users of a [`Town`].
pub const PASSWORD: &str = "seaside bakery opens early";

const PASSWORD_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$BwcHBwcHBwcHBwcHBwcHBw$DJOnqgJU5aEpco/Nd/Q0C3ZZp7NrIa4WrxhzuJlzFFY";

/// The id of the key that signs a town's tokens.
const KID: &str = "testkit";

/// A P-256 key pair for tests only: PKCS#8, base64.
const PRIVATE_KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgj5PmA/gY/n7iGfRBDC4w6R/DrJmeXTG13ju2mrL3gyehRANCAAQrjDg50ocvz45d86bj0Z8o3RxFUlq6N7Eh/77jWcOnxkLo9DtRgZkrCZKEq48c8Ae7Gt9bGT600rdFFBfl3msg";

/// Its public point.
const PUBLIC_KEY: [&str; 2] = [
    "K4w4OdKHL8-OXfOm49GfKN0cRVJaujexIf--41nDp8Y",
    "Quj0O1GBmSsJkoSrjxzwB7sa31sZPrTSt0UUF-XeayA",
];

/// Variables that any function of the API needs in addition to the usual ones. No provider answers.
pub async fn env_of_all(aws: &Aws) -> Env {
    let secret = format!("auth-{}", aws.ids().ulid());
    let made = aws.env().secrets_manager().create_secret().name(&secret);
    let made = made.secret_string(r#"{"signing_keys": [], "sealing_key": "of a test"}"#);
    made.send().await.expect("the secret is made");
    let nobody = "http://127.0.0.1:1";
    aws.env_with(&[
        ("AUTH_SECRET_ID", &secret),
        ("SIGN_UP", "open"),
        ("APP_URL", "https://app.example"),
        ("PUBLIC_BASE_URL", "https://api.example.com"),
        ("GRAPH_API_URL", nobody),
        ("GRAPH_API_VERSION", "v25.0"),
        ("TWILIO_API_URL", nobody),
        ("TWILIO_CONTENT_URL", nobody),
        ("AIRCALL_API_URL", nobody),
        ("VONAGE_API_URL", nobody),
        ("EXOTEL_API_URL", nobody),
        ("EXOTEL_INDIA_API_URL", nobody),
        ("PLIVO_API_URL", nobody),
        ("WEBHOOK_HOSTS", "https://n8n.example.com"),
        ("PROVIDER_TIMEOUT", "1"),
        ("TENANT_GRACE_SECONDS", "3600"),
    ])
}

/// A user who can log in.
#[derive(Debug, Clone)]
pub struct Citizen {
    pub user: UserId,
    /// The address. The password is [`PASSWORD`].
    pub email: Email,
    /// The session in tokens, without a row.
    pub session: SessionId,
}

/// A tenant of a [`Town`].
pub struct House {
    pub tenant: TenantId,
    /// Its name in URLs.
    pub slug: Slug,
    /// Its users, by role.
    pub people: Vec<(Role, Citizen)>,
    /// Its API key with the role admin.
    pub key: ApiKeyId,
    pub key_secret: String,
    scope: TenantScope,
}

impl House {
    /// The scope of its data.
    pub const fn scope(&self) -> &TenantScope {
        &self.scope
    }

    /// Its user of this role.
    pub fn person(&self, role: Role) -> &Citizen {
        let found = self.people.iter().find(|(known, _)| *known == role);
        &found.expect("there is one of each role").1
    }

    /// Creates something of the tenant's with these fields, whichever function does it otherwise.
    pub async fn create_owned<T: Owned + Resource>(&self, aws: &Aws, fields: Value) -> T {
        aws.create_owned(&self.scope, fields).await
    }

    /// Deletes something of the tenant's, whichever function does it otherwise.
    pub async fn remove<T: Owned>(&self, aws: &Aws, id: &str) {
        let store = aws.store();
        let found = store.get::<T>(&self.scope, &id).await.expect("the table answers");
        let found = found.expect("it exists");
        let removed = store.remove(&self.scope, &found, &aws.stamp()).await;
        removed.expect("it is deleted");
    }
}

/// Two tenants in a test's table, a platform administrator, and a function of the API that they call.
pub struct Town<'a> {
    aws: &'a Aws,
    function: Function,
    /// The tenant of callers by default.
    pub home: House,
    /// Another tenant with other users.
    pub away: House,
    /// The platform administrator, who belongs to no tenant.
    pub platform: Citizen,
}

impl<'a> Town<'a> {
    /// In this test's table, with a function with these routes.
    pub async fn new(aws: &'a Aws, routes: impl FnOnce(&Env) -> Result<Router, ConfigError>) -> Self {
        Self::with_env(aws, aws.env(), routes).await
    }

    /// A town as [`Town::new`] builds it, with another environment for the function, such as from [`Aws::env_with`].
    pub async fn with_env(aws: &'a Aws, env: &Env, routes: impl FnOnce(&Env) -> Result<Router, ConfigError>) -> Self {
        publish_key(aws).await;
        let home = house(aws, "harbour-lane").await;
        let away = house(aws, "mill-street").await;
        Self {
            function: Function::new(env, routes),
            home,
            away,
            platform: platform_admin(aws).await,
            aws,
        }
    }

    pub const fn aws(&self) -> &'a Aws {
        self.aws
    }

    /// The function itself, for other kinds of calls.
    pub const fn function(&self) -> &Function {
        &self.function
    }

    /// The home tenant's admin.
    pub fn admin(&self) -> Caller<'_> {
        self.role(Role::Admin)
    }

    /// The home tenant's manager.
    pub fn manager(&self) -> Caller<'_> {
        self.role(Role::Manager)
    }

    /// The home tenant's agent.
    pub fn agent(&self) -> Caller<'_> {
        self.role(Role::Agent)
    }

    /// The home tenant's viewer.
    pub fn viewer(&self) -> Caller<'_> {
        self.role(Role::Viewer)
    }

    /// The home tenant's user of this role.
    pub fn role(&self, role: Role) -> Caller<'_> {
        self.of(&self.home, role)
    }

    /// The other tenant's admin.
    pub fn foreign_admin(&self) -> Caller<'_> {
        self.of(&self.away, Role::Admin)
    }

    /// A tenant's user of this role.
    pub fn of(&self, house: &House, role: Role) -> Caller<'_> {
        self.person(house.person(role), Some(house.tenant))
    }

    /// This user, with a new access token for this tenant.
    pub fn person(&self, citizen: &Citizen, tenant: Option<TenantId>) -> Caller<'_> {
        let claims = Claims::new(citizen.user, citizen.session, tenant, self.aws.now());
        self.bearer(&sign(&claims))
    }

    /// The platform administrator, with a second factor.
    pub fn platform(&self) -> Caller<'_> {
        self.person_by_two_factors(&self.platform, None)
    }

    /// This user, with a new access token of a session that began with a second factor.
    pub fn person_by_two_factors(&self, citizen: &Citizen, tenant: Option<TenantId>) -> Caller<'_> {
        let claims = Claims::new(citizen.user, citizen.session, tenant, self.aws.now());
        self.bearer(&sign(&claims.with_second_factor(true)))
    }

    /// The home tenant's software, with its API key of the role admin.
    pub fn key(&self) -> Caller<'_> {
        self.api_key(&self.home.key_secret)
    }

    pub fn bearer(&self, token: &str) -> Caller<'_> {
        self.anyone().with_header("authorization", &format!("Bearer {token}"))
    }

    pub fn api_key(&self, secret: &str) -> Caller<'_> {
        self.anyone().with_header("x-api-key", secret)
    }

    /// A caller without credentials.
    pub const fn anyone(&self) -> Caller<'_> {
        Caller {
            function: &self.function,
            headers: Vec::new(),
        }
    }

    /// A caller with this permission, as named in the API's document.
    pub fn who_may(&self, permission: &str) -> Caller<'_> {
        match permission {
            "public" => self.anyone(),
            "platform" => self.platform(),
            _ => self.admin(),
        }
    }

    /// Gives the home tenant a connection with this account, as it is stored.
    pub async fn connect(&self, account: Value) -> ConnectionId {
        let id = ConnectionId::new(self.aws.ids().ulid());
        let connection = json!({"id": id, "name": "Fixture", "verify": "", "account": account});
        let connection: Connection = serde_json::from_value(connection).expect("it is a connection");
        let (store, stamp) = (self.aws.store(), self.aws.stamp());
        let written = store.create(self.home.scope(), &connection, &stamp).await;
        written.expect("the table answers");
        id
    }

    /// Gives the home tenant a connection with an account of WhatsApp that nobody has credentials for.
    pub async fn connect_whatsapp(&self) -> ConnectionId {
        let (waba_id, phone_number_id) = (seed::WABA, seed::PHONE_NUMBER_ID);
        self.connect(json!({
            "kind": "whatsapp", "waba_id": waba_id, "phone_number_id": phone_number_id, "display_number": "+447700900999",
        }))
        .await
    }

    /// Sets the counter of the home tenant's rows of a kind to their maximum. There is one counter of them.
    pub async fn fill_counter(&self, kind: &str, most: u32) {
        let (client, table) = (self.aws.dynamodb(), self.aws.table());
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let own = self.home.tenant.to_string().replace("tnt_", "T#");
        let counter = text(&format!("COUNT#{kind}"));
        let counters = client.scan().table_name(table);
        let counters = counters.filter_expression("sk = :sk AND begins_with(pk, :own)");
        let counters = counters.expression_attribute_values(":sk", counter.clone());
        let counters = counters.expression_attribute_values(":own", text(&own)).send().await;
        let counters = counters.expect("the table answers");
        let [found] = counters.items() else {
            panic!("creating counts in one row: {counters:?}");
        };
        let full = client.update_item().table_name(table).key("sk", counter);
        let full = full.key("pk", found["pk"].clone());
        let full = full.update_expression("SET n = :most");
        let full = full.expression_attribute_values(":most", AttributeValue::N(most.to_string()));
        full.send().await.expect("the counter is written");
    }

    /// Creates a key of the home tenant with this role and these scopes; returns its secret.
    pub async fn new_key(&self, role: Role, scopes: &[Permission]) -> (ApiKeyId, String) {
        new_key(self.aws, &self.home.scope, role, scopes, None).await
    }

    /// Creates a key of the home tenant with this role that expires then; returns its secret.
    pub async fn new_key_until(&self, role: Role, ends: Timestamp) -> (ApiKeyId, String) {
        new_key(self.aws, &self.home.scope, role, &[], Some(ends)).await
    }

    /// A caller with a new API key of this role of another tenant in the table, such as one that is [`crate::Seeded`].
    pub async fn key_of(&self, scope: &TenantScope, role: Role) -> Caller<'_> {
        self.scoped_key_of(scope, role, &[]).await
    }

    /// A caller with a new API key of this role and these scopes, of another tenant in the table.
    pub async fn scoped_key_of(&self, scope: &TenantScope, role: Role, scopes: &[Permission]) -> Caller<'_> {
        let (_, secret) = new_key(self.aws, scope, role, scopes, None).await;
        self.api_key(&secret)
    }
}

/// A client of a function, with its credentials.
#[derive(Clone)]
pub struct Caller<'a> {
    function: &'a Function,
    headers: Vec<(String, String)>,
}

impl<'a> Caller<'a> {
    /// This caller with a header on every request.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// This caller, naming a tenant in every request.
    pub fn in_tenant(self, tenant: TenantId) -> Self {
        self.with_header("x-tenant-id", &tenant.to_string())
    }

    pub fn get(&self, path: &str) -> Asking<'a> {
        self.call(Call::get(path))
    }

    /// The pages of a list, from the first to the last.
    pub async fn pages(&self, path: &str) -> Vec<Answer> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let (mut pages, mut next) = (Vec::new(), String::new());
        for _page in 0..100 {
            let page = self.get(&format!("{path}{next}")).await;
            let cursor = page.is(200).json()["next_cursor"].as_str().map(str::to_owned);
            pages.push(page);
            match cursor {
                Some(cursor) => next = format!("{mark}cursor={cursor}"),
                None => return pages,
            }
        }
        panic!("the list does not end: {path}");
    }

    /// The items of a list, in pages of at most this many.
    ///
    /// # Panics
    /// As [`Caller::pages`], and when a page has more.
    pub async fn all(&self, path: &str, limit: usize) -> Vec<Value> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let mut found = Vec::new();
        for page in self.pages(&format!("{path}{mark}limit={limit}")).await {
            let items = page.items();
            assert!(items.len() <= limit, "{}", page.text());
            found.extend(items);
        }
        found
    }

    pub fn post(&self, path: &str, body: impl Into<Value>) -> Asking<'a> {
        self.call(Call::json(path, body.into().to_string()))
    }

    /// A `POST` of JSON with an idempotency key.
    pub fn post_once(&self, path: &str, key: &str, body: impl Into<Value>) -> Asking<'a> {
        self.post(path, body).header("idempotency-key", key)
    }

    /// A `PATCH` of a JSON merge patch.
    pub fn patch(&self, path: &str, changes: impl Into<Value>) -> Asking<'a> {
        let call = Call::new("PATCH", path).header("content-type", "application/merge-patch+json");
        self.call(call.body(changes.into().to_string()))
    }

    pub fn put(&self, path: &str, body: impl Into<Value>) -> Asking<'a> {
        let call = Call::new("PUT", path).header("content-type", "application/json");
        self.call(call.body(body.into().to_string()))
    }

    pub fn delete(&self, path: &str) -> Asking<'a> {
        self.call(Call::new("DELETE", path))
    }

    pub fn call(&self, call: Call) -> Asking<'a> {
        let with = |call: Call, (name, value): &(String, String)| call.header(name, value);
        Asking {
            function: self.function,
            call: self.headers.iter().fold(call, with),
        }
    }
}

/// A request that is sent when it is awaited.
#[must_use = "it is made when it is awaited"]
pub struct Asking<'a> {
    function: &'a Function,
    call: Call,
}

impl Asking<'_> {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.call = self.call.header(name, value);
        self
    }

    pub fn if_match(self, version: u64) -> Self {
        self.header("if-match", &format!("\"{version}\""))
    }

    pub fn from_address(mut self, address: &str) -> Self {
        self.call = self.call.from_address(address);
        self
    }

    /// Replaces the body, which may be invalid.
    pub fn raw_body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.call = self.call.body(body);
        self
    }
}

impl<'a> IntoFuture for Asking<'a> {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.function.call(&self.call).await })
    }
}

/// Makes a request that creates something, and whose answer is lost, until it is answered twice. Returns the answer.
pub async fn repeat_interrupted_request<'a>(aws: &Aws, lossy: &Lossy, ask: impl Fn() -> Asking<'a>) -> Answer {
    lossy.lose_all("TransactWriteItems");
    ask().await.is_refused(503, "unavailable");
    assert!(lossy.has_lost_all());
    aws.pass(60);
    let made = ask().await;
    let again = ask().await;
    let shown = made.is(201).json();
    if shown != without_secrets(shown.clone()) {
        again.is_refused(409, "already_done");
        return made;
    }
    let replayed = again.header("idempotency-replayed");
    assert_eq!((shown, replayed), (again.is(201).json(), "true"));
    made
}

/// The answer to a creation without the secrets that no later answer shows.
pub fn without_secrets(mut shown: Value) -> Value {
    if let Some(members) = shown.as_object_mut() {
        members.remove("signing");
    }
    shown
}

/// An access token with these claims, signed by the town's key.
pub fn sign(claims: &Claims) -> String {
    let mut header = Header::new(Algorithm::ES256);
    header.kid = Some(KID.to_owned());
    let key = EncodingKey::from_ec_der(&STANDARD.decode(PRIVATE_KEY).expect("it is base64"));
    jsonwebtoken::encode(&header, claims, &key).expect("the key signs")
}

async fn publish_key(aws: &Aws) {
    let [x, y] = PUBLIC_KEY.map(str::to_owned);
    let key = PublicKey {
        kid: KID.to_owned(),
        x,
        y,
        created_at: aws.now(),
    };
    let keys = serde_json::to_string(&[key]).expect("keys are JSON");
    let published = aws.store().publish_signing_keys(&keys, 0).await;
    published.expect("the key is published");
}

fn account(aws: &Aws, citizen: &Citizen, tenants: Vec<TenantId>) -> Account {
    let (email, password) = (citizen.email.clone(), PasswordHash(PASSWORD_HASH.to_owned()));
    let name = email.as_str().split('@').next().unwrap_or_default().to_owned();
    let account = Account::new(citizen.user, email, name, "en".to_owned(), password, aws.now());
    Account { tenants, ..account }
}

fn member(aws: &Aws, citizen: &Citizen, role: Role) -> Member {
    Member::joining(&account(aws, citizen, Vec::new()), role, aws.now())
}

fn citizen(aws: &Aws, name: &str, domain: &str) -> Citizen {
    Citizen {
        user: UserId::new(aws.ids().ulid()),
        email: format!("{name}@{domain}.example").parse().expect("it is an address"),
        session: SessionId::new(aws.ids().ulid()),
    }
}

fn email_sha256(citizen: &Citizen) -> String {
    token::sha256_hex(citizen.email.as_str())
}

/// Creates a tenant as by sign-up, with one user of each role.
async fn house(aws: &Aws, slug_text: &str) -> House {
    let store = aws.store();
    let (now, stamp) = (aws.now(), aws.stamp());
    let admin = citizen(aws, "admin", slug_text);
    let slug: Slug = slug_text.parse().expect("it is a slug");
    let tenant_id = TenantId::new(aws.ids().ulid());
    let scope = link::scope_of_new_tenant(tenant_id);
    let zone: domain::terms::Zone = "Europe/London".parse().expect("it is a time zone");
    let sign_up = SignUp {
        email: admin.email.clone(),
        name: "admin".to_owned(),
        language: "en".to_owned(),
        password: PasswordHash(PASSWORD_HASH.to_owned()),
        business: slug_text.to_owned(),
        slug: slug.clone(),
        time_zone: zone.clone(),
        created_at: now,
    };
    let token_sha256 = token::sha256_hex(&format!("{tenant_id}"));
    let address = email_sha256(&admin);
    let held = store.hold_sign_up(&sign_up, &address, &token_sha256, false, None, now);
    held.await.expect("the name is free");
    let mut tenant = Tenant::new(tenant_id, slug_text.to_owned(), zone);
    tenant.slug = Some(slug.clone());
    let founded = store
        .found_tenant(
            &scope,
            &tenant,
            &Rule::first(RuleId::new(aws.ids().ulid()), None),
            &slug,
            &account(aws, &admin, vec![tenant_id]),
            &address,
            &member(aws, &admin, Role::Admin),
            &token_sha256,
            &stamp,
        )
        .await;
    founded.expect("the tenant is founded");
    let mut people = vec![(Role::Admin, admin)];
    for role in [Role::Manager, Role::Agent, Role::Viewer] {
        let person = citizen(aws, role.as_str(), slug_text);
        join(aws, &scope, &person, role).await;
        people.push((role, person));
    }
    let (key, key_secret) = new_key(aws, &scope, Role::Admin, &[], None).await;
    House {
        tenant: tenant_id,
        slug,
        people,
        key,
        key_secret,
        scope,
    }
}

async fn join(aws: &Aws, scope: &TenantScope, person: &Citizen, role: Role) {
    let (store, now, stamp) = (aws.store(), aws.now(), aws.stamp());
    let id = InvitationId::new(aws.ids().ulid());
    let invitation = Invitation {
        id,
        email: person.email.clone(),
        name: None,
        language: None,
        role,
        invited_by: Actor::Operator,
        created_at: now,
        expires_at: now + SignedDuration::from_hours(24),
        token_sha256: token::sha256_hex(&id.to_string()),
    };
    let invited = store.invite(scope, &invitation, &stamp).await;
    invited.expect("the invitation is written");
    let invitation = Versioned {
        value: invitation,
        version: 1,
    };
    let joined = store
        .join(
            scope,
            &invitation,
            &account(aws, person, vec![scope.tenant()]),
            0,
            &email_sha256(person),
            &member(aws, person, role),
            None,
            &stamp,
        )
        .await;
    joined.expect("the person joins");
}

/// Creates a key of a tenant; returns its id and its secret.
pub async fn new_key(
    aws: &Aws,
    scope: &TenantScope,
    role: Role,
    scopes: &[Permission],
    expires_at: Option<Timestamp>,
) -> (ApiKeyId, String) {
    let secret = token::api_key(aws.ids().secret().expect("there is randomness"));
    let key = ApiKey {
        id: ApiKeyId::new(aws.ids().ulid()),
        name: "till".to_owned(),
        role,
        scopes: scopes.to_vec(),
        secrets: vec![KeySecret {
            sha256: token::sha256_hex(&secret),
            hint: secret.chars().take(8).collect(),
            valid_until: None,
            rotation: None,
        }],
        created_by: Actor::Operator,
        created_at: aws.now(),
        expires_at,
        revoked_at: None,
    };
    let made = aws.store().create(scope, &key, &aws.stamp()).await;
    made.expect("the key is written");
    (key.id, secret)
}

async fn platform_admin(aws: &Aws) -> Citizen {
    let citizen = citizen(aws, "operator", "platform");
    let account = account(aws, &citizen, Vec::new());
    let made = aws.store().create_account(&account, &email_sha256(&citizen)).await;
    made.expect("the account is written");
    appoint(aws, &citizen).await;
    citizen
}

/// Makes a user a platform administrator with a second factor that only exists: nobody logs in with it.
pub async fn appoint(aws: &Aws, citizen: &Citizen) {
    let act = PlatformAct {
        action: "platform_admin_made".to_owned(),
        tenant: None,
        // Long before the time of a test, so that it is not in the month that the test reads.
        by: Stamp {
            at: aws.now() - SignedDuration::from_hours(90 * 24),
            ..aws.stamp()
        },
        detail: Value::Null,
    };
    let id = aws.ids().ulid().to_string();
    let store = aws.store();
    let given = store.give_platform_right(citizen.user, &citizen.email, &act, &id).await;
    assert!(given.expect("the administrator is written"));
    let found = store.account(citizen.user).await.expect("the table answers");
    let mut account = found.expect("there is an account");
    account.value.second_factor = Some(SecondFactor {
        secret: SealedFactor(String::new()),
        last_step: 0,
        recovery_codes: Vec::new(),
        enabled_at: aws.now(),
        wrong_codes: 0,
    });
    let written = store.write_account(&account.value, account.version).await;
    written.expect("the second factor is written");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_password_matches_its_hash() {
        let hash = access::password::hash(PASSWORD, &[7; 16]).expect("it is hashed");
        assert_eq!(hash.0, PASSWORD_HASH);
    }
}
