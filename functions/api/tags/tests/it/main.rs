//! Tags, in process against the emulator, from the callers' point of view.

use domain::accounts::Permission;
use domain::people::Tag;
use serde_json::{Value, json};
use testkit::api::Town;
use testkit::{Aws, Resource};

const TAGS: &str = "/api/v1/tags";

fn tag_named(name: &str) -> Value {
    json!({"name": name})
}

#[tokio::test]
async fn tags_keep_the_promises_of_every_resource() {
    let tags = Resource {
        routes: tags::routes,
        path: TAGS,
        read: Permission::TagsRead,
        write: Permission::TagsWrite,
        new: json!({"name": "Regular", "color": "#1f6feb", "description": "Buys something every week"}),
        change: json!({"name": "Loyal", "color": "#2da44e", "description": null}),
    };
    tags.is_plain::<Tag>(&tags::document()).await;
}

#[tokio::test]
async fn a_name_belongs_to_one_tag_however_it_is_spelled() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tags::routes).await;
    let agent = town.agent();
    let first = agent.post(TAGS, tag_named("Big Straße #1")).await;
    let first = first.is(201).header("location");
    for same in [
        "Big Straße #1",
        "  big straße #1 ",
        "BIG STRASSE #1",
        "Big  Straße #1",
        "Ｂｉｇ Straße #１",
    ] {
        agent.post(TAGS, tag_named(same)).await.is_refused(409, "taken");
    }
    town.foreign_admin()
        .post(TAGS, tag_named("big straße #1"))
        .await
        .is(201);
    let second = agent.post(TAGS, tag_named("Big Straße #2")).await;
    let second = second.is(201).header("location");
    let steal = || agent.patch(second, tag_named("BIG STRASSE #1"));
    steal().await.is_refused(409, "taken");
    // Its own name in another spelling.
    let renamed = agent.patch(first, tag_named("BIG STRASSE #1")).await;
    assert_eq!(renamed.is(200).has_version(2).json()["name"], "BIG STRASSE #1");
    steal().await.is_refused(409, "taken");
    agent.delete(first).await.is(204);
    steal().await.is(200);
    agent.post(TAGS, tag_named("Big Straße #2")).await.is(201);
}

#[tokio::test]
async fn every_text_of_a_tag_is_bounded_and_visible() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tags::routes).await;
    for (field, value) in [
        ("name", json!(null)),
        ("name", json!(" ")),
        ("name", json!("x".repeat(10 * 1024))),
        ("name", json!("a\nb")),
        ("name", json!("VIP\u{200e}")),
        ("name", json!("VIP\u{200f}")),
        ("name", json!("V\u{202a}IP")),
        ("name", json!("V\u{202e}IP")),
        ("name", json!("V\u{2066}IP")),
        ("name", json!("V\u{2069}IP")),
        ("color", json!("red")),
        ("color", json!("#1F6FEB")),
        ("color", json!("#fff")),
        ("description", json!("a\u{2067}b")),
    ] {
        let mut body = tag_named("Regular");
        body[field] = value;
        town.manager().post(TAGS, body).await.names_only(&[field]);
    }
    // The longest name, whose compared form is many times as long.
    let longest = tag_named(&"ﷺ".repeat(60));
    town.manager().post(TAGS, longest.clone()).await.is(201);
    town.manager().post(TAGS, longest).await.is_refused(409, "taken");
}
