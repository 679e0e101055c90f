use std::collections::BTreeSet;

use domain::people::{Field, Stage, Tag};
use domain::tenants::Tenant;
use serde_json::json;
use testkit::api::Town;
use testkit::{Aws, texts};

use super::{CONTACTS, contact_named, create_contact, create_owned, town};

/// The names of all contacts that a search finds, page by page.
async fn search_names(town: &Town<'_>, query: &str, limit: usize) -> Vec<String> {
    // 100 requests a minute are allowed.
    town.aws().pass(60);
    let path = match query {
        "" => CONTACTS.to_owned(),
        query => format!("{CONTACTS}?{query}"),
    };
    texts(&town.viewer().all(&path, limit).await, "name")
}

/// A town with fields, a tag, a stage and some contacts.
async fn town_with_contacts<'a>(aws: &'a Aws, ids: &mut Vec<String>) -> Town<'a> {
    let town = town(aws).await;
    let manager = town.manager();
    for field in [
        json!({"key": "level", "name": "Level", "type": "choice", "options": ["Silver", "Gold"], "searchable": true}),
        json!({"key": "birthday", "name": "Birthday", "type": "date", "searchable": true}),
        json!({"key": "visits", "name": "Visits", "type": "number", "searchable": true}),
        json!({"key": "vip", "name": "VIP", "type": "yes_no", "searchable": true}),
        json!({"key": "hidden", "name": "Hidden", "type": "text"}),
    ] {
        create_owned::<Field>(&town, field).await;
    }
    let tag = create_owned::<Tag>(&town, contact_named("Regular")).await;
    let stage = create_owned::<Stage>(&town, json!({"name": "Open", "position": 1})).await;
    for contact in [
        json!({"name": "Maya Haddad", "phones": ["+971501234567", "+447700904567"], "tags": [tag], "language": "ar",
            "fields": {"level": "Gold", "visits": 7, "birthday": "1990-02-28", "vip": true}, "source": "Web form"}),
        json!({"name": "Mayra O'Brien", "phones": ["+971501234568"], "emails": ["mayra@example.com"], "tags": [tag],
            "fields": {"level": "Silver", "visits": -2.5, "birthday": "2001-02-28"}}),
        json!({"name": "José Maya-Ruiz", "stage": stage, "fields": {"visits": 70, "birthday": "1990-03-01", "hidden": "x"}}),
        json!({"name": "حدّاد مايا", "phones": ["+971551234567"], "stage": stage, "tags": [tag]}),
    ] {
        ids.push(create_contact(&manager, contact).await);
        aws.pass(1);
    }
    ids.extend([tag, stage]);
    town
}

#[tokio::test]
async fn a_search_finds_exactly_those_that_fulfil_it() {
    let aws = Aws::new().await;
    let mut ids = Vec::new();
    let town = town_with_contacts(&aws, &mut ids).await;
    let [maya, mayra, jose, haddad] = ["Maya Haddad", "Mayra O'Brien", "José Maya-Ruiz", "حدّاد مايا"];
    let (tag, stage) = (&ids[4], &ids[5]);
    for (query, expected) in [
        (String::new(), vec![maya, mayra, jose, haddad]),
        ("order=desc".into(), vec![haddad, jose, mayra, maya]),
        ("phone=%2B971501234567".into(), vec![maya]),
        ("phone=%2B447700904567".into(), vec![maya]),
        ("phone=%2B447700904568".into(), vec![]),
        ("email=Mayra@example.com".into(), vec![mayra]),
        ("digits=4567".into(), vec![maya, haddad]),
        ("digits=501234567".into(), vec![maya]),
        ("name=may".into(), vec![maya, jose, mayra]),
        ("name=MAYA".into(), vec![maya, jose]),
        ("name=jos%C3%A9".into(), vec![jose]),
        ("name=jose+ruiz".into(), vec![jose]),
        ("name=obrien".into(), vec![mayra]),
        ("name=brien".into(), vec![]),
        ("name=%D8%AD%D8%AF%D8%A7%D8%AF".into(), vec![haddad]),
        (format!("tag={tag}"), vec![maya, mayra, haddad]),
        (format!("tag={tag}&order=desc"), vec![haddad, mayra, maya]),
        (format!("tag={tag}&language=ar"), vec![maya]),
        (format!("tag={tag}&source=WEB%20form"), vec![maya]),
        (format!("tag={tag}&name=may"), vec![maya, mayra]),
        (format!("stage={stage}"), vec![jose, haddad]),
        (format!("stage={stage}&order=desc"), vec![haddad, jose]),
        (format!("stage={stage}&tag={tag}"), vec![haddad]),
        ("field=level&value=gold".into(), vec![maya]),
        ("field=visits&value=7".into(), vec![maya]),
        ("field=visits&from=-3".into(), vec![mayra, maya, jose]),
        ("field=visits&from=-3&order=desc".into(), vec![jose, maya, mayra]),
        ("field=visits&from=0&to=7".into(), vec![maya]),
        ("field=visits&to=-2.5".into(), vec![mayra]),
        ("field=visits&from=8&to=7".into(), vec![]),
        ("field=birthday&day=02-28".into(), vec![maya, mayra]),
        ("field=birthday&from=1990-01-01&to=1990-12-31".into(), vec![maya, jose]),
        ("field=vip&value=true".into(), vec![maya]),
        ("field=birthday&day=02-28&digits=568".into(), vec![mayra]),
    ] {
        for limit in [1, 2, 25] {
            assert_eq!(
                search_names(&town, &query, limit).await,
                expected,
                "{query}, pages of {limit}"
            );
        }
    }
}

/// If two numbers are written alike nationally, the search finds the number of the business's country.
#[tokio::test]
async fn numbers_and_names_are_found_in_any_spelling() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let (fatima, ali) = ("فاطمة الزهراء", "على كریم");
    for contact in [
        json!({"name": fatima, "phones": ["+971502381220"]}),
        json!({"name": ali, "phones": ["+966502381220"]}),
    ] {
        create_contact(&manager, contact).await;
        aws.pass(1);
    }
    let emirates = |tenant: &mut Tenant| tenant.default_region = Some("AE".to_owned());
    aws.change_tenant(town.home.scope(), emirates).await;
    for (query, expected) in [
        ("digits=0502381220", vec![fatima]),
        ("digits=050%20238%201220", vec![fatima]),
        (
            "digits=%D9%A0%D9%A5%D9%A0%D9%A2%D9%A3%D9%A8%D9%A1%D9%A2%D9%A2%D9%A0",
            vec![fatima],
        ),
        ("digits=00971502381220", vec![fatima]),
        ("digits=tel:%2B966-50-238-1220", vec![ali]),
        ("digits=502381220", vec![fatima, ali]),
        ("digits=1220", vec![fatima, ali]),
        ("phone=050%20238%201220", vec![fatima]),
        ("phone=%2B966%20(50)%20238-1220", vec![ali]),
        ("name=%D9%81%D8%A7%D8%B7%D9%85%D9%87", vec![fatima]),
        ("name=%D8%B9%D9%84%D9%8A+%D9%83%D8%B1%D9%8A%D9%85", vec![ali]),
    ] {
        let mut found = search_names(&town, query, 25).await;
        found.sort_by_key(|name| name == ali);
        assert_eq!(found, expected, "{query}");
    }
}

#[tokio::test]
async fn a_search_without_a_list_names_those_that_have_one() {
    let aws = Aws::new().await;
    let town = town_with_contacts(&aws, &mut Vec::new()).await;
    let agent = town.agent();
    for query in ["language=ar", "source=Shop", "owner=usr_01hq5c1ynyc0000000000000ab"] {
        let refused = agent.get(&format!("{CONTACTS}?{query}")).await;
        assert!(refused.is(400).detail().contains("`tag`"), "{query}");
    }
    for (query, wrong) in [
        ("field=hidden&value=x", "field"),
        ("field=nothing&value=x", "field"),
        ("field=level", "field"),
        ("field=level&value=Bronze", "value"),
        ("field=level&day=02-28", "day"),
        ("field=visits&value=many", "value"),
        ("field=visits&value=1&from=2", "field"),
        ("field=birthday&day=02-30", "day"),
        ("value=x", "value"),
        ("name=%2B%2B", "name"),
        ("digits=12", "digits"),
        ("digits=12a4", "digits"),
        ("phone=4567", "phone"),
        ("phone=0501234567", "phone"),
        ("tag=x", "tag"),
        ("colour=red", "colour"),
        ("order=newest", "order"),
    ] {
        agent.get(&format!("{CONTACTS}?{query}")).await.names_field(wrong);
    }
    let searchable = agent.get(&format!("{CONTACTS}?field=hidden&value=x")).await;
    for key in ["level", "birthday", "visits", "vip"] {
        assert!(searchable.text().contains(key), "{}", searchable.text());
    }
    let page = agent.get(&format!("{CONTACTS}?limit=1")).await.json();
    let cursor = page["next_cursor"].as_str().expect("there is a next page");
    agent.get(&format!("{CONTACTS}?name=may&cursor={cursor}")).await.is(400);
}

/// Other conditions read another part of the same list, and the database refuses to start outside of it.
#[tokio::test]
async fn a_cursor_counts_only_with_its_own_conditions() {
    let aws = Aws::new().await;
    let town = town_with_contacts(&aws, &mut Vec::new()).await;
    let agent = town.agent();
    for (own, other) in [
        ("name=may", "name=mayr"),
        ("digits=4567", "digits=568"),
        ("field=visits&from=-3", "field=visits&from=8"),
        ("field=visits&from=-3&order=desc", "field=visits&to=8"),
        ("field=birthday&from=1990-01-01", "field=birthday&value=1990-03-01"),
    ] {
        let page = agent.get(&format!("{CONTACTS}?limit=1&{own}")).await.json();
        let cursor = page["next_cursor"].as_str().expect("there is a next page");
        let asked = async |query: &str| agent.get(&format!("{CONTACTS}?{query}&cursor={cursor}")).await;
        asked(own).await.is(200);
        let refused = asked(other).await;
        assert!(refused.is(400).detail().contains("cursor"), "{other}");
    }
}

/// Processes cache them, but no answer is by outdated ones.
#[tokio::test]
async fn fields_count_as_soon_as_they_change() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let search = || agent.get(&format!("{CONTACTS}?field=level&value=gold"));
    let place = format!("{CONTACTS}/{}", create_contact(&agent, contact_named("Maya")).await);
    agent.get(CONTACTS).await.is(200);
    agent.get(&place).await.is(200);
    search().await.names_field("field");
    let level = json!({"key": "level", "name": "Level", "type": "text", "searchable": true});
    let id = create_owned::<Field>(&town, level).await;
    assert!(search().await.items().is_empty());
    let changed = agent.patch(&place, json!({"fields": {"level": "Gold"}})).await;
    assert_eq!(changed.is(200).json()["fields"], json!({"level": "Gold"}));
    assert_eq!(search().await.items().len(), 1);
    let (store, scope, stamp) = (aws.store(), town.home.scope(), aws.stamp());
    let before = store.get::<Field>(scope, &id).await.expect("the table");
    let before = before.expect("the field");
    let renamed = Field {
        key: "grade".parse().expect("a key"),
        ..before.value.clone()
    };
    let changed = store.change(scope, &before, &renamed, &stamp).await;
    changed.expect("another key");
    let listed = agent.get(CONTACTS).await.json();
    assert_eq!(listed["items"][0]["fields"], json!({"grade": "Gold"}));
    assert_eq!(agent.get(&place).await.json()["fields"], json!({"grade": "Gold"}));
    search().await.names_field("field");
}

/// Former names, numbers, tags and values no longer lead to a contact.
#[tokio::test]
async fn lists_follow_every_change() {
    let aws = Aws::new().await;
    let mut known = Vec::new();
    let town = town_with_contacts(&aws, &mut known).await;
    let agent = town.agent();
    let place = format!("{CONTACTS}/{}", known[0]);
    let changes = json!({"name": "Lea", "phones": ["+15005550006"], "tags": [], "stage": known[5],
        "fields": {"level": "Silver", "birthday": null, "visits": 8}});
    agent.patch(&place, changes).await.is(200);
    for (query, finds) in [
        ("name=maya", false),
        ("name=lea", true),
        ("digits=4567", false),
        ("digits=0006", true),
        (&format!("tag={}", known[4]), false),
        (&format!("stage={}", known[5]), true),
        ("field=level&value=gold", false),
        ("field=level&value=silver", true),
        ("field=birthday&day=02-28", false),
        ("field=visits&value=7", false),
        ("field=visits&value=8", true),
    ] {
        let answer = agent.get(&format!("{CONTACTS}?{query}")).await;
        assert_eq!(answer.texts("id").contains(&known[0]), finds, "{query}");
    }
}

/// A page reads a bounded number of contacts, and says where to go on.
#[tokio::test]
async fn a_page_without_a_match_leads_to_the_next() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let tag = create_owned::<Tag>(&town, contact_named("Regular")).await;
    let last = 520;
    for number in 0..=last {
        let language = if number == last { "fr" } else { "en" };
        // 100 requests a minute are allowed.
        aws.pass(1);
        let contact = json!({"name": format!("Contact {number}"), "tags": [tag], "language": language});
        create_contact(&agent, contact).await;
    }
    let query = format!("tag={tag}&language=fr");
    let first = agent.get(&format!("{CONTACTS}?{query}")).await;
    assert!(first.items().is_empty());
    assert!(first.json()["next_cursor"].is_string(), "{}", first.text());
    assert_eq!(search_names(&town, &query, 25).await, [format!("Contact {last}")]);
    let all = search_names(&town, "", 100).await;
    let different: BTreeSet<_> = all.iter().collect();
    assert_eq!((all.len(), different.len()), (last + 1, last + 1));
}
