//! The retention policy and the data that is stored already: an estimate of applying it, and the start of that.

use api::{Allowed, Api, IfMatch, OperationOut, Tagged, With, permits, require_found, start_and_answer};
use axum::extract::State;
use axum::{Extension, Json};
use domain::accounts::permits::Permit;
use domain::calls::{ApplyRetention, Estimate, Past, Recorded, Stretch};
use domain::tenants::Retention;
use domain::terms::{Data, Operation, OperationId, OperationKind};
use kit::{Bus, Problem};
use store::table::rates::Limit;
use store::{StoreError, Versioned};

use crate::models::RetentionOut;
use crate::tenant;

/// Applications of the policy per tenant and hour: each reads all calls and messages.
const APPLICATIONS: Limit = Limit::per_hour(60);

/// The maximum effect of applying a policy.
async fn estimate<P: Permit>(
    api: &Api,
    who: &Allowed<P>,
    retention: Retention,
    past: Past,
) -> Result<Estimate, StoreError> {
    let stretches = past.stretches();
    let days = stretches.iter().flat_map(|stretch| stretch.counted.clone()).collect();
    let counters = api.store().counters_of(who.scope(), days).await?;
    let recorded = |stretch: Stretch| {
        let mut recorded = Recorded::default();
        for day in stretch.counted.iter().filter_map(|day| counters.get(day)) {
            recorded.add(day);
        }
        (stretch, recorded)
    };
    let recorded: Vec<_> = stretches.into_iter().map(recorded).collect();
    Ok(Estimate::of(retention, past.last, &recorded))
}

/// The last application of a policy: its operation and the version of what names it. No operation: it is not retained any more.
type Last = Option<(Versioned<OperationId>, Option<Operation>)>;

async fn last<P: Permit>(api: &Api, who: &Allowed<P>) -> Result<Last, StoreError> {
    let (store, scope) = (api.store(), who.scope());
    let Some(last) = store.retention_applied(scope).await? else {
        return Ok(None);
    };
    let operation = store.operation(scope, last.value, who.now()).await?;
    Ok(Some((last, operation.map(|found| found.value))))
}

pub(crate) async fn get_retention(
    who: Allowed<permits::TenantRead>,
    State(api): State<Api>,
) -> Result<Tagged<RetentionOut>, Problem> {
    let Versioned { value, version } = require_found(tenant(&api, &who)).await?;
    let policy = value.retention.unwrap_or_default();
    let past = Past::of(who.scope().tenant(), who.now());
    let estimate = estimate(&api, &who, policy, past).await?;
    let application = last(&api, &who).await?.and_then(|(_, operation)| operation);
    Ok(Tagged {
        version,
        body: RetentionOut::new(policy, &estimate, past, application.map(OperationOut::from)),
    })
}

fn running() -> Problem {
    let detail = "An operation applies the retention policy. Wait until it ends, or cancel it.";
    Problem::conflict("retention_running", detail)
}

pub(crate) async fn apply_retention(
    who: Allowed<permits::TenantWrite>,
    State(api): State<Api>,
    Extension(bus): Extension<Bus>,
    if_match: IfMatch,
) -> Result<With<202, Json<OperationOut>>, Problem> {
    let Versioned { value, version } = require_found(tenant(&api, &who)).await?;
    if_match.check(version)?;
    let retention = value.retention.unwrap_or_default();
    // A request that comes twice has the same id.
    let id = OperationId::new(who.ulid());
    let before = match last(&api, &who).await? {
        Some((_, Some(operation))) if operation.id == id => return Ok(start_and_answer(&who, &bus, operation).await),
        Some((_, Some(operation))) if !operation.state.is_end() => return Err(running()),
        last => last.map(|(last, _)| last.version),
    };
    api.limit(&who, "RETENTION", APPLICATIONS).await?;
    api.require_room_for_operation(&who).await?;
    let past = Past::of(who.scope().tenant(), who.now());
    let params = ApplyRetention {
        retention,
        first: past.first_listed(),
        total: estimate(&api, &who, retention, past).await?.rows(),
    };
    let params = Data::of(&params).map_err(|_| Problem::internal())?;
    let (store, scope, stamp) = (api.store(), who.scope(), who.stamp());
    let (kind, correlation_id) = (OperationKind::ApplyRetention, stamp.correlation_id.clone());
    let operation = Operation::new(id, kind, params, who.actor(), correlation_id, who.now());
    match store.start_retention(scope, before, &operation, &stamp).await {
        // Only another start writes what this one has read.
        Err(error) if error.is_conflict() => Err(running()),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(start_and_answer(&who, &bus, operation).await),
    }
}
