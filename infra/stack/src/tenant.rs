//! Tenants as operators write them: one JSON file per tenant with its connections, lines, rules, templates and products, in the terms
//! of `domain`, with credentials in plain text. They are encrypted when they are written to the table, local or on AWS.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;

use access::{Kms, Secrets, Signer};
use anyhow::{Context as _, Result, bail};
use domain::messages::{Material, NewLinks};
use domain::money::Product;
use domain::templates::TemplateDefinition;
use domain::tenants::{
    Account, Connection, ConnectionSummary, Health, Line, Rule, SecretPurpose, SendSecrets, Tenant, TenantConfig,
    TenantStatus, VerifySecrets, WebhookAddress, first_line,
};
use domain::terms::{Actor, ConnectionId, LineId, Resource as _, Stamp};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Map, Value};
use store::tenants::Configured;
use store::{RACES, Store, StoreError, TenantScope};

use crate::aws::{Aws, output};
use crate::place::read_json;
use crate::secrets::random_hex;

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantFile {
    pub tenant: TenantWords,
    #[serde(default)]
    pub connections: Vec<ConnectionFile>,
    /// All its lines. Left out: those of the table stay; the first is made from the connections. Times in the file do not count.
    #[serde(default)]
    pub lines: Option<Vec<Line>>,
    /// All its rules. Left out: those of the table stay. Times in the file do not count.
    #[serde(default)]
    pub rules: Option<Vec<Rule>>,
    /// All its templates. Left out: those of the table stay.
    #[serde(default)]
    pub templates: Option<Vec<TemplateDefinition>>,
    /// All its products. Left out: those of the table stay. Times in the file do not count.
    #[serde(default)]
    pub products: Option<Vec<Product>>,
}

/// A tenant in its file.
#[derive(Clone, Deserialize)]
#[serde(try_from = "Value")]
pub struct TenantWords {
    tenant: Tenant,
    /// Whether the file gives a status. Otherwise, a suspended tenant stays suspended.
    says_status: bool,
}

impl TryFrom<Value> for TenantWords {
    type Error = serde_json::Error;

    fn try_from(words: Value) -> Result<Self, serde_json::Error> {
        let says_status = words.get("status").is_some();
        let tenant: Tenant = serde_json::from_value(words)?;
        if tenant.status == TenantStatus::Leaving || tenant.leaves_at.is_some() {
            return Err(Self::Error::custom(
                "a file cannot delete a tenant; use the platform's API",
            ));
        }
        Ok(Self { tenant, says_status })
    }
}

impl Deref for TenantWords {
    type Target = Tenant;

    fn deref(&self) -> &Tenant {
        &self.tenant
    }
}

/// A connection with its credentials in plain text.
#[derive(Clone, Deserialize)]
#[serde(try_from = "ConnectionWords")]
pub struct ConnectionFile {
    pub id: ConnectionId,
    pub name: String,
    /// The account. What the API refuses is refused here, too.
    pub account: Account,
    /// Verification secrets. If omitted, those in the table stay.
    pub verify: Option<VerifySecrets>,
    /// Sending secrets. If omitted, those in the table stay.
    pub send: Option<SendSecrets>,
}

/// A connection as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConnectionWords {
    id: ConnectionId,
    name: String,
    account: Map<String, Value>,
    #[serde(default)]
    verify: Option<VerifySecrets>,
    #[serde(default)]
    send: Option<SendSecrets>,
}

impl TryFrom<ConnectionWords> for ConnectionFile {
    type Error = String;

    fn try_from(words: ConnectionWords) -> Result<Self, String> {
        let (name, mut settings) = (words.name, words.account);
        let read: Account =
            serde_json::from_value(Value::Object(settings.clone())).map_err(|error| format!("{name}: {error}"))?;
        let (identity, _) = read.parts();
        settings.retain(|field, _| field != "kind" && !identity.contains_key(field));
        let account = read.with(settings).map_err(|problems| {
            let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
            format!("{name}: {}", problems.join(" "))
        })?;
        Ok(Self {
            id: words.id,
            name,
            account,
            verify: words.verify,
            send: words.send,
        })
    }
}

impl ConnectionFile {
    /// The kind: twilio, whatsapp, telephony and so on.
    pub const fn kind(&self) -> &'static str {
        self.account.kind()
    }
}

/// Reads a tenant's file. Values that `resolve` knows are replaced by its result, so secrets need not be in the file.
pub fn read(file: &Path, resolve: &mut dyn FnMut(&str) -> Result<Option<String>>) -> Result<TenantFile> {
    let value = read_value(file, resolve)?;
    serde_json::from_value(value).with_context(|| format!("understanding {}", file.display()))
}

/// Reads a tenant's file as [`read`] does, without parsing its values.
pub fn read_value(file: &Path, resolve: &mut dyn FnMut(&str) -> Result<Option<String>>) -> Result<Value> {
    let mut value = read_json(file)?;
    replace(&mut value, resolve)?;
    Ok(value)
}

fn replace(value: &mut Value, resolve: &mut dyn FnMut(&str) -> Result<Option<String>>) -> Result<()> {
    match value {
        Value::String(text) => {
            if let Some(secret) = resolve(text)? {
                *text = secret;
            }
        }
        Value::Array(items) => items.iter_mut().try_for_each(|item| replace(item, resolve))?,
        Value::Object(fields) => fields.values_mut().try_for_each(|field| replace(field, resolve))?,
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    Ok(())
}

/// `$env:NAME` is the environment variable NAME.
pub fn from_environment(text: &str) -> Result<Option<String>> {
    let value = text
        .strip_prefix("$env:")
        .map(|name| std::env::var(name).with_context(|| format!("the file uses $env:{name}, which is not set")));
    value.transpose()
}

/// The table and the keys of a deployment.
#[derive(Clone)]
pub struct Deployment {
    pub store: Store,
    secrets: Secrets,
    secrets_manager: aws_sdk_secretsmanager::Client,
}

impl Deployment {
    /// The deployment with these stack outputs.
    pub async fn new(outputs: &BTreeMap<String, String>, aws: &Aws) -> Result<Self> {
        let output = |name: &str| output(outputs, name).map(str::to_owned);
        let config = aws.sdk().await?;
        let kms = Kms::new(
            aws_sdk_kms::Client::new(&config),
            Some(output("VerifyKeyArn")?),
            Some(output("SendKeyArn")?),
        );
        Ok(Self {
            store: Store::new(aws_sdk_dynamodb::Client::new(&config), output("TableName")?),
            secrets: Secrets::new(kms),
            secrets_manager: aws_sdk_secretsmanager::Client::new(&config),
        })
    }

    /// The secret that `auth` signs and seals with.
    pub fn signer(&self, outputs: &BTreeMap<String, String>) -> Result<Signer> {
        let secret = output(outputs, "AuthSecretArn")?.to_owned();
        Ok(Signer::new(self.secrets_manager.clone(), secret, self.store.clone()))
    }

    /// Writes the tenant with everything that belongs to it, and deletes what the file no longer contains. Returns sentences about
    /// what is wrong with its rules and what keeps them from sending: such a tenant is written all the same, and each call reports the
    /// problem.
    pub async fn apply(&self, file: &TenantFile) -> Result<Vec<String>> {
        if let Some(problem) = quiet_hours_problem(file) {
            bail!("{problem}");
        }
        let scope = access::operator::scope(file.tenant.id);
        let before = self.store.tenant(&scope).await.context("reading the tenant")?;
        if file.tenant.says_status && before.is_some_and(|before| before.status == TenantStatus::Leaving) {
            bail!(
                "the deletion of {} is requested: resume it first, or omit `status`",
                file.tenant.id
            );
        }
        let known = self.store.connections(&scope).await;
        let known = known.context("reading the tenant's connections")?;
        let mut connections = Vec::new();
        for given in &file.connections {
            let known = known.iter().find(|connection| connection.id == given.id);
            connections.push(self.seal(file, given, known).await?);
        }
        for connection in &connections {
            if let Account::WhatsApp(account) = &connection.account {
                let (id, waba, number) = (connection.id, &account.waba_id, &account.phone_number_id);
                let claimed = self.store.claim_whatsapp_number(&scope, waba, number, id).await;
                claimed.with_context(|| format!("claiming the WhatsApp number {number}"))?;
                // Template and account events name no number: of several numbers of one account, one receives them.
                match self.store.claim_whatsapp_number(&scope, waba, "", id).await {
                    Err(error) if !error.is_conflict() => return Err(error).context("claiming the WhatsApp account"),
                    _ => {}
                }
            }
        }
        let at = now()?;
        let line = |line: &Line| Line::new(line.id.ulid(), line.fields(), at);
        let product = |product: &Product| Product::new(product.id.ulid(), product.fields(), at);
        let rule = |rule: &Rule| Rule {
            archived_at: rule.archived_at,
            ..Rule::new(rule.id.ulid(), rule.fields(), at)
        };
        let configured = Configured {
            tenant: file.tenant.tenant.clone(),
            status_meant: file.tenant.says_status,
            rules: file.rules.iter().flatten().map(rule).collect(),
            rules_meant: file.rules.is_some(),
            lines: file.lines.iter().flatten().map(line).collect(),
            lines_meant: file.lines.is_some(),
            templates: file.templates.clone().unwrap_or_default(),
            templates_meant: file.templates.is_some(),
            products: file.products.iter().flatten().map(product).collect(),
            products_meant: file.products.is_some(),
            connections,
            at,
        };
        let written = self.store.write_config(&scope, &configured).await;
        written.context("writing the tenant")?;
        let lines = match &file.lines {
            Some(lines) => lines.clone(),
            None => self.lines_or_first(&scope, &configured.connections).await?,
        };
        let products = match &file.products {
            Some(products) => products.clone(),
            None => self.store.all(&scope).await.context("reading the tenant's products")?,
        };
        let templates = match &file.templates {
            Some(_) => configured.templates,
            None => self.store.all(&scope).await.context("reading the tenant's templates")?,
        };
        let rules = match &file.rules {
            Some(rules) => rules.clone(),
            None => self.store.all(&scope).await.context("reading the tenant's rules")?,
        };
        let config = TenantConfig {
            tenant: configured.tenant,
            rules,
            lines,
            teams: Vec::new(),
            connections: configured.connections.iter().map(ConnectionSummary::from).collect(),
        };
        let fields = self.store.all(&scope).await;
        let material = Material {
            templates,
            products,
            fields: fields.context("reading the fields of the tenant's contacts")?,
            // The API checks them when they are named.
            assets: Vec::new(),
            campaigns: self.store.all(&scope).await.context("reading the tenant's campaigns")?,
            // As every message would get some.
            links: NewLinks::nobodys(),
        };
        Ok(config.problems(&material))
    }

    /// The lines of a tenant whose file omits them. If there are none, the first one is made from the connections, unless
    /// somebody makes one at the same time.
    async fn lines_or_first(&self, scope: &TenantScope, connections: &[Connection]) -> Result<Vec<Line>> {
        let stamp = Stamp {
            actor: Actor::Operator,
            at: now()?,
            correlation_id: random_hex(16)?,
        };
        let made = RACES.until_won(async || {
            // First: the write is conditioned on its version, which stands for what is read after it.
            let Some(tenant) = self.store.tenant(scope).await? else {
                return Ok(None);
            };
            let known: Vec<Line> = self.store.all(scope).await?;
            let Some(first) = make_first_line(connections, stamp.at).filter(|_| known.is_empty()) else {
                return Ok(Some(known));
            };
            self.store.set_up_line(scope, &tenant, &first, &stamp).await?;
            Ok(Some(vec![first]))
        });
        let lines: Result<_, StoreError> = made.await;
        lines
            .context("making the tenant's first line")?
            .context("the tenant was deleted meanwhile")
    }

    async fn seal(&self, file: &TenantFile, given: &ConnectionFile, known: Option<&Connection>) -> Result<Connection> {
        let tenant = file.tenant.id;
        let verify = match (&given.verify, known) {
            (Some(verify), _) => {
                self.secrets
                    .seal(tenant, given.id, SecretPurpose::Verify, verify)
                    .await?
            }
            (None, Some(known)) => known.verify.clone(),
            (None, None) => bail!("{} is new, so `verify` is required", given.id),
        };
        let send = match (&given.send, known) {
            (Some(send), _) => Some(self.secrets.seal(tenant, given.id, SecretPurpose::Send, send).await?),
            (None, known) => known.and_then(|known| known.send.clone()),
        };
        let changed = given.verify.is_some() || given.send.is_some();
        let version = known.map_or(0, |known| known.credentials_version);
        Ok(Connection {
            id: given.id,
            name: given.name.clone(),
            account: given.account.clone(),
            // New credentials are tried again.
            health: known
                .filter(|_| !changed)
                .map_or(Health::Healthy, |known| known.health.clone()),
            paused_until: known.and_then(|known| known.paused_until),
            throttled: known.and_then(|known| known.throttled),
            verify,
            send,
            credentials_version: if changed { version + 1 } else { version },
            rotating_since: None,
            last_report_at: known.filter(|_| !changed).and_then(|known| known.last_report_at),
            rotation: None,
            awaits_secret: match (&given.verify, known) {
                (Some(verify), _) => verify.is_empty(),
                (None, known) => known.is_some_and(|known| known.awaits_secret),
            },
            checkup: known
                .filter(|known| !changed && given.account.is_tested_as(&known.account))
                .and_then(|known| known.checkup.clone()),
            reported: known
                .filter(|known| known.account == given.account)
                .map(|known| known.reported)
                .unwrap_or_default(),
        })
    }
}

/// The first line of a tenant without lines, made at this time: the same one, however often it is made.
fn make_first_line(connections: &[Connection], at: Timestamp) -> Option<Line> {
    let first = connections.first()?;
    first_line(LineId::new(first.id.ulid()), connections, at)
}

/// The time, to the millisecond, as functions store it.
fn now() -> Result<Timestamp> {
    Timestamp::from_millisecond(Timestamp::now().as_millisecond()).context("reading the clock")
}

/// Problems of the quiet hours of the tenant or of a rule, which the API refuses, too.
fn quiet_hours_problem(file: &TenantFile) -> Option<String> {
    let of_tenant = file.tenant.quiet_hours.map(|quiet| ("the tenant".to_owned(), quiet));
    let of_rules = file.rules.iter().flatten().filter_map(|rule| {
        let quiet = rule.then.quiet_hours?;
        Some((format!("rule {:?}", rule.name.as_str()), quiet))
    });
    let mut all = of_tenant.into_iter().chain(of_rules);
    all.find_map(|(whose, quiet)| Some(format!("{whose}: {}", quiet.problem()?)))
}

/// The URLs to configure at the providers. A secret that is part of a URL is in the file, not in this output.
pub fn webhook_urls(base: &str, file: &TenantFile) -> Vec<(String, String)> {
    let of = |connection: &ConnectionFile| {
        let name = connection.name.clone();
        let webhooks = connection.account.webhooks(file.tenant.id, connection.id);
        let line =
            move |webhook: WebhookAddress| (format!("{name}: {}", webhook.what), format!("{base}{}", webhook.path));
        webhooks.into_iter().map(line)
    };
    file.connections.iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn invalid_quiet_hours_are_refused() {
        let problem = |of_tenant: [&str; 2], of_rule: [&str; 2]| {
            let quiet = |[from, to]: [&str; 2]| json!({ "from": from, "to": to });
            let file = json!({
                "tenant": {
                    "id": "tnt_01k9zz0000000000000000000a", "name": "Marina Dental", "time_zone": "Asia/Dubai",
                    "quiet_hours": quiet(of_tenant),
                },
                "rules": [{
                    "id": "rule_01k9zz0000000000000000000a", "name": "Missed calls",
                    "then": { "channels": ["sms"], "sms_text": "Sorry", "quiet_hours": quiet(of_rule) },
                }],
            });
            quiet_hours_problem(&serde_json::from_value(file).unwrap())
        };
        let night = ["21:00", "08:00"];
        assert_eq!(problem(night, night), None);
        let of_tenant = problem(["00:00", "00:00"], night).unwrap();
        assert!(
            of_tenant.contains("the tenant") && of_tenant.contains("00:00 to 00:00"),
            "{of_tenant}"
        );
        let of_rule = problem(night, ["21:00", "21:00"]).unwrap();
        assert!(of_rule.contains("Missed calls"), "{of_rule}");
    }

    /// With the sentences of the API, before anything is written.
    #[test]
    fn account_that_the_api_refuses_is_refused() {
        let problem = |field: &str, value: Value| {
            let mut file = json!({
                "id": "conn_01k9zz0000000000000000000a", "name": "Front desk",
                "account": {
                    "kind": "twilio", "account_sid": "AC000000000000000000000000000000b1", "numbers": ["+15005550006"],
                },
            });
            file["account"][field] = value;
            let read = serde_json::from_value::<ConnectionFile>(file);
            read.map(|file| json!(file.account)["voice"]["handling"].clone())
                .map_err(|error| error.to_string())
        };
        assert_eq!(problem("voice", json!({"handling": "greet"})), Ok(json!("greet")));
        let usual = problem("voice", json!({"voicemail_max_seconds": 60}));
        assert_eq!(usual, Ok(json!("own_flow")), "as in the API");
        for (field, value, sentence) in [
            (
                "voice",
                json!({"handling": "forward"}),
                "Front desk: voice.forward_to: Expected a number, because calls are forwarded.",
            ),
            (
                "account_sid",
                json!("AC1"),
                "Front desk: account_sid: Expected AC and 32 digits or letters a to f.",
            ),
            (
                "voise",
                json!({"handling": "greet"}),
                "Front desk: voise: A twilio connection has no such field. Remove it.",
            ),
            ("numbers", json!("+15005550006"), "Front desk: invalid type"),
        ] {
            let refused = problem(field, value).unwrap_err();
            assert!(refused.starts_with(sentence), "{refused}");
        }
    }

    #[test]
    fn first_line_is_the_same_however_often_it_is_made() {
        let connections: Vec<Connection> = serde_json::from_value(json!([{
            "id": "conn_01k9zz0000000000000000000a", "name": "PBX", "verify": "",
            "account": {"kind": "telephony", "numbers": ["+97143330000"]},
        }]))
        .unwrap();
        let at = Timestamp::UNIX_EPOCH;
        let first = make_first_line(&connections, at).unwrap();
        assert_eq!(
            first.number.as_ref().map(ToString::to_string).as_deref(),
            Some("+97143330000")
        );
        assert_eq!(make_first_line(&connections, at), Some(first));
        assert_eq!(make_first_line(&[], at), None);
    }

    fn read(words: &Value) -> Result<TenantWords, serde_json::Error> {
        let mut tenant =
            json!({"id": "tnt_01hq5bakery0000000000000ab", "name": "Saffron Bakery", "time_zone": "Asia/Dubai"});
        for (name, value) in words.as_object().unwrap() {
            tenant[name] = value.clone();
        }
        serde_json::from_value(tenant)
    }

    #[test]
    fn file_cannot_delete_a_tenant() {
        assert!(!read(&json!({})).unwrap().says_status);
        assert!(read(&json!({"status": "active"})).unwrap().says_status);
        let suspended = read(&json!({"status": "suspended"})).unwrap();
        assert_eq!(
            (suspended.says_status, suspended.status),
            (true, TenantStatus::Suspended)
        );
        for refused in [
            json!({"status": "leaving"}),
            json!({"leaves_at": "2026-12-20T10:00:00Z"}),
            json!({"owner": "x"}),
        ] {
            assert!(read(&refused).is_err(), "{refused}");
        }
    }
}
