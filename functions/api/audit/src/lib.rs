//! The audit log of a tenant: who changed what, which `publish_changes` writes, and who looked at people's data.

mod models;

use api::{Allowed, Api, Listed, Paging, Query, of_another_list, permits};
use axum::Router;
use axum::extract::State;
use domain::accounts::MAX_AUDIT_DAYS;
use domain::terms::{Fault, FaultCode};
use jiff::{SignedDuration, Timestamp};
use kit::{ConfigError, Env, Problem};
use store::accounts::{Wanted, is_audit_position};

use crate::models::{AuditEntryOut, AuditQuery};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?))
}

api::operations! {
    "audit": "The audit log of a tenant." {
        /// List the audit log
        ///
        /// Newest entries first, for the last seven days or a period of at most 31 days. Entries are retained for 400 days and appear
        /// within a minute of the change. A page can hold fewer entries than `limit`, or none, without being the last one: only a
        /// `next_cursor` of `null` ends the list. Secrets are never shown, only that they changed. Calls and messages are not part
        /// of the log. The action `read` says who got an export or archive, or saw the timeline or proof of consent of a contact.
        GET "/api/v1/audit" => list_audit, "A page of the audit log";
    }
}

/// Length of the period if the caller names none.
const USUAL: SignedDuration = SignedDuration::from_hours(7 * 24);

const MAX_SPAN: SignedDuration = SignedDuration::from_hours(MAX_AUDIT_DAYS as i64 * 24);

/// The requested period, or the last seven days.
fn period(query: &AuditQuery, now: Timestamp) -> Result<(Timestamp, Timestamp), Problem> {
    let end = query.to.unwrap_or(now);
    let from = match query.from {
        Some(from) => from,
        None => end
            .checked_sub(USUAL)
            .map_err(|_| Problem::field("to", Fault::new(FaultCode::OutOfRange, "The time is out of range.")))?,
    };
    if from >= end {
        let fault = Fault::new(FaultCode::WrongOrder, "The period must begin before it ends.");
        return Err(Problem::field("from", fault.and("other", "to")));
    }
    if end.duration_since(from) > MAX_SPAN {
        let detail = format!("The period may be at most {MAX_AUDIT_DAYS} days long.");
        return Err(Problem::field(
            "from",
            Fault::out_of_range(0_i64, i64::from(MAX_AUDIT_DAYS), detail),
        ));
    }
    // Where it ends now, what happens in this very moment is in it.
    let moment = SignedDuration::from_secs(if query.to.is_some() { 0 } else { 1 });
    let to = end.checked_add(moment).unwrap_or(end);
    Ok((from, to))
}

async fn list_audit(
    who: Allowed<permits::AuditRead>,
    State(api): State<Api>,
    Query(query): Query<AuditQuery>,
    paging: Paging,
) -> Result<Listed<AuditEntryOut>, Problem> {
    let (from, to) = period(&query, who.now())?;
    if paging.after().is_some_and(|after| !is_audit_position(after)) {
        return Err(of_another_list());
    }
    let wanted = Wanted {
        actor: query.actor,
        object: query.object,
    };
    let store = api.store();
    let page = store.audit_page(who.scope(), from, to, paging.after(), paging.limit(), &wanted);
    Ok(Listed::of(page.await?, AuditEntryOut::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn period_defaults_to_a_week_and_is_at_most_a_month() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-11-20T12:00:00Z");
        let of = |from: Option<&str>, to: Option<&str>| {
            let query = AuditQuery {
                from: from.map(at),
                to: to.map(at),
                actor: None,
                object: None,
            };
            period(&query, now)
                .ok()
                .map(|(from, to)| (from.to_string(), to.to_string()))
        };
        let found = |from: &str, to: &str| Some((from.to_owned(), to.to_owned()));
        assert_eq!(of(None, None), found("2026-11-13T12:00:00Z", "2026-11-20T12:00:01Z"));
        assert_eq!(
            of(Some("2026-10-01T00:00:00Z"), Some("2026-11-01T00:00:00Z")),
            found("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z")
        );
        assert_eq!(of(Some("2026-10-01T00:00:00Z"), Some("2026-11-01T00:00:01Z")), None);
        assert_eq!(of(Some("2026-10-01T00:00:00Z"), None), None);
        assert_eq!(of(Some("2026-11-20T00:00:00Z"), Some("2026-11-20T00:00:00Z")), None);
        assert_eq!(of(None, Some("-009999-01-02T02:00:00Z")), None);
    }
}
