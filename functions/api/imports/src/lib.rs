//! Imports of contacts: tables and cards that are uploaded, previewed, and worked through by operations. Their reader of telephone numbers reads
//! those in forms, too, since no other function of the API has it.

mod models;
mod numbers;
mod table;

use api::{
    Allowed, Api, Body, Created, FileLinkOut, Listed, OperationOut, Paging, Path, UploadOut, With, has_files, permits,
    require_found, start,
};
use axum::extract::State;
use axum::{Extension, Json, Router};
use domain::accounts::Permission;
use domain::accounts::permits::Permit;
use domain::people::{Field, Import, ImportResult};
use domain::tenants::Region;
use domain::terms::{Data, Fault, FaultCode, ImportId, Operation, OperationId, OperationKind};
use kit::{Bus, ConfigError, Env, FileKey, Files, Problem};
use sheet::import::ImportContacts;
use store::Versioned;
use store::table::rates::Limit;

use crate::models::{ImportIn, ImportOut, ImportSettingsIn, PreviewOut};
use crate::numbers::read_phone_number;
use crate::table::{Table, missing_tags};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let served = api::serve(operations(), Api::new(env)?);
    Ok(served
        .layer(Extension(Bus::new(env)?))
        .layer(Extension(Files::new(env)?)))
}

api::operations! {
    "imports": "Imports of contacts from CSV and vCard files." {
        /// Create an import
        ///
        /// Upload the file with the request in the answer: CSV in any usual encoding, at most 64 MB, 200 columns and 100,000 rows; a row of
        /// more than 64 KB is refused. A vCard file of version 2.1, 3.0 or 4.0 works, too: each card becomes a row with predefined columns.
        /// Preview the import then, and start it. A tenant can create 20 imports a day, unless its plan says otherwise.
        POST "/api/v1/imports" => create_import, "The import";

        /// List imports
        ///
        /// Newest first. Imports are retained for 30 days. A page can hold fewer imports than `limit` without being the last one: only a
        /// `next_cursor` of `null` ends the list.
        GET "/api/v1/imports" => list_imports, "A page of imports";

        /// Get an import
        ///
        /// Shows the progress of its operation and, once that is done, the numbers of rows with a link to the rows that were refused or may
        /// be wrong.
        GET "/api/v1/imports/{import_id}" => get_import, "The import";

        /// Preview an import
        ///
        /// Reads the first 20 rows of the uploaded file, or the first 20 cards in its first 4 MB: detects format, encoding, separator and
        /// header, suggests the meaning of the columns, and shows what each row would become. Nothing is written. Behind a damaged row of a
        /// table, with a quotation mark that is not closed or with invalid characters, no rows are shown: such a file is not imported.
        POST "/api/v1/imports/{import_id}/preview" => preview_import, "The first rows", problems "not_uploaded";

        /// Start an import
        ///
        /// Starts the operation that works through all rows, or only counts them if `dry_run` is true. If the file is damaged, by a
        /// quotation mark that is not closed or by invalid characters, the operation fails with the row's number, and nothing is imported.
        /// A row about a person who was erased or deleted is refused. So is one with numbers and addresses of several contacts, unless the
        /// mode is `skip`. If only several rows about one person together exceed a limit, such as the maximum of telephone numbers, the
        /// import itself finds it, not a dry run. An import that failed or was cancelled can be started again: its contacts are not created
        /// twice.
        POST "/api/v1/imports/{import_id}/start" => start_import, "The import with its operation",
            problems "not_uploaded" "import_running" "import_done" "too_many_imports" "too_many_operations";
    }
    "phone numbers": "Telephone numbers as people write them." {
        /// Read a telephone number
        ///
        /// Reads a text as a telephone number, as this business would write it: a national number of the tenant's country, or an
        /// international number with the prefix of a call abroad or without its plus, in any spelling. A text that is no number is refused
        /// with an example from that country; an ambiguous text is refused with both numbers. Nothing is stored.
        GET "/api/v1/phone-numbers" => read_phone_number, "The number";
    }
}

type Reading = Allowed<permits::ImportsRead>;
type Writing = Allowed<permits::ImportsWrite>;

/// Imports of a tenant per hour, and as many starts, dry runs included.
const IMPORTS: Limit = Limit::per_hour(100);

/// Imports that are looked through for running ones. Older ones have usually ended.
const NEWEST: i32 = 50;

async fn create_import(
    who: Writing,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Body(fields): Body<ImportIn>,
) -> Result<Created<ImportOut>, Problem> {
    api.limit(&who, "IMPORTS", IMPORTS).await?;
    let most = who.principal().limits().imports_per_day();
    api.take_of_day(&who, "IMPORTS_OF_PLAN", most, "imports").await?;
    let import = Import {
        id: ImportId::new(who.ulid()),
        name: fields.name,
        size: fields.size.get(),
        created_by: who.actor(),
        created_at: who.now(),
        operation: None,
    };
    let (store, scope) = (api.store(), who.scope());
    store.create_import(scope, &import, &who.stamp()).await?;
    let upload = upload(&who, &files, &import).await?;
    Ok(Created {
        location: format!("/api/v1/imports/{}", import.id),
        version: 1,
        body: ImportOut::of(import, None).with_upload(upload),
    })
}

async fn list_imports(who: Reading, State(api): State<Api>, paging: Paging) -> Result<Listed<ImportOut>, Problem> {
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    let page = store.imports(scope, paging.after(), paging.limit(), now).await?;
    let started: Vec<OperationId> = page.items.iter().filter_map(|found| found.value.operation).collect();
    let mut operations = store.operations_by_id(scope, &started, now).await?;
    Ok(Listed::of(page, |found: Versioned<Import>| {
        let operation = found.value.operation.and_then(|id| operations.remove(&id));
        ImportOut::of(found.value, operation.map(OperationOut::from))
    }))
}

async fn get_import(
    who: Reading,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Path(id): Path<ImportId>,
) -> Result<Json<ImportOut>, Problem> {
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    let import = require_found(store.import(scope, id, now)).await?.value;
    let operation = match import.operation {
        Some(id) => store.operation(scope, id, now).await?.map(|found| found.value),
        None => None,
    };
    let shown = |import: Import| ImportOut::of(import, operation.clone().map(OperationOut::from));
    if import.operation.is_none() {
        let may = who.principal().may(Permission::ImportsWrite);
        return Ok(Json(if may {
            let upload = upload(&who, &files, &import).await?;
            shown(import).with_upload(upload)
        } else {
            shown(import)
        }));
    }
    let errors_file = match &operation {
        Some(operation) => errors_file(&who, &files, operation).await?,
        None => None,
    };
    Ok(Json(shown(import).with_errors_file(errors_file)))
}

async fn preview_import(
    who: Writing,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Path(id): Path<ImportId>,
    Body(input): Body<ImportSettingsIn>,
) -> Result<Json<PreviewOut>, Problem> {
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    let import = require_found(store.import(scope, id, now)).await?.value;
    let settings = input.settings(usual_region(&api, &who, &input).await?);
    let table = Table::read(&files, scope, &import, &input.table, settings.region.as_ref()).await?;
    let preview = table.preview(&api, &who, &import, input.mapping, settings);
    Ok(Json(preview.await?))
}

async fn start_import(
    who: Writing,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Extension(bus): Extension<Bus>,
    Path(id): Path<ImportId>,
    Body(input): Body<ImportSettingsIn>,
) -> Result<With<202, Json<ImportOut>>, Problem> {
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    let Versioned { version, value: import } = require_found(store.import(scope, id, now)).await?;
    let operation_id = OperationId::new(who.ulid());
    // A request that was interrupted.
    if import.operation == Some(operation_id) {
        let started = require_found(store.operation(scope, operation_id, now)).await?;
        return Ok(started_as(import, started.value));
    }
    let Some(mapping) = input.mapping.clone() else {
        let detail = "This field is required. A preview suggests a mapping.";
        return Err(Problem::field("mapping", Fault::new(FaultCode::Required, detail)));
    };
    let settings = input.settings(usual_region(&api, &who, &input).await?);
    may_start(&api, &who, &import, input.dry_run).await?;
    let table = Table::read(&files, scope, &import, &input.table, settings.region.as_ref()).await?;
    let fields = store.all::<Field>(scope).await?;
    let mut problems = settings.problems(&mapping, table.dialect.columns, &fields);
    problems.extend(missing_tags(&api, &who, &settings.tags).await?);
    if !problems.is_empty() {
        return Err(problems.into());
    }
    api.limit(&who, "IMPORT_STARTS", IMPORTS).await?;
    api.require_room_for_operation(&who).await?;
    let params = ImportContacts {
        import: id,
        table: table.known_form(),
        etag: table.etag,
        mapping,
        settings,
        dry_run: input.dry_run,
    };
    let too_large = |_| {
        let fault = Fault::new(FaultCode::TooLarge, "The settings are too large. Import fewer columns.");
        Problem::field("mapping", fault)
    };
    let params = Data::of(&params).map_err(too_large)?;
    let stamp = who.stamp();
    let (kind, correlation_id) = (OperationKind::ImportContacts, stamp.correlation_id.clone());
    let operation = Operation::new(operation_id, kind, params, who.actor(), correlation_id, now);
    let after = Import {
        operation: Some(operation_id),
        ..import
    };
    store.start_import(scope, version, &after, &operation, &stamp).await?;
    start(&who, &bus, &operation).await;
    Ok(started_as(after, operation))
}

fn started_as(import: Import, operation: Operation) -> With<202, Json<ImportOut>> {
    With(Json(ImportOut::of(import, Some(operation.into()))))
}

/// The tenant's country, unless the settings name one.
async fn usual_region(api: &Api, who: &Writing, input: &ImportSettingsIn) -> Result<Option<Region>, Problem> {
    if input.region.is_some() {
        return Ok(None);
    }
    let tenant = api.store().tenant(who.scope()).await?;
    Ok(tenant.and_then(|tenant| tenant.default_region?.parse().ok()))
}

/// Refuses to start an import that is under way or done, or beyond the limit. The write is not conditional on the number: requests at the
/// same moment may each find room. This is rare, and costs the tenant's lists some of their capacity.
async fn may_start(api: &Api, who: &Writing, import: &Import, dry_run: bool) -> Result<(), Problem> {
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    let newest = store.imports(scope, None, NEWEST, now).await?.items;
    let ids = newest.iter().map(|found| &found.value).chain([import]);
    let ids: Vec<OperationId> = ids.filter_map(|import| import.operation).collect();
    let operations = store.operations_by_id(scope, &ids, now).await?;
    let is_dry = |operation: &Operation| {
        let params = operation.params.read::<ImportContacts>();
        params.is_ok_and(|params| params.dry_run)
    };
    let own = import.operation.and_then(|id| operations.get(&id));
    if own.is_some_and(|own| !own.state.is_end()) {
        let detail = "An operation works through the import. Wait until it ends, or cancel it.";
        return Err(Problem::conflict("import_running", detail));
    }
    if own.is_some_and(|own| own.result.is_some() && !is_dry(own)) {
        let detail = "The import is done. Create a new one to import the file again.";
        return Err(Problem::conflict("import_done", detail));
    }
    let running = operations
        .values()
        .filter(|operation| !operation.state.is_end() && !is_dry(operation));
    if !dry_run && running.count() >= Import::MAX_AT_ONCE {
        let most = Import::MAX_AT_ONCE;
        let detail = format!("{most} imports are running. Wait until one of them ends, or cancel it.");
        return Err(Problem::conflict("too_many_imports", detail));
    }
    Ok(())
}

/// The request that uploads the file.
async fn upload<P: Permit>(who: &Allowed<P>, files: &Files, import: &Import) -> Result<UploadOut, Problem> {
    let key = FileKey::upload(who.scope(), import.id.ulid());
    UploadOut::new(who, files, &key, "text/csv", import.size.into()).await
}

/// The file with the refused rows, if there are any.
async fn errors_file(who: &Reading, files: &Files, operation: &Operation) -> Result<Option<FileLinkOut>, Problem> {
    let result = operation.result.as_ref();
    let result = result.and_then(|result| result.read::<ImportResult>().ok());
    if result.is_none_or(|result| result.counts.refused == 0) || !has_files(operation, who.now()) {
        return Ok(None);
    }
    let name = ImportResult::ERRORS_FILE;
    let key = FileKey::result(who.scope(), operation.id.ulid(), name);
    FileLinkOut::new(who, files, &key, name).await.map(Some)
}
