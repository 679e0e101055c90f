//! The promises of every resource of the API, checked for one of them by one test.

use std::collections::BTreeSet;

use axum::Router;
use domain::accounts::{Permission, Role};
use kit::{ConfigError, Env};
use serde_json::{Value, json};
use store::Owned;

use crate::api::{Caller, Town, repeat_interrupted_request, without_secrets};
use crate::{Answer, Aws, Lossy, assert_snapshot, texts};

/// A resource that is listed, created, read, changed and deleted under one path.
pub struct Resource {
    /// Routes of its function.
    pub routes: fn(&Env) -> Result<Router, ConfigError>,
    /// Path of the list.
    pub path: &'static str,
    pub read: Permission,
    pub write: Permission,
    /// Body of a new one. If it has a unique text, each further one gets a text of its own.
    pub new: Value,
    /// A change that is one.
    pub change: Value,
}

/// Rows outlive the code that wrote them: each names its kind and its form.
async fn says_its_form_in_every_row(town: &Town<'_>) {
    let aws = town.aws();
    let rows = aws.dynamodb().scan().table_name(aws.table()).send().await;
    for row in rows.expect("the table answers").items() {
        assert!(row.contains_key("kind") && row.contains_key("f"), "{row:?}");
    }
}

fn texts_of(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// Values beyond the limits of a field with this schema, and values at them.
fn limits(schema: &Value) -> (Vec<Value>, Vec<Value>) {
    let is = |kind: &str| schema["type"] == kind || texts_of(&schema["type"]).any(|one| one == kind);
    let number = |limit: &str| schema[limit].as_i64();
    let length = |limit: &str| usize::try_from(number(limit)?).ok();
    if schema.get("enum").is_some() || schema.get("oneOf").is_some() {
        (vec![json!("nobody_knows")], Vec::new())
    } else if is("string") {
        let letters = |count: usize| json!("x".repeat(count));
        let (least, most) = (length("minLength").unwrap_or_default(), length("maxLength"));
        let beyond = [least.checked_sub(1), most.map(|most| most + 1)];
        let beyond = beyond.into_iter().flatten().map(letters).chain([json!(1)]);
        // Others have a form.
        let is_free = schema.get("pattern").is_none() && schema.get("format").is_none();
        let at = [Some(least.max(1)), most].into_iter().flatten();
        (beyond.collect(), at.filter(|_| is_free).map(letters).collect())
    } else if is("integer") {
        let least = number("minimum").expect("a number has a minimum");
        let most = number("maximum").expect("a number has a maximum");
        let beyond = vec![json!(least - 1), json!(most + 1), json!(0.5), json!("1")];
        (beyond, vec![json!(least), json!(most)])
    } else {
        (Vec::new(), Vec::new())
    }
}

fn id(answer: &Answer) -> String {
    answer.json()["id"].as_str().expect("it has an id").to_owned()
}

impl Resource {
    /// Checks all promises. `T` is the kind of its rows.
    ///
    /// # Panics
    /// When one is broken.
    pub async fn keeps_its_promises<T: Owned>(&self) {
        let aws = Aws::new().await;
        let town = Town::new(&aws, self.routes).await;
        self.admits_by_permission::<T>(&town).await;
        self.is_written_and_read::<T>(&town).await;
        self.is_the_tenants_own::<T>(&town).await;
        self.is_listed_page_by_page(&town).await;
        self.is_limited::<T>(&town).await;
        says_its_form_in_every_row(&town).await;
        self.is_created_once_though_interrupted().await;
    }

    /// Checks the same for a plain kind. Its names are unique, too, and its fields have the limits that the function's own document states.
    ///
    /// # Panics
    /// When one is broken.
    pub async fn is_plain<T: Owned>(&self, document: &Value) {
        self.keeps_its_promises::<T>().await;
        let aws = Aws::new().await;
        let town = Town::new(&aws, self.routes).await;
        self.names_belong_to_one::<T>(&town).await;
        self.is_bounded::<T>(&town, document).await;
    }

    async fn names_belong_to_one<T: Owned>(&self, town: &Town<'_>) {
        let named = |name: &str| {
            let mut body = self.new.clone();
            body[T::UNIQUE] = json!(name);
            body
        };
        let renamed = json!({ T::UNIQUE: "one" });
        let manager = town.admin();
        let first = manager.post(self.path, named("One")).await;
        let first = first.is(201).header("location");
        manager.post(self.path, named(" ONE ")).await.is_refused(409, "taken");
        town.foreign_admin().post(self.path, named("one")).await.is(201);
        let second = manager.post(self.path, named("Two")).await;
        let second = second.is(201).header("location");
        manager.patch(second, renamed.clone()).await.is_refused(409, "taken");
        // Its own name in another spelling.
        manager.patch(first, renamed.clone()).await.is(200);
        manager.delete(first).await.is(204);
        manager.patch(second, renamed).await.is(200);
    }

    async fn is_bounded<T: Owned>(&self, town: &Town<'_>, document: &Value) {
        let resolved = |schema: &Value| match schema["$ref"].as_str() {
            Some(reference) => document.pointer(reference.trim_start_matches('#')).cloned(),
            None => Some(schema.clone()),
        };
        let body = &document["paths"][self.path]["post"]["requestBody"]["content"]["application/json"]["schema"];
        let body = resolved(body).expect("the document has the body");
        let manager = town.admin();
        let with = |field: &str, value: Value| {
            let mut body = self.another_body::<T>(town);
            body[field] = value;
            manager.post(self.path, body)
        };
        with(T::UNIQUE, json!("a\u{202e}b")).await.names_only(&[T::UNIQUE]);
        let fields = body["properties"].as_object().expect("the body has fields");
        for (field, schema) in fields {
            let (beyond, at) = limits(&resolved(schema).expect("the document has the field"));
            for value in beyond {
                with(field, value).await.names_only(&[field]);
            }
            for value in at {
                with(field, value).await.is(201);
            }
        }
        for field in texts_of(&body["required"]) {
            let mut body = self.new.clone();
            body.as_object_mut().expect("an object").remove(field);
            manager.post(self.path, body).await.names_only(&[field]);
        }
    }

    /// The body of another one.
    fn another_body<T: Owned>(&self, town: &Town<'_>) -> Value {
        let mut body = self.new.clone();
        if let Some(unique) = body.get_mut(T::UNIQUE)
            && let Some(text) = unique.as_str()
        {
            let own = town.aws().ids().ulid().to_string().to_ascii_lowercase();
            *unique = json!(format!("{text}_{own}"));
        }
        body
    }

    async fn make<T: Owned>(&self, town: &Town<'_>, caller: &Caller<'_>) -> Answer {
        let made = caller.post(self.path, self.another_body::<T>(town)).await;
        made.is(201);
        made
    }

    async fn list_items(&self, caller: &Caller<'_>) -> Vec<Value> {
        caller.get(&format!("{}?limit=100", self.path)).await.items()
    }

    async fn admits_by_permission<T: Owned>(&self, town: &Town<'_>) {
        let made = self.make::<T>(town, &town.admin()).await;
        let place = made.header("location");
        let reader = town.new_key(Role::Admin, &[self.read]).await.1;
        let stranger = town.new_key(Role::Admin, &[Permission::TenantRead]).await.1;
        let by_role = Role::ALL.map(|role| (town.role(role), role.may(self.read), role.may(self.write)));
        let by_key = [
            (town.api_key(&reader), true, false),
            (town.api_key(&stranger), false, false),
        ];
        for (caller, reads, writes) in by_role.into_iter().chain(by_key) {
            let of = |may: bool, status: u16| if may { status } else { 403 };
            caller.get(self.path).await.is(of(reads, 200));
            caller.get(place).await.is(of(reads, 200));
            let posted = caller.post(self.path, self.another_body::<T>(town)).await;
            posted.is(of(writes, 201));
            caller.patch(place, json!({})).await.is(of(writes, 200));
            if !writes {
                caller.delete(place).await.is(403);
            }
        }
        let anyone = town.anyone();
        for asked in [
            anyone.get(self.path),
            anyone.post(self.path, self.new.clone()),
            anyone.delete(place),
        ] {
            asked.await.is_refused(401, "unauthorized");
        }
    }

    async fn is_written_and_read<T: Owned>(&self, town: &Town<'_>) {
        let manager = town.admin();
        let author = town.home.person(Role::Admin).user.to_string();
        let signed = async || town.aws().signed_by(&author).await;
        let before = signed().await;
        // Some kinds are listed by the time of their creation, and those of one moment in no particular order.
        town.aws().pass(1);
        let made = manager.post(self.path, self.new.clone()).await;
        made.is(201);
        assert_eq!(signed().await, before + 1, "the audit log says who created it");
        let (place, body) = (made.header("location"), without_secrets(made.json()));
        made.has_version(1);
        assert_eq!(place, format!("{}/{}", self.path, id(&made)));
        let now = || json!(town.aws().now());
        let born = now();
        assert_eq!((&body["created_at"], &body["updated_at"]), (&born, &born));
        for (name, value) in self.new.as_object().into_iter().flatten() {
            assert_eq!(body[name], *value, "{name}");
        }
        let read = manager.get(place).await;
        assert_eq!(read.is(200).has_version(1).json(), body);

        town.aws().pass(1);
        let changed = manager.patch(place, self.change.clone()).if_match(1).await;
        let after = changed.is(200).has_version(2).json();
        let but_time = |shown: &Value| {
            let mut shown = shown.clone();
            shown["updated_at"].take();
            shown
        };
        assert_ne!(but_time(&after), but_time(&body));
        assert_eq!((&after["created_at"], &after["updated_at"]), (&born, &now()));
        town.aws().pass(1);
        let change = || manager.patch(place, self.change.clone());
        change().if_match(1).await.is_refused(412, "stale");
        let same = change().await;
        // Nothing is written.
        assert_eq!(same.is(200).has_version(2).json(), changed.json());
        assert_eq!(manager.get(place).await.json(), changed.json());

        let mut wrong = self.new.clone();
        wrong["nobody_knows"] = json!(1);
        let refused = manager.post(self.path, wrong).await;
        refused.names_field("nobody_knows");
        assert_snapshot(T::KIND, &[&made, &read, &changed, &refused]);
        let refused = manager.patch(place, json!({"nobody_knows": 1})).await;
        refused.names_field("nobody_knows");
        for field in ["id", "created_at", "updated_at"] {
            let own = json!({ field: body[field] });
            manager.patch(place, own).await.names_field(field);
        }

        manager.delete(place).if_match(1).await.is_refused(412, "stale");
        manager.delete(place).if_match(2).await.is(204);
        for asked in [
            manager.get(place),
            manager.delete(place),
            manager.patch(place, self.change.clone()),
        ] {
            asked.await.is_refused(404, "not_found");
        }
        let listed = self.list_items(&manager).await;
        assert!(listed.iter().all(|item| item["id"] != id(&made)), "it is gone");
    }

    async fn is_the_tenants_own<T: Owned>(&self, town: &Town<'_>) {
        // A tenant has some from its beginning, such as its first rule.
        let foreign = town.foreign_admin();
        let theirs = self.list_items(&foreign).await;
        let sent = self.another_body::<T>(town);
        let made = town.admin().post(self.path, sent.clone()).await;
        let place = made.is(201).header("location");
        let others = [
            foreign.get(place),
            foreign.patch(place, self.change.clone()),
            foreign.delete(place),
        ];
        for asked in others {
            asked.await.is_refused(404, "not_found");
        }
        assert_eq!(self.list_items(&foreign).await, theirs);
        assert_eq!(town.admin().get(place).await.json(), without_secrets(made.json()));
        // Also with the same unique text.
        foreign.post(self.path, sent).await.is(201);
    }

    async fn is_listed_page_by_page(&self, town: &Town<'_>) {
        let all = self.list_items(&town.admin()).await;
        let all: BTreeSet<_> = texts(&all, "id").into_iter().collect();
        assert!(all.len() > 2, "{all:?}");
        let found = texts(&town.admin().all(self.path, 2).await, "id");
        assert_eq!(found.len(), all.len(), "each once");
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), all);
    }

    /// The counter of the tenant's rows stands at the maximum. What is deleted makes room.
    async fn is_limited<T: Owned>(&self, town: &Town<'_>) {
        let made = self.make::<T>(town, &town.admin()).await;
        town.fill_counter(T::KIND, T::MAX).await;
        let refused = async || {
            let one_more = town.admin().post(self.path, self.another_body::<T>(town)).await;
            one_more.is_refused(409, "limit_reached");
        };
        refused().await;
        town.admin().delete(made.header("location")).await.is(204);
        self.make::<T>(town, &town.admin()).await;
        refused().await;
    }

    /// The row was written, but the answer was lost. The request is repeated.
    async fn is_created_once_though_interrupted(&self) {
        let aws = Aws::new().await;
        let lossy = Lossy::before(&aws);
        let env = aws.env_behind(lossy.url());
        let town = Town::with_env(&aws, &env, self.routes).await;
        let before = self.list_items(&town.admin()).await;
        let ask = || town.admin().post_once(self.path, "k1", self.new.clone());
        let made = repeat_interrupted_request(&aws, &lossy, ask).await;
        let mut listed = self.list_items(&town.admin()).await;
        listed.retain(|item| before.iter().all(|known| known["id"] != item["id"]));
        assert_eq!(listed, [without_secrets(made.json())]);
    }
}
