//! Stages, in process against the emulator, from the callers' point of view.

use domain::{accounts::permission::Permission, contacts::stage::Stage};
use serde_json::{Value, json};
use testkit::{Aws, Resource, api::Town};

const STAGES: &str = "/api/v1/stages";

fn named(name: &str) -> Value {
    json!({"name": name, "position": 10})
}

#[tokio::test]
async fn stages_keep_the_promises_of_every_resource() {
    let stages = Resource {
        routes: stages::routes,
        path: STAGES,
        read: Permission::StagesRead,
        write: Permission::StagesWrite,
        new: json!({"name": "Quote sent", "position": 20, "kind": "open"}),
        change: json!({"name": "Sold", "position": 0, "kind": "won"}),
    };
    stages.keeps_its_promises::<Stage>().await;
}

#[tokio::test]
async fn a_name_belongs_to_one_stage_of_the_tenant() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, stages::routes).await;
    let manager = town.manager();
    let first = manager.post(STAGES, named("New")).await;
    assert_eq!(first.is(201).json()["kind"], "open");
    let first = first.header("location");
    manager.post(STAGES, named(" NEW")).await.is_refused(409, "taken");
    town.foreign_admin().post(STAGES, named("new")).await.is(201);
    // Two stages may have one place.
    let second = manager.post(STAGES, named("Won")).await;
    let second = second.is(201).header("location");
    manager
        .patch(second, json!({"name": "new"}))
        .await
        .is_refused(409, "taken");
    manager.delete(first).await.is(204);
    manager.patch(second, json!({"name": "new"})).await.is(200);
}

#[tokio::test]
async fn every_text_and_number_of_a_stage_is_bounded() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, stages::routes).await;
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("x".repeat(61))),
        ("name", json!("Ne\u{202e}w")),
        ("position", json!(-1)),
        ("position", json!(1_001)),
        ("position", json!(0.5)),
        ("position", json!("1")),
        ("kind", json!("maybe")),
    ] {
        let mut body = named("New");
        body[field] = value;
        town.manager().post(STAGES, body).await.names_only(&[field]);
    }
    for field in ["name", "position"] {
        let mut body = named("New");
        body.as_object_mut().unwrap().remove(field);
        town.manager().post(STAGES, body).await.names_only(&[field]);
    }
    for position in [0, 1_000] {
        let body = json!({"name": format!("Stage {position}"), "position": position});
        town.manager().post(STAGES, body).await.is(201);
    }
}
