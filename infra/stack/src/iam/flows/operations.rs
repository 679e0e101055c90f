//! Operations, and the files that they read and write.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use domain::{
    Timestamp,
    actor::{Actor, Stamp},
    applying::ApplyRetention,
    archive::ArchiveContact,
    erasure::EraseContact,
    ids::{ContactId, OperationId},
    message::Channel,
    operation::{Data, Operation, OperationKind, OperationState},
    retention::Retention,
};
use jiff::civil::Date;
use serde_json::{Value, json};
use store::TenantScope;

use super::{PATIENCE, new_ulid, scope};
use crate::{
    api,
    endpoints::Tenant,
    iam::Audit,
    play::{Answer, Look, new_phone, until},
    secrets::random_hex,
};

impl Audit<'_> {
    /// A contact is archived. Returns the path of the archive.
    pub(super) async fn archived(&self, business: &Tenant) -> Result<String> {
        let contact = self.known(business).await?;
        self.archive_of(business, contact).await
    }

    pub(super) async fn archive_of(&self, business: &Tenant, contact: ContactId) -> Result<String> {
        let path = format!("/api/v1/contacts/{contact}/archive");
        let made = self.api(business, "POST", &path, None).await?;
        ensure!(made.status == 202, "{path}: {} {}", made.status, made.body);
        let place = made.header("location").context("it says where it is")?;
        Ok(place.to_owned())
    }

    /// An archive of a contact whose erasure has begun is given up.
    pub(super) async fn archive_given_up(&self, business: &Tenant) -> Result<()> {
        let (scope, contact) = (scope(business)?, self.known(business).await?);
        self.edit(&scope, contact, |contact| contact.erasing = true).await?;
        let params = Data::of(&ArchiveContact { contact })?;
        self.due_operation(&scope, OperationKind::ArchiveContact, params)
            .await?;
        self.dispatch().await
    }

    /// An operation that erases a contact, due now. Returns its path in the API.
    pub(super) async fn operation(&self, scope: &TenantScope, contact: ContactId) -> Result<String> {
        let deleted_at = Timestamp::now() - Operation::FIRST_DUE;
        self.edit(scope, contact, |contact| contact.deleted_at = Some(deleted_at))
            .await?;
        let params = Data::of(&EraseContact { contact, deleted_at })?;
        let id = self.due_operation(scope, OperationKind::EraseContact, params).await?;
        Ok(format!("/api/v1/operations/{id}"))
    }

    /// An operation that is due now.
    pub(super) async fn due_operation(
        &self,
        scope: &TenantScope,
        kind: OperationKind,
        params: Data,
    ) -> Result<OperationId> {
        let at = Timestamp::now() - Operation::FIRST_DUE;
        let id = OperationId::new(new_ulid()?);
        let operation = Operation::new(id, kind, params, Actor::Operator, "iam".to_owned(), at);
        let stamp = Stamp {
            actor: Actor::Operator,
            at,
            correlation_id: "iam".to_owned(),
        };
        self.play.store.create_operation(scope, &operation, &stamp).await?;
        Ok(id)
    }

    /// An operation that was started, whose answer this is, ends as it should. Returns its result.
    pub(super) async fn ends_well(&self, business: &Tenant, started: &Answer) -> Result<Value> {
        ensure!(started.status == 202, "{} {}", started.status, started.body);
        let started = api::json(started);
        let id: OperationId = started["id"].as_str().context("an operation has an id")?.parse()?;
        let (store, scope, begun) = (&self.play.store, scope(business)?, Instant::now());
        loop {
            let found = store.operation(&scope, id, Timestamp::now()).await?;
            let operation = found.context("the operation is stored")?.value;
            if operation.state == OperationState::Done {
                let result = operation.result.map(Data::into_json);
                return result.context("it has a result");
            }
            let kind = operation.kind.as_str();
            ensure!(!operation.state.is_end(), "{kind} has ended: {:?}", operation.reason);
            ensure!(
                begun.elapsed() < PATIENCE,
                "{kind} does not end: {:?}",
                operation.progress
            );
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// An operation is cancelled.
    pub(super) async fn cancelled(&self, business: &Tenant) -> Result<Answer> {
        let params = Data::of(&json!({ "contact": ContactId::new(new_ulid()?) }))?;
        let scope = scope(business)?;
        let id = self
            .due_operation(&scope, OperationKind::ArchiveContact, params)
            .await?;
        let place = format!("/api/v1/operations/{id}");
        self.api(business, "GET", &place, None).await?;
        self.listed(business, "operations").await?;
        self.api(business, "POST", &format!("{place}/cancel"), None).await
    }

    /// A shorter retention is applied to a call, its reports and its message. Returns the answer with the operation.
    pub(super) async fn retained(&self, business: &Tenant) -> Result<Answer> {
        let set = async |days: u32| {
            let retention = json!({ "retention": { "calls_days": days, "messages_days": days } });
            self.api(business, "PATCH", "/api/v1/tenant", Some(retention)).await
        };
        set(365).await?;
        let from = new_phone()?;
        self.missed_from(business, &from).await?;
        self.play
            .accepted(&business.id, &from, Channel::WhatsApp, PATIENCE)
            .await?;
        set(30).await?;
        self.api(business, "GET", "/api/v1/tenant/retention", None).await?;
        self.api(business, "POST", "/api/v1/tenant/retention/apply", None).await
    }

    /// The same of another business: one that failed is tried again for hours, and keeps its business from the next.
    pub(super) async fn retained_anew(&self) -> Result<Answer> {
        self.retained(&self.open().await?).await
    }

    /// A retention is applied to so many days that one step does not reach the first.
    pub(super) async fn retained_for_ages(&self, business: &Tenant) -> Result<()> {
        let order = ApplyRetention {
            retention: Retention::default(),
            first: Date::constant(2000, 1, 1),
            total: 0,
        };
        let (scope, kind) = (scope(business)?, OperationKind::ApplyRetention);
        self.due_operation(&scope, kind, Data::of(&order)?).await?;
        self.dispatch().await
    }

    /// A table is uploaded, previewed and imported: somebody new, a contact who is changed in all that an import writes, and a row that is
    /// refused. Returns the path of the import.
    pub(super) async fn imports(&self, business: &Tenant) -> Result<String> {
        let own = random_hex(4)?;
        let (known, new) = (new_phone()?, new_phone()?);
        let field = json!({ "key": "joined", "name": "Joined", "type": "date", "searchable": true });
        let contact = json!({ "name": "Before", "phones": [known], "fields": { "joined": "2026-01-01" } });
        for (resource, body) in [
            ("fields", field),
            ("stages", json!({ "name": "Imported", "position": 1 })),
            ("contacts", contact),
        ] {
            let path = format!("/api/v1/{resource}");
            let made = self.api(business, "POST", &path, Some(body)).await?;
            // The flow was run before.
            let fine = made.status == 201 || made.status == 409;
            ensure!(fine, "{resource}: {} {}", made.status, made.body);
        }
        let table = format!(
            "name,phone,email,tags,stage,owner,joined,opted_in\n\
             Maya,{new},{own}@example.test,Tag {own},Imported,,2026-01-02,yes\n\
             After,{known},after-{own}@example.test,Tag {own},,,2026-02-02,yes\n\
             Last,{known},,,,,,\n\
             Nobody,12,,,,,,\n"
        );
        let create = json!({ "name": "audited.csv", "size": table.len() });
        let created = self.api(business, "POST", "/api/v1/imports", Some(create)).await?;
        ensure!(created.status == 201, "no import: {} {}", created.status, created.body);
        let place = created.header("location").context("it says where it is")?.to_owned();
        let sent = api::upload(self.play, &api::json(&created)["upload"], table).await?;
        ensure!(sent.is_success(), "it is not uploaded: {sent}");
        let targets = [
            json!("name"),
            json!("phone"),
            json!("email"),
            json!("tags"),
            json!("stage"),
            json!("owner"),
            json!({ "field": "joined" }),
            json!("opted_in"),
        ];
        let columns: Vec<Value> = (0..)
            .zip(targets)
            .map(|(column, target)| json!({ "column": column, "target": target }))
            .collect();
        let settings = json!({
            "mapping": { "columns": columns }, "mode": "update", "create_tags": true, "consent": { "evidence": "audited" },
        });
        for action in ["preview", "start"] {
            let path = format!("{place}/{action}");
            self.api(business, "POST", &path, Some(settings.clone())).await?;
        }
        Ok(place)
    }

    /// Everything that can be exported is exported. Returns the paths of the exports.
    pub(super) async fn exports(&self, business: &Tenant) -> Result<Vec<String>> {
        let mut places = Vec::new();
        for what in ["contacts", "calls", "messages", "consent", "audit"] {
            let body = json!({ "what": what, "format": "json_lines" });
            let made = self.api(business, "POST", "/api/v1/exports", Some(body)).await?;
            places.extend(made.header("location").map(str::to_owned));
        }
        Ok(places)
    }

    /// The same with a contact to export.
    pub(super) async fn exports_somebody(&self, business: &Tenant) -> Result<()> {
        self.known(business).await?;
        self.exports(business).await.map(drop)
    }

    /// Contacts are imported, and everything is exported.
    pub(super) async fn imported(&self, business: &Tenant) -> Result<()> {
        let mut places = vec![self.imports(business).await?];
        places.extend(self.exports(business).await?);
        for place in places {
            self.done(business, &place).await?;
        }
        self.listed(business, "imports").await?;
        self.listed(business, "exports").await.map(drop)
    }

    /// Waits until the operation of an import, export or archive is done.
    pub(super) async fn done(&self, business: &Tenant, place: &str) -> Result<()> {
        until(PATIENCE, "an operation that is done", async || {
            let answer = self.api(business, "GET", place, None).await?;
            let state = api::json(&answer)["operation"]["state"].clone();
            let state = state.as_str().unwrap_or("none").to_owned();
            Ok(match state.as_str() {
                "done" => Look::Seen(()),
                _ => Look::Instead(format!("{place}: {state}")),
            })
        })
        .await
    }
}
