//! Cost of reading the settings in a warm process. Alone in its process, whose counters it reads.

use store::table::usage;
use testkit::Aws;
use testkit::api::Town;

#[tokio::test]
async fn warm_look_at_tenant_or_setup_costs_as_counted() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let viewer = town.viewer();
    // The set-up queries the templates and the called numbers that connections lack, which are no part of the configuration that a
    // process caches.
    for (path, queries) in [("/api/v1/tenant", 0), ("/api/v1/tenant/setup", 2)] {
        viewer.get(path).await.is(200);
        drop(usage::take());
        viewer.get(path).await.is(200);
        let used = usage::take();
        // The caller's membership and the tenant; then the request is counted.
        assert_eq!(used.actions.get("dynamodb:GetItem"), Some(&2), "{path}: {used:?}");
        assert_eq!(used.actions.get("dynamodb:UpdateItem"), Some(&1), "{path}: {used:?}");
        assert_eq!(used.requests, 3 + queries, "{path}: {used:?}");
    }
}
