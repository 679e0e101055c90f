//! Flows that make functions use their permissions: one row for each statement, and what they consist of.

mod accounts;
mod calls;
mod contacts;
mod contents;
mod media;
mod operations;
mod reports;
mod templates;

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use domain::{Timestamp, message::Channel};
use providers::whatsapp;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use store::TenantScope;
use ulid::Ulid;

use super::{Audit, Full, Role};
use crate::{
    api, business, contract,
    endpoints::Tenant,
    mails,
    play::{Answer, new_phone},
    secrets::random_hex,
    vendors,
};

/// Maximum wait for one step, enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// The result of a flow: the answer's status, if there is one.
trait Status {
    fn status(&self) -> Option<u16>;
}

impl Status for u16 {
    fn status(&self) -> Option<u16> {
        Some(*self)
    }
}

impl Status for Answer {
    fn status(&self) -> Option<u16> {
        Some(self.status)
    }
}

/// An address, and what was answered for it.
impl Status for (String, Answer) {
    fn status(&self) -> Option<u16> {
        self.1.status()
    }
}

impl Status for String {
    fn status(&self) -> Option<u16> {
        None
    }
}

/// The paths of what was made.
impl Status for Vec<String> {
    fn status(&self) -> Option<u16> {
        None
    }
}

impl Status for () {
    fn status(&self) -> Option<u16> {
        None
    }
}

/// A table of flows, by function and statement: runs the first that matches.
macro_rules! flows {
    ($audit:ident, $role:ident, $sid:ident, $again:ident;
        $($how:ident $function:pat, $statement:pat $(if $only:expr)? => $flow:expr;)*) => {
        match ($role.name(), $sid) {
            $(($function, $statement) $(if $only)? => {
                flows!(@$how $audit, $role, $again);
                return Ok(Box::pin($flow).await?.status());
            })*
            _ => {}
        }
    };
    (@each $audit:ident, $role:ident, $again:ident) => {};
    (@once $audit:ident, $role:ident, $again:ident) => {
        if $again {
            return Ok(None);
        }
    };
    (@fresh $audit:ident, $role:ident, $again:ident) => {
        $audit.kill($role)?;
    };
    (@once_fresh $audit:ident, $role:ident, $again:ident) => {
        flows!(@once $audit, $role, $again);
        flows!(@fresh $audit, $role, $again);
    };
}

impl Audit<'_> {
    /// Runs the functions' flows in both directions. Nothing may be denied after `since`; unless `strict`, nothing of this business,
    /// because records denied earlier may still be delivered again.
    pub(super) async fn ordinary(&self, since: i64, strict: bool) -> Result<()> {
        let business = self.open().await?;
        let (by_pbx, by_twilio) = (new_phone()?, new_phone()?);
        for (from, via) in [(&by_pbx, "telephony"), (&by_twilio, "twilio")] {
            self.play
                .call(&business.id, from, "missed", json!({ "via": via }))
                .await?;
            self.play
                .accepted(&business.id, from, Channel::WhatsApp, PATIENCE)
                .await?;
        }
        // Identities of other kinds, to whom nothing is sent.
        for from in ["anonymous", "sip:reception@example.test"] {
            let call = json!({ "tenant": business.id, "from": from, "outcome": "missed", "via": "telephony" });
            self.play.post("/calls", &call).await?;
        }
        for kind in vendors::KINDS {
            ensure!(
                self.vendor(&business, kind, true).await? == 200,
                "{kind}: an event is not taken"
            );
        }
        for (from, channel) in [(&by_pbx, Channel::WhatsApp), (&by_twilio, Channel::Sms)] {
            self.play
                .reply(&business.id, from, channel, "What are your opening hours?")
                .await?;
        }
        self.answered(&business, &by_pbx).await?;
        self.handshake().await?;
        self.large_reply(&business).await?;
        self.unknown_change(&business).await?;
        self.reported_limit(&business).await?;
        self.reported_template(&business, "APPROVED").await?;
        self.reported_account(&self.open().await?).await?;
        self.unlisted_number(&self.open().await?).await?;
        self.shared_app().await?;
        self.refused_credentials().await?;
        let told = self.open().await?;
        self.notified(&told, false).await?;
        mails::arrived(self.play, &told.users.manager.email, PATIENCE).await?;
        self.dispatch().await?;
        self.deep_health().await?;
        self.people(&business).await?;
        self.resources(&business).await?;
        self.unreadable_row(&business).await?;
        self.contacts(&business).await?;
        self.looked_through(&business).await?;
        let recorded = self.open().await?;
        let heard = self.listened(&recorded).await?;
        ensure!(heard.status == 200, "nobody hears a recording: {}", heard.body);
        self.dropped(&recorded).await?;
        self.media_and_assets(&self.open().await?).await?;
        Box::pin(self.files_sent()).await?;
        self.tried(&business).await?;
        self.requested(&self.open().await?).await?;
        self.templates(&self.open().await?).await?;
        self.doubted(&self.open().await?).await?;
        // Its key has requests of its own.
        let other = self.open().await?;
        self.ordered(&other).await?;
        let segments = self.segments(&other).await?;
        self.counted(&other, &segments).await?;
        self.changed(&other, &segments).await?;
        self.named(&business).await?;
        self.erased(&business).await?;
        self.cancelled(&business).await?;
        // A key has 100 requests a minute.
        self.suppressed(&self.open().await?).await?;
        self.merged(&self.open().await?).await?;
        self.imported(&self.open().await?).await?;
        let other = self.open().await?;
        let started = self.retained(&other).await?;
        self.ends_well(&other, &started).await?;
        let archives = self.open().await?;
        self.erased_with_archive(&archives).await?;
        self.archive_given_up(&archives).await?;
        let links = self.open().await?;
        for status in [self.looked_at(&links).await?, self.chosen(&links).await?] {
            ensure!(status < 400, "a preference page answers {status}");
        }
        let status = self.turned_away(&links).await?;
        ensure!(status == 404, "a link that went to somebody else answers {status}");
        self.sessions().await?;
        self.platform(&business).await?;
        self.rolled_up(&business).await?;
        self.reports(&self.open().await?).await?;
        let person = self.mail(None).await?;
        mails::arrived(self.play, &person, PATIENCE).await?;
        for from in [&by_pbx, &by_twilio] {
            self.play
                .known(&business.id, from, PATIENCE, "the customer's reply", |customer| {
                    customer.received.first().map(drop)
                })
                .await?;
        }
        // Last, because it deletes its WhatsApp connection.
        self.settings_and_connections(&business).await?;
        let lines = self.logs(&self.log_groups(), since).await?;
        let denied = lines
            .iter()
            .find(|line| line.contains("AccessDenied") && (strict || line.contains(&business.id)));
        if let Some(line) = denied {
            bail!("denied with everything allowed: {line}");
        }
        Ok(())
    }

    /// Runs the flow of this statement; returns the answer's status if there is one. With `again`, the same flow still waits for its
    /// failure.
    pub(super) async fn drive(&self, role: &Role, sid: &str, business: &Tenant, again: bool) -> Result<Option<u16>> {
        let kind = role.name().trim_end_matches("_webhook");
        let of_api = |sids: &[&str]| role.function.of_api() && sids.contains(&sid);
        // The first row that matches. `once`: not repeated, because a queue or the stream delivers it again. `fresh`: what a process
        // reads once is read again. A function of the API needs no row: it creates or lists what it is named after.
        flows! { self, role, sid, again;
            each "twilio_voice_webhook", "Keep" => self.twilio(business, "status", "CallStatus=completed");
            each "twilio_voice_webhook", "ReadTenant" | "ReadLines" => self.rang(business);
            each "twilio_voice_webhook", _ => self.ended(business);
            each "twilio_message_webhook", "Keep" => self.twilio(business, "inbound", "Body=hello");
            each "twilio_message_webhook", _ => self.texted(business);
            fresh "whatsapp_webhook", "ReadMetaApp" => self.handshake();
            each "whatsapp_webhook", "Keep" => self.whatsapp(business, "[]");
            each "whatsapp_webhook", _ => self.status(business);
            each "telephony_webhook", _ => self.reported(business);
            each _, _ if vendors::KINDS.contains(&kind) => self.vendor(business, kind, sid != "Keep");

            once "process_call", "LayAside" => self.full_caller(business);
            // Completed without a dial result: a check is queued for the end of the wait.
            once "process_call", "LookAgain" => self.ended(business);
            once "process_call", _ => self.missed(business);
            // A failed message continues by SMS.
            once "process_provider_event", "Enqueue" => self.missed_despite(business, "not_on_whatsapp", None);
            once "process_provider_event", "LayAside" => self.full_customer(business);
            once "process_provider_event", "Raise" => self.reported_account(business);
            once "process_provider_event", "ReadLarge" => self.large_reply(business);
            once "process_provider_event", "MissLarge" => self.lost_reply(business);
            once "process_provider_event", "KeepUnknown" => self.unknown_change(business);
            once "process_provider_event", _ => self.status(business);
            once "send_message", "LayAside" => self.full_message(business);
            // A refusal that may be retried soon.
            once "send_message", "Enqueue" => self.missed_despite(business, "throttled", Some(1));
            each "send_message", "SeeBacklog" => self.unknown_outcome(business, again);
            once "send_message", "Raise" => self.missed_despite(business, "bad_credentials", None);
            once "send_message", _ => self.missed(business);
            once "fetch_media", "Forget" | "DropFile" => self.forgot_a_picture(business);
            once "fetch_media", "LayAside" => self.full_medium(business);
            once "fetch_media", "ReadAsset" => self.asset_uploaded(business);
            once "fetch_media", _ => self.photographed(business);
            once "publish_changes", "Audit" => self.invited(business);
            once "publish_changes", "Spill" => self.unreadable_row(business);
            once "publish_changes", _ => self.missed(business);
            fresh "notify_people", "SealMail" => self.notified(business, again);
            each "notify_people", _ => self.notified(business, again);
            once_fresh "send_mail", "OpenMail" => self.signs_up();
            once "send_mail", _ => self.mail(Some("server_error"));
            each "dispatch_due", "Lease" | "Enqueue" => self.unknown_outcome(business, again);
            each "dispatch_due", "Start" => self.erased(business);
            each "dispatch_due", "SweepSpilled" => self.swept(business);
            each "dispatch_due", _ => self.dispatch();
            each "erase_contact", "EraseFiles" => self.erased_with_archive(business);
            each "erase_contact", _ => self.erased(business);
            each "archive_contact", "EraseFiles" => self.archive_given_up(business);
            each "archive_contact", _ => self.archived(business);
            // A second step follows the first only if a page does not hold all contacts.
            once "count_segment", "Continue" => self.counted_in_steps(business);
            once "count_segment", _ => self.counted_by(business);
            once "change_contacts", _ => self.changed_by(business);
            once "sync_templates", _ => self.synced(business);
            each "start_template_syncs", _ => self.syncs_started();
            each "segments", "Search" => self.segment_shown(business);
            each "segments", "Start" => self.segment_counted(business);
            once "apply_retention", "Continue" => self.retained_for_ages(business);
            each "apply_retention", _ => self.retained_anew();
            each "tenant", "Start" => self.retained_anew();
            each "import_contacts", _ => self.imports(business);
            each "export_data", _ => self.exports_somebody(business);
            each "imports", "Start" | "ReadMany" | "ReadUpload" => self.imports(business);
            each "exports", "Start" => self.exports(business);
            each "operations", "Write" => self.cancelled(business);
            each "automations", "List" => self.replayed(business);
            each "messages", "Enqueue" => self.created(business, "messages");
            each "contacts", "CountNotes" => self.noted(business);
            each "contacts", "Start" => self.erased_by_user(business);
            each "delete_tenants", _ => self.deleted(business, again);
            each "roll_up_counters", _ => self.rolled_up(business);
            each "make_platform_admin", "Remove" => self.dismissed();
            fresh "make_platform_admin", "SealMail" => self.appointed();
            each "make_platform_admin", _ => self.appointed();

            fresh "auth", "SignAndSeal" => self.logs_in();
            fresh "auth", "SealMail" => self.signs_up();
            each "auth", "Count" => self.founded();
            each "auth", "Enqueue" => self.signs_up();
            each "auth", "Tally" => self.mistyped(&mails::new_address()?);
            each "auth", _ => self.logs_in();
            fresh "platform", "SealMail" => self.invited_by_platform(business);
            each "platform", "Enqueue" => self.invited_by_platform(business);
            each "platform", "Count" => self.founded_by_platform();
            each "platform", "Write" => self.suspended(business);
            each "platform", "ListTenants" => self.of_platform("GET", "/tenants", None);
            each "platform", _ => self.of_platform("GET", &format!("/tenants/{}", business.id), None);
            fresh "users", "SealMail" => self.invited(business);
            each "users", "Enqueue" | "Write" => self.invited(business);
            // Only creating a connection encrypts verification secrets, and only a test decrypts sending secrets.
            each "connections", "Verify" | "Write" | "Count" => self.connected(business);
            each "connections", "Send" => self.tested(business);
            each "tenant", "Write" => self.api(business, "PATCH", "/api/v1/tenant", Some(words()));
            each "templates", "Send" | "ReadSample" => self.submitted(business);
            each "templates", "Start" => self.listed_again(business);
            each "recordings", "DropCopy" => self.listened_too_late(business);
            each "recordings", _ => self.listened(business);
            each "media", _ => self.saw_a_picture(business);
            each "assets", "ReadUpload" | "KeepFile" => self.completed(business);
            each "assets", "DropFile" => self.asset_deleted(business);
            each "health", _ => self.deep_health_uncached();
            each "preferences", "Record" => self.chosen(business);
            each "preferences", _ => self.looked_at(business);
            each _, _ if of_api(&["Write", "Count"]) && self.creates(kind).is_some() => self.created(business, kind);
            each _, _ if role.function.of_api() => self.listed(business, kind);
        }
        bail!("no flow is known for this statement: add one to infra/stack/src/iam.rs")
    }

    /// A business that no warm process has cached.
    pub(super) async fn open(&self) -> Result<Tenant> {
        let plan = |plan: &mut business::Plan| {
            plan.then()["sms_text"]["en"] =
                "{{tenant.name}}: sorry. How about our {{product.cake.name}}? {{preferences.code}}".into();
            plan.file["tenant"]["answers"] =
                json!({ "help": { "text": "{{product.cake.name}} {{preferences.code}}" } });
            self.vendors.connect(plan)
        };
        self.town.open("Audited", plan).await
    }

    /// The WhatsApp connection is tested.
    async fn tested(&self, business: &Tenant) -> Result<Answer> {
        let path = connection_path(business, "whatsapp")?;
        self.api(business, "POST", &format!("{path}/test"), None).await
    }

    /// What a function of the API is named after is listed.
    async fn listed(&self, business: &Tenant, resource: &str) -> Result<Answer> {
        let path = format!("/api/v1/{}", resource.replace('_', "-"));
        self.api(business, "GET", &path, None).await
    }

    fn path(&self, business: &Tenant, kind: &str, what: &str) -> Result<String> {
        let connection = business.connections.get(kind);
        let connection = connection.with_context(|| format!("the business has {kind}"))?;
        Ok(format!("/webhooks/{kind}/{}/{connection}{what}", business.id))
    }

    async fn post(&self, path: &str, content_type: &str, signed: &[(&str, &str)], body: String) -> Result<u16> {
        let mut headers = vec![("content-type", content_type)];
        headers.extend_from_slice(signed);
        Ok(self.play.request("POST", path, &headers, body).await?.status)
    }

    /// Empties the full rows of a business, so that their jobs end.
    pub(super) async fn make_room(&self, business: &Tenant) -> Result<()> {
        let (store, scope) = (&self.play.store, scope(business)?);
        let is_own = |(of, _): &mut (TenantScope, Full)| *of == scope;
        let own: Vec<_> = self.full.lock().await.extract_if(.., is_own).collect();
        for (_, full) in own {
            match full {
                Full::Contact(id) => {
                    let mut contact = store.contact(&scope, id).await?.context("there is a contact")?;
                    contact.called_from = None;
                    store.write_contact(&scope, &contact.into(), None).await?;
                }
                Full::Message(id) => {
                    let found = store.message(&scope, id, Timestamp::now()).await?;
                    let mut message = found.context("there is a message")?;
                    message.remarks.clear();
                    store.write_message(&scope, &message).await?;
                }
                Full::Medium(id) => {
                    let found = store.medium(&scope, id, 0, Timestamp::now()).await?;
                    let mut medium = found.context("there is a medium")?.medium;
                    medium.correlation_id = "iam".to_owned();
                    store.write_medium(&scope, &medium).await?;
                }
            }
        }
        Ok(())
    }

    /// Creates the missing rows, so that their job ends.
    pub(super) async fn find_lost(&self) -> Result<()> {
        let body = json!({
            "object": "whatsapp_business_account",
            "entry": [{ "id": "1", "changes": [{ "field": "not_known_yet", "value": {} }] }],
        });
        let changes = whatsapp::webhook::split(body.to_string().as_bytes());
        let change = changes.ok().and_then(|changes| changes.into_iter().next());
        let change = serde_json::to_string(&change.context("it is a change")?).context("writing a change")?;
        let put = json!({ "Bucket": self.output("RawBucketName")?, "Key": self.lost, "Body": change });
        self.aws.call("s3", "put_object", put).await.map(drop)
    }

    /// A call's report that no queue delivers: the dispatcher finds it when it is due.
    pub(super) async fn decided_late(&self) -> Result<()> {
        let business = self.open().await?;
        let role = self.role("process_call")?;
        self.put_work(role, &["LookAgain"]).await?;
        let ended = self.ended(&business).await;
        let found = async {
            ended?;
            self.comes_to_use("dispatch_due", "dynamodb:UpdateItem", "T#*#REF#*")
                .await
        };
        let found = Box::pin(found).await;
        self.put_work(role, &[]).await?;
        found
    }

    /// A request with an API key, sent twice, as if its answer had been lost.
    async fn api(&self, business: &Tenant, method: &str, path: &str, body: Option<Value>) -> Result<Answer> {
        let once = random_hex(8)?;
        let mut headers = vec![
            ("x-api-key", business.api_key.as_str()),
            ("content-type", "application/json"),
        ];
        headers.extend((method == "POST").then_some(("idempotency-key", once.as_str())));
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let answer = self.patiently(method, path, &headers, &body).await?;
        if method == "POST" && (200..300).contains(&answer.status) {
            let again = self.patiently(method, path, &headers, &body).await?;
            // 409 if the answer contained a secret that is shown once.
            ensure!(again.status < 500, "{method} {path} once more: {}", again.body);
        }
        Ok(answer)
    }

    /// The answer to a request, also if the key had to wait for the next minute: a fast machine uses up the requests of one.
    async fn patiently(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer> {
        loop {
            let answer = self.play.request(method, path, headers, body.to_owned()).await?;
            let wait = answer.header("retry-after").and_then(|seconds| seconds.parse().ok());
            match wait {
                Some(seconds @ 0..=60) if answer.status == 429 => {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                }
                _ => return Ok(answer),
            }
        }
    }

    /// The operation that creates what a function of the API is named after.
    fn creates(&self, resource: &str) -> Option<contract::Operation<'_>> {
        let path = format!("/api/v1/{}", resource.replace('_', "-"));
        let mut all = self.contract.operations();
        all.find(|operation| operation.method == "post" && operation.path == path)
    }

    /// Creates one by the document's example.
    async fn created(&self, business: &Tenant, resource: &str) -> Result<Answer> {
        let create = self.creates(resource).context("the document says how to create it")?;
        let body = api::new_body(&self.contract, &create)?.map(|(_, body)| body);
        self.api(business, "POST", create.path, body).await
    }

    /// Whatever the contract creates, lists, reads, changes and deletes under one path, except connections, which have flows of
    /// their own.
    async fn resources(&self, business: &Tenant) -> Result<()> {
        for role in self.roles.iter().filter(|role| role.name() != "connections") {
            let Some(create) = self.creates(role.name()).filter(|_| role.function.of_api()) else {
                continue;
            };
            let made = self.created(business, role.name()).await?;
            ensure!(made.status == 201, "nothing is made: {}", made.body);
            let place = made.header("location").context("it says where it is")?;
            let item = format!("{}/{{", create.path);
            let of_item = |operation: &contract::Operation<'_>| {
                let rest = operation.path.strip_prefix(&item);
                rest.is_some_and(|rest| rest.ends_with('}') && !rest.contains('/'))
            };
            let here: Vec<_> = self.contract.operations().filter(of_item).collect();
            let change = here.iter().find(|operation| operation.method == "patch");
            let body = change.and_then(|change| self.contract.example_body(change).map(|(_, body)| body));
            let read = [("GET", create.path, None), ("GET", place, None)];
            let of_one = [("PATCH", place, body), ("DELETE", place, None)];
            let of_one = of_one
                .into_iter()
                .filter(|(method, ..)| here.iter().any(|one| one.method.eq_ignore_ascii_case(method)));
            for (method, path, body) in read.into_iter().chain(of_one) {
                let answer = self.api(business, method, path, body).await?;
                let fine = (200..300).contains(&answer.status);
                ensure!(fine, "{method} {path}: {} {}", answer.status, answer.body);
            }
        }
        Ok(())
    }

    /// Automations are put in another order, which writes the tenant's row with theirs.
    async fn ordered(&self, business: &Tenant) -> Result<()> {
        const LIST: &str = "/api/v1/automations";
        let made = self.created(business, "automations").await?;
        ensure!(made.status == 201, "nothing is made: {}", made.body);
        let listed = succeeded(&self.api(business, "GET", LIST, None).await?, LIST)?;
        let items = listed["items"].as_array().into_iter().flatten();
        let backwards: Vec<&Value> = items.rev().map(|item| &item["id"]).collect();
        let (path, order) = (format!("{LIST}/order"), json!({ "automations": backwards }));
        let answer = self.api(business, "POST", &path, Some(order)).await?;
        succeeded(&answer, &path).map(drop)
    }

    /// Connects a telephone system.
    async fn connected(&self, business: &Tenant) -> Result<Answer> {
        let body = json!({ "kind": "telephony", "name": "audited" });
        self.api(business, "POST", "/api/v1/connections", Some(body)).await
    }

    /// Settings are changed; a telephone system is connected and its secret rotated; WhatsApp is tested and disconnected. A business
    /// without lines gets its first.
    async fn settings_and_connections(&self, business: &Tenant) -> Result<()> {
        let none = |plan: &mut business::Plan| plan.file["lines"] = json!([]);
        let without = self.town.open("Without lines", none).await?;
        let made = self.connected(&without).await?;
        ensure!(made.status == 201, "nothing is connected: {}", made.body);
        let made = self.connected(business).await?;
        ensure!(made.status == 201, "nothing is connected: {}", made.body);
        let place = made.header("location").context("it says where it is")?;
        let whatsapp = connection_path(business, "whatsapp")?;
        for (method, path, body, status) in [
            ("PATCH", "/api/v1/tenant".to_owned(), Some(words()), 200),
            ("GET", "/api/v1/tenant/setup".to_owned(), None, 200),
            ("POST", format!("{place}/rotate"), Some(json!({})), 200),
            ("GET", "/api/v1/connections".to_owned(), None, 200),
            ("POST", format!("{whatsapp}/test"), None, 200),
            ("DELETE", whatsapp, None, 204),
        ] {
            let answer = self.api(business, method, &path, body).await?;
            ensure!(
                answer.status == status,
                "{method} {path} answers {}: {}",
                answer.status,
                answer.body
            );
        }
        Ok(())
    }

    async fn post_json(&self, path: &str, body: &Value) -> Result<Answer> {
        let headers = [("content-type", "application/json")];
        self.play.request("POST", path, &headers, body.to_string()).await
    }

    /// Invokes a function directly. Its log shows whether it failed.
    async fn invoke(&self, function: &str, payload: Value) -> Result<()> {
        let name = &self.role(function)?.deployed;
        let asked = json!({ "FunctionName": name, "Payload": payload.to_string() });
        self.aws.call("lambda", "invoke", asked).await.map(drop)
    }

    /// A mail to a new address, which SES refuses once with this fault. Returns the address.
    async fn mail(&self, fault: Option<&str>) -> Result<String> {
        let to = mails::new_address()?;
        if let Some(kind) = fault {
            let fault = json!({ "api": "ses", "kind": kind, "number": to, "times": 1 });
            self.play.fault(fault).await?;
        }
        let mail = jobs::MailJob {
            tenant: None,
            correlation_id: "iam".to_owned(),
            id: to.clone(),
            to: to.clone(),
            language: "en".to_owned(),
            mail: jobs::Mail::PasswordChanged {},
        };
        mails::order(&self.aws, self.town, &mail).await?;
        Ok(to)
    }

    /// A result is cached for five seconds.
    async fn deep_health_uncached(&self) -> Result<u16> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.deep_health().await
    }

    async fn deep_health(&self) -> Result<u16> {
        Ok(self
            .play
            .request("GET", "/api/v1/health?deep=true", &[], "")
            .await?
            .status)
    }

    /// Runs the scheduled function now.
    async fn dispatch(&self) -> Result<()> {
        self.invoke("dispatch_due", json!({})).await
    }

    /// A message's row that no version of our code writes.
    async fn unreadable_row(&self, business: &Tenant) -> Result<()> {
        let text = |text: &str| json!({ "S": text });
        // Writing the same row again would be no change.
        let own = random_hex(8)?;
        let item = json!({
            "pk": text(&format!("T#{}#C#audited", business.id.trim_start_matches("tnt_"))), "sk": text(&format!("MSG#{own}")),
            "kind": text("message"), "data": text("not a message"),
        });
        let put = json!({ "TableName": self.play.endpoints.table, "Item": item });
        self.aws.call("dynamodb", "put_item", put).await.map(drop)
    }

    /// Kills the function's processes in this stack; the next event starts a new one.
    fn kill(&self, role: &Role) -> Result<()> {
        let name = format!("AWS_LAMBDA_FUNCTION_NAME={}", role.deployed);
        let stack = format!("AWS_ENDPOINT_URL={}", self.play.endpoints.aws_endpoint);
        for process in std::fs::read_dir("/proc").context("listing processes")?.flatten() {
            let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // Processes of others cannot be read and are skipped.
            let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
            let has = |wanted: &str| environment.split(|byte| *byte == 0).any(|one| one == wanted.as_bytes());
            if has(&name)
                && has(&stack)
                && let Some(pid) = Pid::from_raw(pid)
            {
                // It may just have ended.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        Ok(())
    }
}

/// The body of an answer that must be a 2xx.
fn succeeded(answer: &Answer, what: &str) -> Result<Value> {
    let good = (200..300).contains(&answer.status);
    ensure!(good, "{what}: {} {}", answer.status, answer.body);
    Ok(serde_json::from_str(&answer.body).unwrap_or_default())
}

/// The path of the business's connection of this kind.
fn connection_path(business: &Tenant, kind: &str) -> Result<String> {
    let id = business.connections.get(kind);
    let id = id.with_context(|| format!("the business has {kind}"))?;
    Ok(format!("/api/v1/connections/{id}"))
}

/// A change of a tenant's settings.
fn words() -> Value {
    json!({ "start_words": ["yalla"] })
}

fn scope(business: &Tenant) -> Result<TenantScope> {
    let id = business.id.parse().context("reading a tenant's id")?;
    Ok(access::operator::scope(id))
}

fn new_ulid() -> Result<Ulid> {
    Ok(business::new_ulid()?.parse()?)
}
