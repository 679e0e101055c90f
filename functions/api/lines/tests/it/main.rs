//! Lines, in process against the emulator, from the callers' point of view.

use domain::accounts::Permission;
use domain::tenants::Line;
use serde_json::{Value, json};
use testkit::api::Town;
use testkit::{Aws, Resource};

const LINES: &str = "/api/v1/lines";
const MARINA: &str = "+97143330000";
const MARINA_WITH_ZERO: &str = "+971043330000";

#[tokio::test]
async fn lines_keep_the_promises_of_every_resource() {
    let lines = Resource {
        routes: lines::routes,
        path: LINES,
        read: Permission::LinesRead,
        write: Permission::LinesWrite,
        new: json!({"name": "Marina", "business_hours": {"monday": [{"from": "09:00", "to": "18:00"}], "tuesday": [],
            "wednesday": [], "thursday": [], "friday": [], "saturday": [], "sunday": []}}),
        change: json!({"name": "Harbour", "business_hours": {"friday": [{"from": "18:00", "to": "02:00"}]}}),
    };
    lines.keeps_its_promises::<Line>().await;
}

#[tokio::test]
async fn a_number_belongs_to_one_line_of_the_tenant() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, lines::routes).await;
    let manager = town.manager();
    let of = |number: &str| json!({"name": "Marina", "number": number});
    let first = manager.post(LINES, of(MARINA)).await;
    first.is(201);
    manager.post(LINES, of(MARINA)).await.is_refused(409, "taken");
    // In whatever form it is written.
    manager.post(LINES, of(MARINA_WITH_ZERO)).await.is_refused(409, "taken");
    let rewritten = json!({"number": MARINA_WITH_ZERO});
    let rewritten = manager.patch(first.header("location"), rewritten).await;
    assert_eq!(rewritten.is(200).json()["number"], MARINA_WITH_ZERO);
    town.foreign_admin().post(LINES, of(MARINA)).await.is(201);
    let second = manager.post(LINES, of("+97143330001")).await;
    let steal = || manager.patch(second.header("location"), json!({"number": MARINA}));
    steal().await.is_refused(409, "taken");
    manager.delete(first.header("location")).await.is(204);
    steal().await.is(200);
}

#[tokio::test]
async fn a_line_names_connections_that_send() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, lines::routes).await;
    // Made before any connection reported calls.
    let early = json!({"name": "Marina", "number": "+97143330009"});
    let early = town.manager().post(LINES, early).await;
    let telephony = town.connect(json!({"kind": "telephony", "numbers": [MARINA]})).await;
    let numbers = ["+15005550006"];
    let twilio = json!({"kind": "twilio", "account_sid": "AC0", "numbers": numbers, "voice": {"handling": "greet"}});
    let twilio = town.connect(twilio).await;
    let manager = town.manager();
    let line = |more: Value| {
        let mut line = json!({"name": "Marina"});
        line.as_object_mut()
            .expect("an object")
            .extend(more.as_object().cloned().unwrap_or_default());
        line
    };
    for (wrong, field) in [
        (json!({"whatsapp": telephony}), "whatsapp"),
        (json!({"whatsapp": "conn_01hq5c1ynyc0000000000000ab"}), "whatsapp"),
        (json!({"sms": {"connection": telephony}}), "sms.connection"),
        (json!({"sms": {"connection": twilio, "number": MARINA}}), "sms.number"),
        (
            json!({"business_hours": {"monday": [{"from": "09:00", "to": "13:00"}, {"from": "12:00", "to": "14:00"}]}}),
            "business_hours.monday",
        ),
        (
            json!({"business_hours": {"monday": [{"from": "9", "to": "13:00"}]}}),
            "business_hours.monday[0].from",
        ),
        (json!({"number": "12"}), "number"),
        (json!({"number": "+97143330008"}), "number"),
        (json!({"name": "x".repeat(101)}), "name"),
    ] {
        manager.post(LINES, line(wrong)).await.names_field(field);
    }
    let place = early.is(201).header("location");
    manager.patch(place, json!({"name": "Harbour"})).await.is(200);
    let wrong = json!({"number": "+97143330008"});
    manager.patch(place, wrong).await.names_field("number");
    manager.patch(place, json!({"number": MARINA})).await.is(200);
    let sms = json!({"connection": twilio, "number": numbers[0]});
    let made = manager.post(LINES, line(json!({"sms": sms}))).await;
    let place = made.is(201).header("location");
    let wrong = json!({"sms": {"number": MARINA}});
    manager.patch(place, wrong).await.names_field("sms.number");
    manager.patch(place, json!({"sms": {"number": null}})).await.is(200);
}
