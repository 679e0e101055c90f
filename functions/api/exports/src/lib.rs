//! Exports: files with contacts, calls, messages, changes of consent, the audit log or recipients of broadcasts, which an operation writes.

mod models;

use api::{
    Allowed, Api, Body, Created, FileLinkOut, Listed, OperationOut, Paging, Path, has_files, permits, require_found,
    start,
};
use axum::extract::State;
use axum::{Extension, Json, Router};
use domain::accounts::permits::Permit;
use domain::accounts::{Action, AuditEntry};
use domain::campaigns::{Campaign, CampaignType};
use domain::reports::{ExportData, ExportResult, Exported};
use domain::terms::{CampaignId, Fault, FaultCode, Operation, OperationId, OperationKind, Stamp};
use jiff::{SignedDuration, Timestamp};
use kit::{Bus, ConfigError, Env, FileKey, Files, Problem};
use store::table::rates::Limit;
use store::{Page, Versioned};

use crate::models::{ExportIn, ExportOut};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let served = api::serve(operations(), Api::new(env)?);
    Ok(served
        .layer(Extension(Bus::new(env)?))
        .layer(Extension(Files::new(env)?)))
}

api::operations! {
    "exports": "Exports of data as CSV or JSON Lines." {
        /// Create an export
        ///
        /// Starts the operation that writes the file. In CSV, a cell that a spreadsheet program would take for a formula begins with an
        /// apostrophe; an import of contacts removes it again. JSON Lines hold bare values. A file has at most two gigabytes, otherwise
        /// the operation fails. A row of more than 64 KB is left out of either format: the operation's `result` counts `rows`, and
        /// missing ones as `left_out`. The language of a contact is in CSV only if it was set; JSON Lines have any, with
        /// `language_detected`. The audit log says who exported what.
        POST "/api/v1/exports" => create_export, "The export", problems "too_many_operations";

        /// List exports
        ///
        /// Newest first. Exports are retained for 30 days after their end, their files for seven. A page can hold fewer exports than `limit`,
        /// or none, without being the last one: only a `next_cursor` of `null` ends the list.
        GET "/api/v1/exports" => list_exports, "A page of exports";

        /// Get an export
        ///
        /// Shows its progress and, once it is done, a link to the file that is valid for five minutes. The audit log says who got a link.
        GET "/api/v1/exports/{export_id}" => get_export, "The export";
    }
}

type Reading = Allowed<permits::ExportsRead>;

/// Exports of a tenant per hour.
const EXPORTS: Limit = Limit::per_hour(100);

/// Length of the period if the caller names no start.
const USUAL: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The period of an export. `None`: it has none.
fn period(order: &ExportIn, now: Timestamp) -> Result<Option<(Timestamp, Timestamp)>, Problem> {
    if !order.what.has_period() {
        let given = [("from", order.from), ("to", order.to)];
        return match given.into_iter().find(|(_, at)| at.is_some()) {
            Some((field, _)) => {
                let detail = "This content is exported as a whole. Leave it out.";
                Err(Problem::field(field, Fault::new(FaultCode::NotApplicable, detail)))
            }
            None => Ok(None),
        };
    }
    let out_of_range = |_| Problem::field("to", Fault::new(FaultCode::OutOfRange, "The time is out of range."));
    let to = order.to.unwrap_or(now);
    let from = match order.from {
        Some(from) => from,
        None => to.checked_sub(USUAL).map_err(out_of_range)?,
    };
    if from >= to {
        let detail = "The period must begin before it ends.";
        let fault = Fault::new(FaultCode::WrongOrder, detail).and("other", "to");
        return Err(Problem::field("from", fault));
    }
    if to.duration_since(from) > ExportData::MAX_SPAN {
        let days = ExportData::MAX_SPAN.as_hours() / 24;
        let detail = format!("The period may be at most {days} days long.");
        return Err(Problem::field("from", Fault::new(FaultCode::OutOfRange, detail)));
    }
    Ok(Some((from, to)))
}

/// Refuses what callers may not read otherwise, such as the audit log.
fn may_have<P: Permit>(who: &Allowed<P>, what: Exported) -> Result<(), Problem> {
    match what.permission() {
        Some(permission) if !who.principal().may(permission) => Err(Problem::forbidden(format!(
            "The caller lacks the permission `{permission}`. Ask an administrator."
        ))),
        Some(_) | None => Ok(()),
    }
}

/// The broadcast whose recipients are exported. `None`: the content is another.
async fn campaign<P: Permit>(api: &Api, who: &Allowed<P>, order: &ExportIn) -> Result<Option<CampaignId>, Problem> {
    let refused = |code, detail: &str| Err(Problem::field("campaign_id", Fault::new(code, detail)));
    let id = match (order.what, order.campaign_id) {
        (Exported::Recipients, Some(id)) => id,
        (Exported::Recipients, None) => {
            return refused(FaultCode::Required, "Name the broadcast whose recipients are exported.");
        }
        (_, Some(_)) => {
            return refused(
                FaultCode::NotApplicable,
                "This content is of no campaign. Leave it out.",
            );
        }
        (_, None) => return Ok(None),
    };
    let found: Option<Versioned<Campaign>> = api.store().get(who.scope(), &id).await?;
    match found.map(|found| found.value.kind) {
        Some(CampaignType::Broadcast) => Ok(Some(id)),
        Some(CampaignType::Drip) => refused(
            FaultCode::NotApplicable,
            "The campaign is a drip, which has no recipients.",
        ),
        None => refused(FaultCode::NotFound, "There is no such campaign."),
    }
}

async fn create_export(
    who: Allowed<permits::ExportsWrite>,
    State(api): State<Api>,
    Extension(bus): Extension<Bus>,
    Body(input): Body<ExportIn>,
) -> Result<Created<ExportOut>, Problem> {
    may_have(&who, input.what)?;
    let (from, to) = period(&input, who.now())?.unzip();
    let order = ExportData {
        what: input.what,
        format: input.format,
        from,
        to,
        campaign: campaign(&api, &who, &input).await?,
    };
    api.limit(&who, "EXPORTS", EXPORTS).await?;
    let operation = api.new_operation(&who, OperationKind::ExportData, &order).await?;
    // The stamp is the entry in the audit log: who exports what.
    api.store()
        .create_operation(who.scope(), &operation, &who.stamp())
        .await?;
    start(&who, &bus, &operation).await;
    let id = operation.id;
    Ok(Created {
        location: format!("/api/v1/exports/{id}"),
        version: 1,
        body: ExportOut::new(order, operation.into(), id),
    })
}

/// The export that an operation makes; `None` if it is of another kind.
fn order_of(operation: &Operation) -> Option<ExportData> {
    let is_export = operation.kind == OperationKind::ExportData;
    is_export.then(|| operation.params.read().ok()).flatten()
}

async fn list_exports(who: Reading, State(api): State<Api>, paging: Paging) -> Result<Listed<ExportOut>, Problem> {
    let (store, scope) = (api.store(), who.scope());
    let page = store
        .operations(scope, paging.after(), paging.limit(), who.now())
        .await?;
    let exports = page.items.into_iter().filter_map(|found| {
        let order = order_of(&found.value)?;
        Some((order, found.value))
    });
    let page = Page {
        items: exports.collect(),
        next: page.next,
    };
    Ok(Listed::of(page, |(order, operation): (ExportData, Operation)| {
        let id = operation.id;
        ExportOut::new(order, operation.into(), id)
    }))
}

async fn get_export(
    who: Reading,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Path(id): Path<OperationId>,
) -> Result<Json<ExportOut>, Problem> {
    let operation = require_found(api.store().operation(who.scope(), id, who.now()))
        .await?
        .value;
    let order = order_of(&operation).ok_or_else(Problem::not_found)?;
    let file = file(&api, &who, &files, order, &operation).await?;
    Ok(Json(
        ExportOut::new(order, OperationOut::from(operation), id).with_file(file),
    ))
}

/// A link to the file, if it is there. The audit log records who got one, once an hour.
async fn file(
    api: &Api,
    who: &Reading,
    files: &Files,
    order: ExportData,
    operation: &Operation,
) -> Result<Option<FileLinkOut>, Problem> {
    let result = operation.result.as_ref();
    let is_done = result.is_some_and(|result| result.read::<ExportResult>().is_ok());
    if !is_done || !has_files(operation, who.now()) {
        return Ok(None);
    }
    may_have(who, order.what)?;
    let hour = who.now().as_second().div_euclid(3_600) * 3_600;
    let entry = AuditEntry {
        by: Stamp {
            at: Timestamp::from_second(hour).unwrap_or(who.now()),
            ..who.stamp()
        },
        action: Action::Read,
        kind: "export".to_owned(),
        object: operation.id.to_string(),
        changes: Vec::new(),
    };
    let entry_id = format!("read-{}-{}", operation.id, who.actor());
    api.store().record_audit(who.scope(), &entry_id, &entry).await?;
    let name = order.file_name();
    let key = FileKey::result(who.scope(), operation.id.ulid(), &name);
    FileLinkOut::new(who, files, &key, &name).await.map(Some)
}
