//! Teams, in process against the emulator, from the callers' point of view.

use domain::accounts::{Permission, Role};
use domain::tenants::Team;
use serde_json::{Value, json};
use testkit::api::Town;
use testkit::{Aws, Resource};

const TEAMS: &str = "/api/v1/teams";

#[tokio::test]
async fn teams_keep_the_promises_of_every_resource() {
    let teams = Resource {
        routes: teams::routes,
        path: TEAMS,
        read: Permission::TeamsRead,
        write: Permission::TeamsWrite,
        new: json!({"name": "Orders", "languages": ["ar"], "mode": "in_turn", "max_open": 20}),
        change: json!({"name": "Late orders", "mode": "fewest_open", "max_open": null}),
    };
    teams.keeps_its_promises::<Team>().await;
}

#[tokio::test]
async fn a_name_belongs_to_one_team_of_the_tenant() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, teams::routes).await;
    let manager = town.manager();
    let named = |name: &str| json!({"name": name});
    let first = manager.post(TEAMS, named("Orders")).await;
    let first = first.is(201).header("location");
    manager.post(TEAMS, named(" ORDERS")).await.is_refused(409, "taken");
    town.foreign_admin().post(TEAMS, named("orders")).await.is(201);
    manager.delete(first).await.is(204);
    manager.post(TEAMS, named("orders")).await.is(201);
}

#[tokio::test]
async fn teams_name_what_the_tenant_has() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, teams::routes).await;
    let manager = town.manager();
    let (agent, stranger) = (town.home.person(Role::Agent).user, town.away.person(Role::Agent).user);
    let made = manager.post(TEAMS, json!({"name": "Orders", "members": [agent]})).await;
    let made = made.is(201).header("location");
    let viewer = town.home.person(Role::Viewer).user;
    let unknown = |kind: &str| json!([format!("{kind}_01hq5c1ynyc0000000000000ab")]);
    let wrong: [(&str, Value); 10] = [
        ("members", json!([viewer])),
        ("members", json!([stranger])),
        ("members", json!([agent, agent])),
        ("members", unknown("usr")),
        ("lines", unknown("line")),
        ("tags", unknown("tag")),
        ("languages", json!(["arabic!"])),
        ("mode", json!("by_luck")),
        ("max_open", json!(0)),
        ("max_open", json!(101)),
    ];
    for (field, value) in wrong {
        let mut body = json!({"name": "Prices"});
        body[field] = value.clone();
        let named = if field == "languages" { "languages[0]" } else { field };
        manager.post(TEAMS, body).await.names_only(&[named]);
        let mut body = json!({});
        body[field] = value;
        manager.patch(made, body).await.names_only(&[named]);
    }
    manager.patch(made, json!({"members": []})).await.is(200);
}
