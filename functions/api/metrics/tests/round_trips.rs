//! Cost of reports in a warm process. Alone in its process, whose counters it reads.

use store::table::usage;
use testkit::Aws;
use testkit::api::Town;

#[tokio::test]
async fn warm_report_costs_as_counted() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, metrics::routes).await;
    let scope = town.home.scope();
    for day in ["2026-10-25", "2026-11-10", "2026-11-20"] {
        aws.count(scope, &format!("{day}T10:00:00Z"), None, &[("calls", 1)])
            .await;
    }
    let store = aws.store();
    while store
        .roll_up_next(scope, aws.now())
        .await
        .expect("nobody else does")
        .is_some()
    {}
    let viewer = town.viewer();
    for (path, queries) in [
        // Two months, and the days that are not rolled up.
        ("/api/v1/metrics/overview", 3),
        ("/api/v1/metrics?from=2026-11-19", 1),
        // The lines have names.
        ("/api/v1/metrics?by=line&from=2026-11-19", 2),
        // All months since there were tenants.
        ("/api/v1/metrics?from=2025-11-01", 12),
    ] {
        viewer.get(path).await.is(200);
        drop(usage::take());
        viewer.get(path).await.is(200);
        let used = usage::take();
        // The caller's membership; the tenant, how far it is rolled up, and prices; then the request is counted.
        assert_eq!(used.actions.get("dynamodb:GetItem"), Some(&1), "{path}: {used:?}");
        assert_eq!(used.actions.get("dynamodb:BatchGetItem"), Some(&1), "{path}: {used:?}");
        assert_eq!(used.actions.get("dynamodb:Query"), Some(&queries), "{path}: {used:?}");
        assert_eq!(used.requests, 3 + queries, "{path}: {used:?}");
    }
}
