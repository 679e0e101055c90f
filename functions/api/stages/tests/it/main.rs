//! Stages, in process against the emulator, from the callers' point of view.

use domain::accounts::Permission;
use domain::people::Stage;
use serde_json::json;
use testkit::Resource;

#[tokio::test]
async fn stages_keep_the_promises_of_every_resource() {
    let stages = Resource {
        routes: stages::routes,
        path: "/api/v1/stages",
        read: Permission::StagesRead,
        write: Permission::StagesWrite,
        // The snapshot has its kind: it is open.
        new: json!({"name": "Quote sent", "position": 20}),
        change: json!({"name": "Sold", "position": 0, "kind": "won"}),
    };
    stages.is_plain::<Stage>(&stages::document()).await;
}
