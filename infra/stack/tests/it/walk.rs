//! Calls every operation of the contract as every kind of caller: without credentials, with expired, forged or revoked ones, as each
//! role, with an API key, as the platform administrator, and with the ids of another tenant. The answers are compared with the
//! permission table. New operations are included automatically.

use std::collections::{BTreeMap, BTreeSet};

use access::Signer;
use access::token::Claims;
use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use domain::accounts::{Permission, Role};
use domain::terms::TenantId;
use serde_json::{Value, json};
use stack::api::{self, Body, Proof, ask, kind, log_in};
use stack::business::{Plan, new_ulid};
use stack::contract::{Contract, Operation, PathValues};
use stack::endpoints::{Login, Tenant};
use stack::play::Answer;

use crate::stage::{Stage, on_stage};

struct Walk<'a> {
    stage: &'a Stage,
    contract: Contract,
    home: Tenant,
    away: Tenant,
    tokens: BTreeMap<Role, String>,
    /// Tokens of the other tenant's users.
    away_tokens: BTreeMap<Role, String>,
    platform: String,
    platform_admin: Login,
    /// Number of operations that were called in another's tenant.
    turn: usize,
    wrong: Vec<String>,
}

#[test]
fn every_operation_admits_exactly_the_permitted_callers() {
    on_stage(async |stage| {
        let mut walk = Box::pin(Walk::begin(stage)).await?;
        let contract = walk.contract.clone();
        let unproven = walk.invalid_credentials().await?;
        for operation in contract.operations() {
            walk.check_without_credentials(&operation, &unproven).await?;
            walk.roles(&operation).await?;
        }
        walk.end()
    });
}

#[test]
fn foreign_objects_look_like_missing_ones() {
    on_stage(async |stage| {
        let mut walk = Box::pin(Walk::begin(stage)).await?;
        let contract = walk.contract.clone();
        let before = walk.all_of_away().await?;
        for operation in contract.operations() {
            walk.foreign_ids(&operation).await?;
            walk.foreign_tenant(&operation).await?;
        }
        let after = walk.all_of_away().await?;
        for (operation, was) in &before {
            let now = after.get(operation);
            // Something of the other tenant was changed.
            ensure!(now == Some(was), "{operation} answered {was}, then {now:?}");
        }
        walk.end()
    });
}

/// The encoded placeholder of an id in a path.
const NO_IDS: [&str; 10] = [
    "%0A",
    "a%0Ab",
    "%00",
    "%2F",
    "..%2F..",
    "%20",
    "%3F",
    "a%23b",
    "%F0%9F%8D%9E",
    "%FF",
];

#[test]
fn invalid_id_is_refused_with_a_problem() {
    on_stage(async |stage| {
        let mut walk = Box::pin(Walk::begin(stage)).await?;
        let contract = walk.contract.clone();
        for operation in contract.operations() {
            walk.no_ids(&operation).await?;
        }
        walk.end()
    });
}

/// Ends of paths with counters, which follow what happened, and of those that reading itself changes.
const MOVING: [&str; 6] = [
    "/audit",
    "/retention",
    "/metrics",
    "/metrics/overview",
    "/usage",
    "/live/events",
];

impl<'a> Walk<'a> {
    async fn begin(stage: &'a Stage) -> Result<Self> {
        // Caps have names and no ids, so the other tenant has one that this one has not.
        let without_caps = |plan: &mut Plan| {
            plan.lift_limits();
            plan.file["tenant"]["caps"] = json!([]);
        };
        let home = stage.town.open("Walked home", without_caps).await?;
        let away = stage.town.open("Walked away", Plan::lift_limits).await?;
        let (mut tokens, mut away_tokens) = (BTreeMap::new(), BTreeMap::new());
        for role in Role::ALL {
            tokens.insert(role, log_in(&stage.play, home.users.of(role)).await?);
            away_tokens.insert(role, log_in(&stage.play, away.users.of(role)).await?);
        }
        let platform_admin = stage.town.registry().appoint_another().await?;
        Ok(Self {
            contract: Contract::read(&stage.place)?,
            platform: log_in(&stage.play, &platform_admin).await?,
            platform_admin,
            stage,
            home,
            away,
            tokens,
            away_tokens,
            turn: 0,
            wrong: Vec::new(),
        })
    }

    /// All findings, reported together.
    fn end(self) -> Result<()> {
        let (count, findings) = (self.wrong.len(), self.wrong.join("\n"));
        ensure!(count == 0, "{count} findings:\n{findings}");
        Ok(())
    }

    async fn ask(&self, operation: &Operation<'_>, path: &str, proof: &Proof, body: &Body) -> Result<Answer> {
        ask(&self.stage.play, operation.method, path, proof, None, body).await
    }

    /// A role's answer. A token that an operation of the walk ended is replaced.
    async fn ask_as(&mut self, role: Role, operation: &Operation<'_>, path: &str, body: &Body) -> Result<Answer> {
        let token = Proof::Token(self.tokens[&role].clone());
        let answer = self.ask(operation, path, &token, body).await?;
        if !is_unproven(&answer) {
            return Ok(answer);
        }
        let token = log_in(&self.stage.play, self.home.users.of(role)).await?;
        self.tokens.insert(role, token.clone());
        self.ask(operation, path, &Proof::Token(token), body).await
    }

    fn expect(&mut self, fine: bool, operation: &Operation<'_>, who: &str, answer: &Answer) {
        if !fine || answer.status >= 500 {
            let (id, permission) = (operation.id(), operation.permission());
            let got = format!("{} {}", answer.status, kind(answer));
            self.wrong.push(format!("{id} ({permission}) by {who}: {got}"));
        }
    }

    /// Expects the same answer for what belongs to another tenant and for what does not exist.
    fn expect_same(&mut self, operation: &Operation<'_>, who: &str, foreign: &Answer, missing: &Answer) {
        if let Some(apart) = difference(foreign, missing) {
            let id = operation.id();
            let wrong = format!("{id} by {who}: another tenant's and a missing one differ: {apart}");
            self.wrong.push(wrong);
        }
    }

    /// Invalid credentials, with the reason.
    async fn invalid_credentials(&mut self) -> Result<Vec<(&'static str, Proof)>> {
        let good = self.tokens[&Role::Admin].clone();
        let parts: Vec<&str> = good.split('.').collect();
        let [header, payload, signature] = parts.as_slice() else {
            bail!("an access token has three parts");
        };
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?;
        let mut later = claims.clone();
        later["exp"] = json!(later["exp"].as_i64().unwrap_or_default() + 86_400);
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let none = json!({"alg": "none", "typ": "JWT"});
        let other: String = signature.chars().rev().collect();
        let tampered = format!("{header}.{}.{signature}", encode(&later));
        let other = format!("{header}.{payload}.{other}");
        let none = format!("{}.{payload}.", encode(&none));
        Ok(vec![
            ("nobody", Proof::Nothing),
            ("an expired token", Proof::Token(self.expired_token(&claims).await?)),
            ("a tampered token", Proof::Token(tampered)),
            ("a token signed otherwise", Proof::Token(other)),
            ("a token of alg none", Proof::Token(none)),
            ("no token at all", Proof::Token("letmein".to_owned())),
            (
                "a token of a session that was ended",
                Proof::Token(self.logged_out_token().await?),
            ),
            ("a revoked key", Proof::Key(self.revoked_key().await?)),
            ("a made-up key", Proof::Key(stack::people::api_key(&"x".repeat(32))?)),
        ])
    }

    /// An expired token, signed by the real key.
    async fn expired_token(&self, claims: &Value) -> Result<String> {
        let found = self.stage.aws.call("secretsmanager", "list_secrets", json!({})).await?;
        let secrets = found["SecretList"].as_array().cloned().unwrap_or_default();
        let is_it = |secret: &&Value| {
            let about = secret["Description"].as_str().unwrap_or_default();
            about.contains("signs access tokens")
        };
        let secret = secrets.iter().find(is_it).context("the secret that signs")?;
        let id = secret["ARN"].as_str().context("a secret has an ARN")?;
        let client = aws_sdk_secretsmanager::Client::new(&self.stage.aws.sdk().await?);
        let signer = Signer::new(client, id.to_owned(), self.stage.play.store.clone());
        let word = |name: &str| claims[name].as_str().unwrap_or_default();
        let tenant: TenantId = word("tnt").parse()?;
        let now = Timestamp::now();
        let an_hour_ago = now - std::time::Duration::from_secs(3600);
        let claims = Claims::new(word("sub").parse()?, word("sid").parse()?, Some(tenant), an_hour_ago);
        Ok(signer.sign(&claims, now).await?)
    }

    /// A token from before its user logged out everywhere.
    async fn logged_out_token(&self) -> Result<String> {
        let token = log_in(&self.stage.play, self.away.users.of(Role::Viewer)).await?;
        let (path, proof) = ("/api/v1/auth/log-out-everywhere", Proof::Token(token.clone()));
        api::ask_for_json(&self.stage.play, &proof, "post", path, None).await?;
        Ok(token)
    }

    async fn revoked_key(&self) -> Result<String> {
        let admin = Proof::Key(self.home.api_key.clone());
        let (play, path) = (&self.stage.play, "/api/v1/api-keys");
        let body = json!({ "name": "Revoked", "role": "admin" });
        let made = api::ask_for_json(play, &admin, "post", path, Some(body)).await?;
        let id = made["api_key"]["id"].as_str().or(made["id"].as_str());
        let id = id.context("a key has an id")?;
        let key = made["key"].as_str().context("a new key is shown")?;
        api::ask_for_json(play, &admin, "delete", &format!("{path}/{id}"), None).await?;
        Ok(key.to_owned())
    }

    /// Callers without valid credentials get nothing.
    async fn check_without_credentials(&mut self, operation: &Operation<'_>, unproven: &[(&str, Proof)]) -> Result<()> {
        let path = self.nowhere(operation).await?;
        let body = empty(&self.contract, operation);
        for (who, proof) in unproven {
            let answer = self.ask(operation, &path, proof, &body).await?;
            let fine = match operation.permission() {
                "public" => !is_unproven(&answer),
                _ => is_unproven(&answer),
            };
            self.expect(fine, operation, who, &answer);
        }
        Ok(())
    }

    /// Each role gets what the table says, and so does a key. Nothing is changed, because the ids do not exist.
    async fn roles(&mut self, operation: &Operation<'_>) -> Result<()> {
        let path = self.nowhere(operation).await?;
        let body = empty(&self.contract, operation);
        let word = operation.permission();
        for role in Role::ALL {
            let may = match word {
                "public" | "person" => true,
                "platform" => false,
                word => role.may(permission(word)?),
            };
            let answer = self.ask_as(role, operation, &path, &body).await?;
            let fine = !is_unproven(&answer) && may != is_forbidden(&answer);
            self.expect(fine, operation, role.as_str(), &answer);
        }
        let key = Proof::Key(self.home.api_key.clone());
        let answer = self.ask(operation, &path, &key, &body).await?;
        let fine = match word {
            "public" => !is_unproven(&answer),
            "person" | "platform" => is_unproven(&answer),
            _ => !is_unproven(&answer) && !is_forbidden(&answer),
        };
        self.expect(fine, operation, "an API key", &answer);
        if word != "public" {
            let token = format!("Bearer {}", self.tokens[&Role::Admin]);
            let key = self.home.api_key.as_str();
            let headers = [("authorization", token.as_str()), ("x-api-key", key)];
            let method = operation.method.to_uppercase();
            let answer = self.stage.play.request(&method, &path, &headers, "").await?;
            self.expect(answer.status == 400, operation, "two kinds of credentials", &answer);
        }
        let proof = Proof::Token(self.platform.clone());
        let mut platform = self.ask(operation, &path, &proof, &body).await?;
        if is_unproven(&platform) && word != "public" {
            self.platform = log_in(&self.stage.play, &self.platform_admin).await?;
            let proof = Proof::Token(self.platform.clone());
            platform = self.ask(operation, &path, &proof, &body).await?;
        }
        let fine = match word {
            "public" | "person" | "platform" => !is_unproven(&platform) && !is_forbidden(&platform),
            // Platform administrators belong to no tenant.
            _ => matches!(platform.status, 400 | 403),
        };
        self.expect(fine, operation, "the platform's administrator", &platform);
        Ok(())
    }

    /// Another tenant's ids are answered like unknown ids: same status, same text, same headers.
    async fn foreign_ids(&mut self, operation: &Operation<'_>) -> Result<()> {
        let of_tenant = operation.permission().parse::<Permission>().is_ok() || operation.permission() == "person";
        if operation.parameters().next().is_none() || !of_tenant {
            return Ok(());
        }
        let body = self.contract.example_body(operation);
        let theirs = self.real(operation).await?;
        let nobodys = self.nowhere(operation).await?;
        for role in Role::ALL {
            let foreign = self.ask_as(role, operation, &theirs, &body).await?;
            let missing = self.ask_as(role, operation, &nobodys, &body).await?;
            let may = operation.permission().parse().map_or(true, |known| role.may(known));
            let fine = foreign.status == if may { 404 } else { 403 };
            self.expect(fine, operation, &format!("{role} with another tenant's id"), &foreign);
            self.expect_same(operation, role.as_str(), &foreign, &missing);
        }
        if operation.permission() != "person" {
            let key = Proof::Key(self.home.api_key.clone());
            let foreign = self.ask(operation, &theirs, &key, &body).await?;
            let missing = self.ask(operation, &nobodys, &key, &body).await?;
            let (fine, who) = (foreign.status == 404, "an API key with another tenant's id");
            self.expect(fine, operation, who, &foreign);
            self.expect_same(operation, "an API key", &foreign, &missing);
        }
        Ok(())
    }

    async fn no_ids(&mut self, operation: &Operation<'_>) -> Result<()> {
        if operation.parameters().next().is_none() {
            return Ok(());
        }
        let body = self.contract.example_body(operation);
        let proof = Proof::Token(match operation.permission() {
            // One administrator per operation, because no tenant sets the rate limit of platform administrators.
            "platform" => {
                let login = self.stage.town.registry().appoint_another().await?;
                log_in(&self.stage.play, &login).await?
            }
            _ => self.tokens[&Role::Admin].clone(),
        });
        let long = "a".repeat(4096);
        for id in NO_IDS.into_iter().chain([long.as_str()]) {
            let values: Vec<_> = operation.parameters().map(|name| (name, id.to_owned())).collect();
            let path = operation.path_with(&values);
            let answer = self.ask(operation, &path, &proof, &body).await?;
            let fine = answer.status == 404 && kind(&answer) == "not_found";
            self.expect(fine, operation, &format!("{:.10} as id", id), &answer);
        }
        Ok(())
    }

    /// A caller who names a tenant of others is answered as if it did not exist.
    async fn foreign_tenant(&mut self, operation: &Operation<'_>) -> Result<()> {
        if operation.permission().parse::<Permission>().is_err() {
            return Ok(());
        }
        let path = self.nowhere(operation).await?;
        let body = empty(&self.contract, operation);
        let nobodys = format!("tnt_{}", new_ulid()?);
        // In turn: outside a tenant, a person has 100 requests a minute, and there are more.
        let role = Role::ALL[self.turn % Role::ALL.len()];
        let person = match (self.turn / Role::ALL.len()).is_multiple_of(2) {
            true => (Proof::Token(self.tokens[&role].clone()), self.away.id.clone()),
            false => (Proof::Token(self.away_tokens[&role].clone()), self.home.id.clone()),
        };
        self.turn += 1;
        let key = (Proof::Key(self.home.api_key.clone()), self.away.id.clone());
        for (proof, other) in [person, key] {
            let (play, method) = (&self.stage.play, operation.method);
            let foreign = ask(play, method, &path, &proof, Some(&other), &body).await?;
            let missing = ask(play, method, &path, &proof, Some(&nobodys), &body).await?;
            let who = "somebody who names another's tenant";
            self.expect(is_forbidden(&foreign), operation, who, &foreign);
            self.expect_same(operation, who, &foreign, &missing);
        }
        Ok(())
    }

    /// The operation's path with valid ids that do not exist.
    async fn nowhere(&self, operation: &Operation<'_>) -> Result<String> {
        let mut values = self.values(operation).await?;
        for (_, id) in &mut values {
            // What is no id is of the object before it.
            if let Some((prefix, _)) = id.split_once('_') {
                *id = format!("{prefix}_{}", new_ulid()?);
            }
        }
        Ok(operation.path_with(&values))
    }

    /// Values of the other tenant for the parameters of a path.
    async fn values<'o>(&self, operation: &Operation<'o>) -> Result<Vec<(&'o str, String)>> {
        let mut values = Vec::new();
        for name in operation.parameters() {
            let id = self.find_id(operation, name, &values).await?;
            values.push((name, id));
        }
        Ok(values)
    }

    /// The operation's path with ids of the other tenant.
    async fn real(&self, operation: &Operation<'_>) -> Result<String> {
        Ok(operation.path_with(&self.values(operation).await?))
    }

    /// An id of the other tenant for a path's parameter: from the list that the path belongs to, created if the list is empty. What
    /// has no list has an example. `before` are the values of the parameters before it.
    async fn find_id(&self, operation: &Operation<'_>, name: &str, before: &PathValues<'_>) -> Result<String> {
        let (list, _) = operation
            .path
            .split_once(&format!("/{{{name}}}"))
            .with_context(|| format!("{} has a parameter {name}", operation.path))?;
        let teach = || {
            format!(
                "walk.rs finds no id for {{{name}}} of {}: {list} must list items with `id`, or be taught here",
                operation.path
            )
        };
        let known = |method: &str| {
            let mut all = self.contract.operations();
            all.find(|other| other.path == list && other.method == method)
        };
        let parameters = operation.value["parameters"].as_array().into_iter().flatten();
        let mut parameters = parameters.filter(|parameter| parameter["name"] == name);
        let example = parameters.find_map(|parameter| {
            let examples = [&parameter["example"], &parameter["schema"]["example"]];
            examples.into_iter().find_map(api::word)
        });
        let Some(lists) = known("get") else {
            return example.with_context(teach);
        };
        let proof = self.keeper(&lists);
        if list == api::OPERATIONS {
            return api::start_operation(&self.stage.play, &self.contract, &proof).await;
        }
        if api::HAPPENINGS.contains(&list) {
            return api::find_or_make_entry(&self.stage.play, &proof, list).await;
        }
        let place = api::fill_path(list, before);
        let look = async || -> Result<Option<String>> {
            let found = api::ask_for_json(&self.stage.play, &proof, "get", &place, None).await?;
            let items = found["items"].as_array().cloned().unwrap_or_default();
            // What is found by something else than its id has a field of the parameter's name.
            let named = |item: &Value| api::word(&item[name]).or_else(|| api::word(&item["id"]));
            Ok(items.iter().find_map(named))
        };
        if let Some(id) = look().await? {
            return Ok(id);
        }
        // Something that comes by itself, such as a delivery, and has not come yet.
        let Some(create) = known("post") else {
            return example.with_context(teach);
        };
        api::make(&self.stage.play, &self.contract, &proof, &create, before).await?;
        look().await?.with_context(teach)
    }

    /// A caller who may list the other tenant's data.
    fn keeper(&self, lists: &Operation<'_>) -> Proof {
        match lists.permission() {
            "platform" => Proof::Token(self.platform.clone()),
            "person" => Proof::Token(self.away_tokens[&Role::Admin].clone()),
            _ => Proof::Key(self.away.api_key.clone()),
        }
    }

    /// All lists of the other tenant, except data that moves by itself.
    async fn all_of_away(&self) -> Result<BTreeMap<String, Value>> {
        let listed = |operation: &Operation<'_>| {
            let read = operation.method == "get" && operation.parameters().next().is_none();
            // What has been started goes on.
            let moves = operation.path == api::OPERATIONS || MOVING.iter().any(|end| operation.path.ends_with(end));
            read && operation.permission().parse::<Permission>().is_ok() && !moves
        };
        // Objects that the walk needs are created before anything is listed: one may bring another, as an order its contact.
        for operation in self.contract.operations().filter(listed) {
            for other in self.contract.operations() {
                if other.path.starts_with(&format!("{}/{{", operation.path))
                    && let Some(name) = other.parameters().next()
                {
                    self.find_id(&other, name, &[]).await?;
                    break;
                }
            }
        }
        let mut all = BTreeMap::new();
        let key = Proof::Key(self.away.api_key.clone());
        for operation in self.contract.operations().filter(listed) {
            let mut shown = api::ask_for_json(&self.stage.play, &key, "get", operation.path, None).await?;
            for item in shown["items"].as_array_mut().into_iter().flatten() {
                // What has been started goes on.
                if let Some(started) = item.get_mut("operation") {
                    started.take();
                }
            }
            all.insert(operation.id().to_owned(), shown);
        }
        Ok(all)
    }
}

fn permission(word: &str) -> Result<Permission> {
    word.parse().with_context(|| format!("`{word}` is no permission"))
}

/// An empty body: unauthorized callers are refused before it is read, and for authorized ones it changes nothing.
fn empty(contract: &Contract, operation: &Operation<'_>) -> Body {
    let (content_type, _) = contract.example_body(operation)?;
    Some((content_type, json!({})))
}

fn is_unproven(answer: &Answer) -> bool {
    answer.status == 401 && kind(answer) == "unauthorized"
}

fn is_forbidden(answer: &Answer) -> bool {
    answer.status == 403 && kind(answer) == "forbidden"
}

/// How two answers differ, apart from what differs in every answer; `None` if they are equal.
fn difference(one: &Answer, other: &Answer) -> Option<String> {
    // `connection` is of the hop, not of the answer.
    const OWN: [&str; 10] = [
        "x-correlation-id",
        "date",
        "connection",
        "apigw-requestid",
        "x-amzn-requestid",
        "x-amz-apigw-id",
        "x-amz-request-id",
        "ratelimit-remaining",
        "ratelimit-reset",
        "server-timing",
    ];
    let told = |answer: &Answer| {
        let headers = answer.headers.iter();
        let headers = headers.filter(|(name, _)| !OWN.contains(&name.as_str()));
        let headers = headers.map(|(name, value)| format!("{name}: {value}"));
        let told = [answer.status.to_string(), answer.body.clone()];
        told.into_iter().chain(headers).collect::<BTreeSet<_>>()
    };
    let (one, other) = (told(one), told(other));
    let apart: Vec<_> = one.symmetric_difference(&other).cloned().collect();
    (!apart.is_empty()).then(|| apart.join(" | "))
}
