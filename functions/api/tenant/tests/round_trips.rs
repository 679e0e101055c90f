//! What a warm look costs. Alone in its process, whose counters it reads.

use store::usage;
use testkit::{Aws, api::Town};

#[tokio::test]
async fn a_warm_look_at_the_tenant_or_its_setup_reads_the_table_twice() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let viewer = town.viewer();
    for path in ["/api/v1/tenant", "/api/v1/tenant/setup"] {
        assert_eq!(viewer.get(path).await.status(), 200);
        drop(usage::take());
        assert_eq!(viewer.get(path).await.status(), 200);
        let used = usage::take();
        // The caller's membership and the tenant; then the two limits are counted.
        assert_eq!(used.actions.get("dynamodb:GetItem"), Some(&2), "{path}: {used:?}");
        assert_eq!(used.actions.get("dynamodb:UpdateItem"), Some(&2), "{path}: {used:?}");
        assert_eq!(used.requests, 4, "{path}: {used:?}");
    }
}
