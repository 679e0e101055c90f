//! The API's contract, on operations of a test.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod callbacks;

use std::sync::{Arc, Mutex};

use access::token::Claims;
use access::{Authenticator, Credentials};
use api::{
    Allowed, Anyone, Api, Body, Created, IfMatch, Listed, NoContent, Once, Paging, Patch, Path, Person, Platform,
    Proven, Query, Tagged, permits,
};
use axum::extract::State;
use axum::{Extension, Json, Router};
use domain::accounts::{Account, ApiKey, Permission, Role};
use domain::terms::{ContactId, OneLine};
use jiff::SignedDuration;
use kit::http::{LARGEST_OF_API, LARGEST_PATCH};
use kit::{ConfigError, Env, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Page;
use testkit::api::{Caller, Citizen, Town, appoint, sign};
use testkit::{Answer, Aws, Call};
use ulid::Ulid;

struct Context {
    /// Ids of the created things, two for each effect.
    made: Mutex<Vec<[ContactId; 2]>>,
}

impl Context {
    fn made_ids(&self) -> Vec<[ContactId; 2]> {
        self.made.lock().unwrap().clone()
    }

    fn effects(&self) -> usize {
        self.made_ids().len()
    }

    /// Two effects with the same ids: an attempt and its repetition.
    fn is_made_again(&self) -> bool {
        matches!(&self.made_ids()[..], [first, again] if first == again)
    }
}

/// A thing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ThingIn {
    /// Display name.
    name: OneLine<1, 10>,
    /// Its look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    look: Option<Look>,
}

/// The look of a thing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Look {
    /// Name of a colour.
    colour: OneLine<0, 8>,
}

/// A thing with its ids.
#[derive(Debug, Serialize, JsonSchema)]
struct ThingOut {
    /// Id of the thing.
    id: ContactId,
    /// A second id of the same request.
    other: ContactId,
    /// Display name.
    name: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Filter {
    /// At least this large.
    size: Option<u32>,
}

type Ctx = Extension<Arc<Context>>;

fn thing(context: &Context, ulid: impl Fn() -> Ulid, name: String) -> ThingOut {
    let [id, other] = [ContactId::new(ulid()), ContactId::new(ulid())];
    context.made.lock().unwrap().push([id, other]);
    ThingOut { id, other, name }
}

async fn create_thing(
    who: Allowed<permits::TenantWrite>,
    Extension(context): Ctx,
    Body(input): Body<ThingIn>,
) -> Result<Created<ThingOut>, Problem> {
    make_thing(&context, thing(&context, || who.ulid(), input.name.into())).await
}

async fn make_thing(context: &Context, body: ThingOut) -> Result<Created<ThingOut>, Problem> {
    match body.name.as_str() {
        "dies once" if context.effects() == 1 => panic!("a bug"),
        "fails once" | "refuses" if context.effects() == 1 => return Err(Problem::unavailable()),
        "refuses" if context.effects() == 2 => {
            return Err(Problem::conflict("limit_reached", "There are enough things."));
        }
        "refuse" => return Err(Problem::conflict("limit_reached", "There are enough things.")),
        // Another one comes while this one runs.
        "slow" => tokio::time::sleep(std::time::Duration::from_millis(300)).await,
        _ => {}
    }
    Ok(Created {
        location: format!("/api/v1/things/{}", body.id),
        version: 1,
        body,
    })
}

async fn create_secret(
    who: Allowed<permits::TenantWrite>,
    Extension(context): Ctx,
    Path(id): Path<ContactId>,
) -> Result<Once<Created<ThingOut>>, Problem> {
    Ok(Once(Created {
        location: format!("/api/v1/things/{id}"),
        version: 1,
        body: thing(&context, || who.ulid(), "hush".to_owned()),
    }))
}

async fn list_things(_: Allowed<permits::TenantRead>, paging: Paging, Query(filter): Query<Filter>) -> Listed<String> {
    let page = Page {
        items: vec![format!("{:?} {} {:?}", paging.after(), paging.limit(), filter.size)],
        next: Some("thg_1".to_owned()),
    };
    Listed::of(page, |item| item)
}

async fn update_thing(
    _: Allowed<permits::TenantWrite>,
    Path(_id): Path<ContactId>,
    if_match: IfMatch,
    patch: Patch<ThingIn>,
) -> Result<Tagged<ThingIn>, Problem> {
    if_match.check(3)?;
    let current = ThingIn {
        name: OneLine::from_stored("old"),
        look: Some(Look {
            colour: OneLine::from_stored("red"),
        }),
    };
    Ok(Tagged {
        version: 4,
        body: patch.apply(&current)?,
    })
}

async fn delete_thing(_: Allowed<permits::ApiKeysWrite>, Path(_id): Path<ContactId>) -> NoContent {
    NoContent
}

mod others {
    use super::*;

    pub(super) async fn get_me(who: Person) -> Json<String> {
        Json(who.account().value.email.as_str().to_owned())
    }

    pub(super) async fn get_platform(who: Platform) -> Json<String> {
        Json(who.admin().user().to_string())
    }

    pub(super) async fn create_mine(who: Person, Extension(context): Ctx) -> NoContent {
        thing(&context, || who.ulid(), "mine".to_owned());
        NoContent
    }

    pub(super) async fn create_platform_thing(
        who: Platform,
        Extension(context): Ctx,
        Body(input): Body<ThingIn>,
    ) -> Result<Created<ThingOut>, Problem> {
        make_thing(&context, thing(&context, || who.ulid(), input.name.into())).await
    }

    pub(super) async fn create_open(who: Anyone, Extension(context): Ctx) -> NoContent {
        thing(&context, || who.ulid(), "open".to_owned());
        NoContent
    }

    pub(super) async fn get_open(who: Anyone, State(api): State<Api>) -> Result<Json<String>, Problem> {
        let limit = store::table::rates::Limit { most: 2, seconds: 60 };
        api.limit_outside("open", &who.address(), limit).await?;
        Ok(Json(who.address()))
    }
}

api::operations! {
    "things": "Things of a tenant." {
        /// Make a thing
        ///
        /// It is there at once.
        POST "/api/v1/things" => create_thing, "The thing";

        /// Make a secret
        POST "/api/v1/things/{id}/secret" => create_secret, "The secret";

        /// List things
        GET "/api/v1/things" => list_things, "A page";

        /// Change a thing
        PATCH "/api/v1/things/{id}" => update_thing, "The thing";

        /// Remove a thing
        DELETE "/api/v1/things/{id}" => delete_thing, "Removed";
    }

    "me": "The caller." {
        /// Who I am
        GET "/api/v1/me" => others::get_me, "Me";

        /// Make a thing of mine
        POST "/api/v1/me" => others::create_mine, "Made";
    }

    "platform": "All tenants." {
        /// All tenants
        GET "/api/v1/platform" => others::get_platform, "All";

        /// Make a thing of the platform
        POST "/api/v1/platform" => others::create_platform_thing, "The thing";
    }

    "open": "For everybody." {
        /// Try a word
        GET "/api/v1/open" => others::get_open, "Yes";

        /// Make a thing of everybody
        POST "/api/v1/open" => others::create_open, "Made";
    }
}

fn routes_counting(env: &Env) -> Result<(Router, Arc<Context>), ConfigError> {
    let context = Arc::new(Context { made: Mutex::default() });
    let routes = api::serve(operations(), Api::new(env)?);
    Ok((routes.layer(Extension(Arc::clone(&context))), context))
}

async fn town(aws: &Aws) -> (Town<'_>, Arc<Context>) {
    town_with(aws, aws.env()).await
}

async fn town_with<'a>(aws: &'a Aws, env: &Env) -> (Town<'a>, Arc<Context>) {
    let mut kept = None;
    let town = Town::with_env(aws, env, |env| {
        let (routes, context) = routes_counting(env)?;
        kept = Some(context);
        Ok(routes)
    })
    .await;
    (town, kept.unwrap())
}

const THINGS: &str = "/api/v1/things";
const PLATFORM: &str = "/api/v1/platform";
const THING: &str = "/api/v1/things/ctc_01jcs8q3v4w5x6y7z8a9b0c1d2";

/// A caller can be recognised by its address, but nobody who reads the line finds the address by trying all.
#[tokio::test]
async fn log_line_has_network_and_keyed_hash_of_address() {
    let aws = Aws::new().await;
    let (town, _) = town(&aws).await;
    let authenticator = Authenticator::new(aws.store());
    let sent = |address: &str| Credentials {
        address: address.parse().ok(),
        ..Credentials::default()
    };
    let by_key = async |key: &str, address: &str| {
        let sent = Credentials {
            api_key: Some(key),
            ..sent(address)
        };
        Proven::Tenant(Box::new(authenticator.principal(sent, aws.now()).await.unwrap())).notes()
    };
    let key = &town.home.key_secret;
    let noted = by_key(key, "203.0.113.7").await;
    let [("actor", actor), ("network", network), ("address_hash", hash)] = &noted[..] else {
        panic!("{noted:?}");
    };
    assert_eq!(
        (actor.as_str(), network.as_str()),
        (&*town.home.key.to_string(), "203.0.113.0/24")
    );
    assert!(
        hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{hash}"
    );
    assert_eq!(by_key(key, "::ffff:203.0.113.7").await, noted);
    let neighbour = by_key(key, "203.0.113.8").await;
    assert!(neighbour[1] == noted[1] && neighbour[2] != noted[2], "{neighbour:?}");
    let (_, other) = town.new_key(Role::Viewer, &[]).await;
    let other = by_key(&other, "203.0.113.7").await;
    assert!(other[1] == noted[1] && other[2] != noted[2], "{other:?}");
    assert_eq!(by_key(key, "").await, noted[..1]);

    let claims = |citizen: &Citizen| Claims::new(citizen.user, citizen.session, Some(town.home.tenant), aws.now());
    let person = sign(&claims(town.home.person(Role::Viewer)));
    let admin = sign(&claims(&town.platform).with_second_factor(true));
    let of = |bearer| Credentials {
        bearer: Some(bearer),
        ..sent("2001:db8:1:2::3")
    };
    let member = authenticator.principal(of(&person), aws.now()).await.unwrap();
    let signed_in = authenticator.signed_in(of(&person), aws.now()).await.unwrap();
    let platform = authenticator.platform_admin(of(&admin), aws.now()).await.unwrap();
    let [member, signed_in, platform] = [
        Proven::Tenant(Box::new(member)).notes(),
        Proven::Person(Box::new(signed_in)).notes(),
        Proven::Platform(platform).notes(),
    ];
    assert_eq!(member, signed_in, "of one session");
    assert_eq!(member[1], ("network", "2001:db8:1::/48".to_owned()));
    assert!(platform[1] == member[1] && platform[2] != member[2], "{platform:?}");
}

#[tokio::test]
async fn only_authenticated_and_permitted_callers_get_in() {
    let aws = Aws::new().await;
    let (town, context) = town(&aws).await;
    let body = || json!({"name": "a"});
    for (role, status) in [
        (Role::Viewer, 403),
        (Role::Agent, 403),
        (Role::Manager, 201),
        (Role::Admin, 201),
    ] {
        assert_eq!(town.role(role).post(THINGS, body()).await.status(), status, "{role}");
        assert_eq!(town.role(role).get(THINGS).await.status(), 200, "{role}");
    }
    town.key().delete(THING).await.is(204);
    town.manager().delete(THING).await.is_refused(403, "forbidden");
    let (_, narrow) = town.new_key(Role::Admin, &[Permission::TenantRead]).await;
    town.api_key(&narrow).get(THINGS).await.is(200);
    town.api_key(&narrow)
        .post(THINGS, body())
        .await
        .is_refused(403, "forbidden");
    assert_eq!(context.effects(), 2);

    let nobody = town.anyone().get(THINGS).await;
    nobody.is_refused(401, "unauthorized");
    assert_eq!(nobody.header("www-authenticate"), "Bearer");
    for token in ["", "x", "a.b.c"] {
        town.bearer(token).get(THINGS).await.is_refused(401, "unauthorized");
        town.api_key(token).get(THINGS).await.is_refused(401, "unauthorized");
    }
    let both = town.admin().with_header("x-api-key", &town.home.key_secret);
    both.get(THINGS).await.is_refused(400, "ambiguous_credentials");
    // Whether there is such a tenant or not, the answer is the same.
    let answer = town.admin().in_tenant(town.away.tenant).get(THINGS).await;
    answer.is_refused(403, "forbidden");
    let answer = town.admin().with_header("x-tenant-id", "nonsense").get(THINGS).await;
    answer.is_refused(403, "forbidden");
    let person = town.home.person(Role::Admin);
    town.person(person, None).get(THINGS).await.is_refused(400, "no_tenant");
    let answer = town.person(person, None).in_tenant(town.home.tenant).get(THINGS).await;
    answer.is(200);

    assert_eq!(
        town.viewer().get("/api/v1/me").await.json(),
        "viewer@harbour-lane.example"
    );
    town.key().get("/api/v1/me").await.is_refused(401, "unauthorized");
    town.admin().get("/api/v1/platform").await.is_refused(403, "forbidden");
    town.key().get("/api/v1/platform").await.is_refused(401, "unauthorized");
    assert_eq!(
        town.platform().get("/api/v1/platform").await.json(),
        town.platform.user.to_string()
    );
    town.platform().get(THINGS).await.is_refused(400, "no_tenant");
    // A token ends after a quarter of an hour.
    let late = town.admin();
    aws.clock().advance(SignedDuration::from_mins(15));
    late.get(THINGS).await.is_refused(401, "unauthorized");
}

/// Sends this number of requests at once, and counts those answered with 403.
async fn count_forbidden(caller: &Caller<'_>, count: usize) -> usize {
    let asked = (0..count).map(|_| caller.get(THINGS).into_future());
    let answers = futures::future::join_all(asked).await;
    answers.iter().filter(|answer| answer.status() == 403).count()
}

#[tokio::test]
async fn rate_limit_is_reported_and_never_exceeded() {
    let aws = Aws::new().await;
    let (town, _) = town(&aws).await;
    let admin = town.admin();
    let asked = (0..200).map(|_| admin.get(THINGS).into_future());
    let answers = futures::future::join_all(asked).await;
    let through = answers.iter().filter(|answer| answer.status() == 200).count();
    assert_eq!(through, 100);
    let refused = answers.iter().find(|answer| answer.status() == 429).unwrap();
    refused.is_refused(429, "too_many_requests");
    assert_eq!(
        ["ratelimit-limit", "ratelimit-remaining", "retry-after"].map(|name| refused.header(name)),
        ["100", "0", "60"]
    );
    assert_eq!(town.viewer().delete(THING).await.header("ratelimit-remaining"), "99");
    aws.pass(60);
    let anew = town.admin().get(THINGS).await;
    anew.is(200);
    assert_eq!(
        [
            "ratelimit-limit",
            "ratelimit-remaining",
            "ratelimit-reset",
            "cache-control"
        ]
        .map(|name| anew.header(name)),
        ["100", "99", "60", "no-store"]
    );

    // Who is no member is counted too.
    let stranger = town.foreign_admin().in_tenant(town.home.tenant);
    assert_eq!(count_forbidden(&stranger, 101).await, 100);
    stranger.get(THINGS).await.is_refused(429, "too_many_requests");
    // At home there is room.
    town.foreign_admin().get(THINGS).await.is(200);
    let key = town.key().in_tenant(town.away.tenant);
    assert_eq!(count_forbidden(&key, 101).await, 100);
    key.get(THINGS).await.is_refused(429, "too_many_requests");

    let open = |address: &'static str| town.anyone().get("/api/v1/open").from_address(address);
    let hash = open("198.51.100.7").await.json().as_str().unwrap().to_owned();
    assert!(hash.len() == 64 && !hash.contains("198"));
    open("198.51.100.7").await.is(200);
    open("198.51.100.7").await.is_refused(429, "too_many_requests");
    // A network's many addresses are one.
    assert_eq!(open("2001:db8::1").await.text(), open("2001:db8::ffff:2").await.text());
    open("2001:db8::3").await.is_refused(429, "too_many_requests");
}

#[tokio::test]
async fn invalid_body_names_its_errors() {
    let aws = Aws::new().await;
    let (town, context) = town(&aws).await;
    let admin = town.admin();
    let fields = |answer: Answer| {
        answer.is_refused(422, "invalid");
        answer.json()["errors"].clone()
    };
    let only = |field: &str, code: &str, facts: Value, detail: &str| json!([{"field": field, "code": code, "facts": facts, "detail": detail}]);
    let sent = fields(admin.post(THINGS, json!({"name": "a", "more": 1})).await);
    let (expected, detail) = (
        json!({"expected": ["name", "look"]}),
        "Unknown field, expected `name` or `look`.",
    );
    assert_eq!(sent, only("more", "unknown", expected, detail));
    assert_eq!(
        fields(admin.post(THINGS, json!({})).await),
        only("name", "required", json!({}), "This field is required.")
    );
    assert_eq!(
        fields(admin.post(THINGS, json!({"name": 1})).await),
        only(
            "name",
            "wrong_type",
            json!({"expected": "a string"}),
            "Expected a string."
        )
    );
    let long = json!({"name": "x".repeat(11), "look": {"colour": "ultramarine"}});
    let mut named = admin.post(THINGS, long).await.is_refused(422, "invalid").fields();
    named.sort_unstable();
    assert_eq!(named, ["look.colour", "name"]);
    let answer = admin.post(THINGS, json!({})).raw_body("{\"name\": ").await;
    answer.is_refused(400, "bad_request");
    let answer = admin.post(THINGS, json!({})).raw_body([0xff, 0xfe]).await;
    answer.is_refused(400, "bad_request");
    for content_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let post = admin
            .post(THINGS, json!({"name": "a"}))
            .header("content-type", content_type);
        post.await.is_refused(415, "wrong_content_type");
    }
    let post = admin
        .post(THINGS, json!({"name": "a"}))
        .header("content-type", "application/json; charset=utf-8");
    post.await.is(201);
    let large = json!({"name": "x".repeat(LARGEST_OF_API)});
    admin.post(THINGS, large.clone()).await.is_refused(413, "too_large");
    admin.post_once(THINGS, "k", large).await.is_refused(413, "too_large");
    let wrong = admin.call(Call::new("PUT", THINGS)).await;
    wrong.is_refused(405, "method_not_allowed");
    let mut allowed: Vec<_> = wrong.header("allow").split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    let answer = admin.patch("/api/v1/things/usr_x", json!({})).await;
    answer.is_refused(404, "not_found");
    let answer = admin.patch("/api/v1/things/%ff", json!({})).await;
    answer.is_refused(404, "not_found");
    assert_eq!(context.effects(), 1);
}

#[tokio::test]
async fn patch_changes_named_fields_of_the_read_version() {
    let aws = Aws::new().await;
    let (town, _) = town(&aws).await;
    let admin = town.admin();
    let changed = admin.patch(THING, json!({"look": null})).if_match(3).await;
    changed.is(200).has_version(4);
    assert_eq!(changed.json(), json!({"name": "old"}));
    assert_eq!(admin.patch(THING, json!({"name": "new"})).await.json()["name"], "new");
    let answer = admin.patch(THING, json!({"name": "new"})).if_match(2).await;
    answer.is_refused(412, "stale");
    let answer = admin.patch(THING, json!({})).header("if-match", "3").await;
    answer.is_refused(400, "bad_request");
    for (changes, field) in [
        (json!({"more": 1}), "more"),
        (json!({"more": null}), "more"),
        (json!({"name": null}), "name"),
        (json!({"look": {"colour": null}}), "look.colour"),
    ] {
        admin.patch(THING, changes).await.names_only(&[field]);
    }
    admin.patch(THING, json!([])).await.is_refused(422, "invalid");
    let answer = admin.patch(THING, json!({})).header("content-type", "text/plain").await;
    answer.is_refused(415, "wrong_content_type");
}

/// Nobody needs more, and a small body can contain very many.
#[tokio::test]
async fn patch_is_bounded_in_bytes_and_members() {
    let aws = Aws::new().await;
    let (town, _) = town(&aws).await;
    let admin = town.admin();
    let large = |bytes: usize| {
        let around = json!({"name": "", "look": null}).to_string().len();
        json!({"name": "x".repeat(bytes - around), "look": null})
    };
    admin.patch(THING, large(LARGEST_PATCH)).await.names_field("name");
    let answer = admin.patch(THING, large(LARGEST_PATCH + 1)).await;
    let detail = answer.is_refused(413, "too_large").detail();
    assert_eq!(detail, "Send at most 64 KB in one request.");
    let members = |count: usize| -> Value {
        (0..count)
            .map(|n| (format!("f{n}"), Value::Null))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let first_error = async |changes: Value| {
        let answer = admin.patch(THING, changes).await;
        answer.is_refused(422, "invalid");
        answer.json()["errors"][0].clone()
    };
    let too_many = |field: &str| {
        let detail = "Expected at most 100 members, got 101.";
        json!({"field": field, "code": "too_many", "facts": {"maximum": 100}, "detail": detail})
    };
    assert_eq!(
        first_error(members(100)).await,
        json!({"field": "f0", "code": "unknown", "facts": {}, "detail": "Unknown field."})
    );
    assert_eq!(first_error(members(101)).await, too_many(""));
    assert_eq!(first_error(json!({"look": members(101)})).await, too_many("look"));
}

#[tokio::test]
async fn errors_do_not_repeat_long_input() {
    let aws = Aws::new().await;
    let (town, _) = town(&aws).await;
    let long = "x".repeat(500_000);
    let answer = town.admin().post(THINGS, json!({"name": "a", (long): 1})).await;
    answer.is_refused(422, "invalid");
    assert!(answer.text().len() < 1_000, "{}", answer.text().len());
    assert!(answer.json()["errors"][0]["field"].as_str().unwrap().ends_with("x…"));
}

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    let aws = Aws::new().await;
    let (town, _) = town(&aws).await;
    let admin = town.admin();
    let first = admin.get(&format!("{THINGS}?size=4")).await.json();
    assert_eq!(first["items"], json!(["None 25 Some(4)"]));
    let cursor = first["next_cursor"].as_str().unwrap();
    let next = admin.get(&format!("{THINGS}?limit=7&cursor={cursor}")).await.json();
    assert_eq!(next["items"], json!(["Some(\"thg_1\") 7 None"]));
    let answer = admin.get(&format!("{THINGS}?cursor=thg_1")).await;
    answer.is_refused(400, "bad_request");
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("size=-1", "size"),
        ("page=2", "page"),
        ("size=1&size=2", "size"),
    ] {
        admin.get(&format!("{THINGS}?{query}")).await.names_only(&[field]);
    }
}

#[tokio::test]
async fn unknown_parameters_are_refused_unless_public() {
    let aws = Aws::new().await;
    let (town, context) = town(&aws).await;
    let ask = |method: &str, path: &str| Call::new(method, &format!("{path}?limit=5"));
    for call in [
        ask("GET", "/api/v1/me"),
        ask("POST", "/api/v1/me"),
        ask("DELETE", THING),
    ] {
        town.admin().call(call).await.names_only(&["limit"]);
    }
    let answer = town.anyone().call(ask("GET", "/api/v1/me")).await;
    answer.is_refused(401, "unauthorized");
    assert_eq!(context.effects(), 0);
    town.anyone().call(ask("POST", "/api/v1/open")).await.is(204);
}

#[tokio::test]
async fn request_with_key_takes_effect_once() {
    let aws = Aws::new().await;
    let (town, context) = town(&aws).await;
    let effects = || context.effects();
    let post = |key: &str, name: &str| town.admin().post_once(THINGS, key, json!({"name": name}));
    let first = post("k1", "a").await;
    assert_eq!(first.is(201).header("idempotency-replayed"), "");
    let again = post("k1", "a").await;
    assert_eq!(
        (again.status(), again.text(), again.header("idempotency-replayed")),
        (201, first.text(), "true")
    );
    for name in ["location", "etag", "content-type"] {
        assert_eq!(again.header(name), first.header(name));
    }
    assert_ne!(again.header("ratelimit-remaining"), first.header("ratelimit-remaining"));
    post("k1", "b").await.is_refused(422, "idempotency_key_reused");
    assert_eq!(effects(), 1);
    // A key is its caller's own.
    let answer = town.manager().post_once(THINGS, "k1", json!({"name": "b"})).await;
    answer.is(201);
    let answer = town.foreign_admin().post_once(THINGS, "k1", json!({"name": "b"})).await;
    answer.is(201);
    assert_eq!(effects(), 3);
    for key in ["", "two words", &"x".repeat(129), "é"] {
        post(key, "a").await.is_refused(400, "bad_request");
    }
    // Of many at once one runs; the others are told so, or come after it.
    let many = (0..20).map(|_| post("k2", "slow").into_future());
    let answers = futures::future::join_all(many).await;
    assert_eq!(effects(), 4);
    let ran = answers
        .iter()
        .filter(|answer| answer.status() == 201 && answer.header("idempotency-replayed").is_empty());
    assert_eq!(ran.count(), 1);
    let running: Vec<_> = answers.iter().filter(|answer| answer.status() == 409).collect();
    assert!(!running.is_empty());
    for answer in running {
        answer.is_refused(409, "still_running");
        assert_eq!(answer.header("retry-after"), "1");
    }
    // It is forgotten after a day.
    aws.clock().advance(SignedDuration::from_hours(24));
    assert_eq!(post("k1", "c").await.header("idempotency-replayed"), "");
}

#[tokio::test]
async fn key_can_be_reused_after_an_error() {
    let aws = Aws::new().await;
    let (town, context) = town(&aws).await;
    let post = |name: &str| town.admin().post_once(THINGS, "k", json!({"name": name}));
    let answer = town.viewer().post_once(THINGS, "k", json!({"name": "a"})).await;
    answer.is_refused(403, "forbidden");
    post("").await.is_refused(422, "invalid");
    post("refuse").await.is_refused(409, "limit_reached");
    post("a").await.is(201);
    assert_eq!(context.effects(), 2);
}

/// The process died before it stored its answer.
#[tokio::test]
async fn interrupted_request_is_repeated_with_the_same_ids() {
    for (name, first, wait) in [
        ("dies once", (500, "internal"), 60),
        ("fails once", (503, "unavailable"), 0),
    ] {
        let aws = Aws::new().await;
        let (town, context) = town(&aws).await;
        let post = || town.admin().post_once(THINGS, "k", json!({"name": name}));
        post().await.is_refused(first.0, first.1);
        if wait > 0 {
            // Only its lease's end tells that it is dead.
            aws.pass(wait - 1);
            post().await.is_refused(409, "still_running");
            aws.pass(1);
        }
        let answer = town.admin().post_once(THINGS, "k", json!({"name": "b"})).await;
        answer.is_refused(422, "idempotency_key_reused");
        aws.pass(5);
        post().await.is(201);
        assert!(context.is_made_again(), "{name}: {:?}", context.made_ids());
        let [id, other] = context.made_ids()[0];
        assert_ne!(id, other);
        assert_eq!(post().await.header("idempotency-replayed"), "true");
    }
}

/// The first attempt may have had its effect, whatever the second one is answered.
#[tokio::test]
async fn refused_repetition_keeps_the_ids_of_the_request() {
    let aws = Aws::new().await;
    let (town, context) = town(&aws).await;
    let post = |name: &str| town.admin().post_once(THINGS, "k", json!({"name": name}));
    post("refuses").await.is_refused(503, "unavailable");
    post("refuses").await.is_refused(409, "limit_reached");
    post("b").await.is_refused(422, "idempotency_key_reused");
    post("refuses").await.is(201);
    let made = context.made_ids();
    assert!(made.len() == 3 && made[0] == made[2], "{made:?}");
}

#[tokio::test]
async fn platform_request_takes_effect_once_per_caller() {
    let aws = Aws::new().await;
    let (town, context) = town(&aws).await;
    let post = |name: &str| town.platform().post_once(PLATFORM, "k", json!({"name": name}));
    let first = post("a").await;
    assert_eq!(first.is(201).header("idempotency-replayed"), "");
    let again = post("a").await;
    assert_eq!(
        (again.status(), again.text(), again.header("idempotency-replayed")),
        (201, first.text(), "true")
    );
    post("b").await.is_refused(422, "idempotency_key_reused");
    assert_eq!(context.effects(), 1);
    let operator = town.home.person(Role::Admin);
    appoint(&aws, operator).await;
    let other = town.person_by_two_factors(operator, Some(town.home.tenant));
    other.post_once(PLATFORM, "k", json!({"name": "b"})).await.is(201);
    other.post_once(THINGS, "k", json!({"name": "c"})).await.is(201);
    assert_eq!(context.effects(), 3);
}

/// Row and right exist, but the factor, or a session that began with it, is missing.
#[tokio::test]
async fn platform_requires_a_second_factor() {
    let aws = Aws::new().await;
    let (town, context) = town(&aws).await;
    let post = async |caller: Caller<'_>| caller.post(PLATFORM, json!({"name": "a"})).await;
    // The right and a factor, in a session without it.
    let answer = post(town.person(&town.platform, None)).await;
    answer.is_refused(403, "second_factor_needed");
    post(town.platform()).await.is(201);
    // The session had one, and it was switched off since.
    let before = aws.store().account(town.platform.user).await.unwrap().unwrap();
    let off = Account {
        second_factor: None,
        ..before.value
    };
    aws.store().write_account(&off, before.version).await.unwrap();
    post(town.platform()).await.is_refused(403, "second_factor_needed");
    // Others are told what they were told before.
    let other = town.person_by_two_factors(town.home.person(Role::Admin), None);
    post(other).await.is_refused(403, "forbidden");
    // What is their own stays open, so that they can switch one on.
    let answer = town.person(&town.platform, None).post("/api/v1/me", json!({})).await;
    answer.is(204);
    assert_eq!(context.effects(), 2);
}

#[tokio::test]
async fn failed_platform_request_repeats_with_the_same_ids() {
    let aws = Aws::new().await;
    let (town, context) = town(&aws).await;
    let post = || town.platform().post_once(PLATFORM, "k", json!({"name": "fails once"}));
    post().await.is_refused(503, "unavailable");
    post().await.is(201);
    assert!(context.is_made_again(), "{:?}", context.made_ids());
}

#[tokio::test]
async fn key_is_refused_where_answers_are_not_stored() {
    let aws = Aws::new().await;
    let (town, context) = town(&aws).await;
    for (caller, path) in [(town.admin(), "/api/v1/me"), (town.anyone(), "/api/v1/open")] {
        let answer = caller.post_once(path, "k", json!({})).await;
        answer.is_refused(400, "bad_request");
        assert_eq!(context.effects(), 0, "{path}");
        caller.post(path, json!({})).await.is(204);
        context.made.lock().unwrap().clear();
    }
}

/// The table stored the record of the idempotency key, but its answer was lost.
#[tokio::test]
async fn request_runs_though_its_record_was_unacknowledged() {
    let aws = Aws::new().await;
    let lossy = testkit::Lossy::before(&aws);
    let env = aws.env_behind(lossy.url());
    let (town, context) = town_with(&aws, &env).await;
    let post = |key: &str, name: &str| town.admin().post_once(THINGS, key, json!({"name": name}));
    lossy.lose("PutItem");
    post("k1", "a").await.is(201);
    assert!(lossy.has_lost_all());
    assert_eq!(post("k1", "a").await.header("idempotency-replayed"), "true");
    context.made.lock().unwrap().clear();
    post("k2", "dies once").await.is_refused(500, "internal");
    aws.pass(60);
    lossy.lose("PutItem");
    post("k2", "dies once").await.is(201);
    assert!(lossy.has_lost_all());
    assert!(context.is_made_again(), "{:?}", context.made_ids());
}

/// The key may have another holder by now. With more scopes, everything can be seen as before.
#[tokio::test]
async fn replay_shows_nothing_after_losing_permissions() {
    let aws = Aws::new().await;
    let (town, context) = town(&aws).await;
    let (read, write) = (Permission::TenantRead, Permission::TenantWrite);
    let (id, secret) = town.new_key(Role::Admin, &[read, write]).await;
    let caller = town.api_key(&secret);
    let post = || caller.post_once("/api/v1/things", "k", json!({"name": "a"}));
    let first = post().await;
    first.is(201);
    for (scopes, status) in [(vec![write], 409), (vec![], 201)] {
        let scope = town.home.scope();
        let before = aws.store().get::<ApiKey>(scope, &id).await.unwrap().unwrap();
        let changed = ApiKey {
            scopes,
            ..before.value.clone()
        };
        aws.store()
            .change(scope, &before, &changed, &aws.stamp())
            .await
            .unwrap();
        let again = post().await;
        again.is(status);
        assert_eq!(again.text().contains("\"other\""), status == 201, "{}", again.text());
        assert_eq!(again.header("location"), first.header("location"));
    }
    assert_eq!(context.effects(), 1);
}

#[tokio::test]
async fn a_secret_is_shown_once() {
    let aws = Aws::new().await;
    let (town, context) = town(&aws).await;
    let path = format!("{THING}/secret");
    let post = |path: &str| town.admin().post_once(path, "k", json!({}));
    let first = post(&path).await;
    assert_eq!(first.is(201).json()["name"].as_str(), Some("hush"));
    let again = post(&path).await;
    again.is_refused(409, "already_done");
    assert_eq!(
        (again.header("location"), again.header("idempotency-replayed")),
        (THING, "true")
    );
    assert!(again.detail().contains(THING));
    assert_eq!(context.effects(), 1);
    // The same key for another object is a mistake.
    let other = path.replace("d2/", "d3/");
    post(&other).await.is_refused(422, "idempotency_key_reused");
    let table = aws.env().config().text("TABLE_NAME").unwrap().to_owned();
    let rows = aws.dynamodb().scan().table_name(table).send().await.unwrap();
    assert!(!format!("{:?}", rows.items()).contains("hush"));
}

#[test]
fn document_matches_the_types() {
    let document = document();
    let of = |path: &str, method: &str| document["paths"][path][method].clone();
    let create = of("/api/v1/things", "post");
    assert_eq!(create["operationId"], "create_thing");
    assert_eq!(create["tags"], json!(["things"]));
    assert_eq!(create["summary"], "Make a thing");
    assert_eq!(create["description"], "It is there at once.");
    assert_eq!(create["x-permission"], "tenant:write");
    assert_eq!(create["security"], json!([{"bearer": []}, {"api_key": []}]));
    let names = |operation: &Value| {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let name = |parameter: &Value| parameter["name"].as_str().unwrap().to_owned();
        parameters.iter().map(name).collect::<Vec<_>>()
    };
    let keys = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let statuses = |operation: &Value| keys(&operation["responses"]);
    assert_eq!(
        statuses(&create),
        [
            "201", "400", "401", "403", "409", "413", "415", "422", "429", "500", "503"
        ]
    );
    let body = &create["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(body, "#/components/schemas/ThingIn");
    for (path, method, expected) in [
        (THINGS, "post", &["X-Tenant-ID", "Idempotency-Key"][..]),
        (THINGS, "get", &["limit", "cursor", "size", "X-Tenant-ID"]),
        ("/api/v1/things/{id}", "patch", &["id", "If-Match", "X-Tenant-ID"]),
        (PLATFORM, "post", &["Idempotency-Key"]),
        ("/api/v1/me", "post", &[]),
        ("/api/v1/open", "post", &[]),
        (PLATFORM, "get", &[]),
    ] {
        assert_eq!(names(&of(path, method)), expected, "{method} {path}");
    }
    let update = of("/api/v1/things/{id}", "patch");
    assert!(statuses(&update).contains(&"412".to_owned()) && statuses(&update).contains(&"404".to_owned()));
    let patch = &update["requestBody"]["content"]["application/merge-patch+json"]["schema"]["$ref"];
    assert_eq!(patch, "#/components/schemas/ThingInPatch");
    assert_eq!(
        statuses(&of("/api/v1/open", "post")),
        ["204", "400", "409", "429", "500", "503"]
    );
    let me = of("/api/v1/me", "get");
    assert_eq!(me["x-permission"], "person");
    assert_eq!(me["security"], json!([{"bearer": []}]));
    let open = of("/api/v1/open", "get");
    assert_eq!(open["x-permission"], "public");
    assert_eq!(open["security"], json!([]));
    assert_eq!(statuses(&open), ["200", "429", "500", "503"]);
    let [etag, replayed, location, timing, correlation] = [
        "ETag",
        "Idempotency-Replayed",
        "Location",
        "Server-Timing",
        "X-Correlation-Id",
    ];
    let limits = ["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"];
    let [limit, remaining, reset] = limits;
    let all = [etag, replayed, location, limit, remaining, reset, timing, correlation];
    let of_change = [etag, limit, remaining, reset, timing, correlation];
    for (operation, status, expected) in [
        (&create, "201", &all[..]),
        (&update, "200", &of_change),
        (&me, "200", &of_change[1..]),
        (&open, "200", &[correlation]),
    ] {
        let headers = keys(&operation["responses"][status]["headers"]);
        assert_eq!(headers, expected, "{}", operation["operationId"]);
    }
    let too_many = &document["components"]["responses"]["TooManyRequests"];
    assert_eq!(too_many["headers"]["Retry-After"]["schema"]["type"], "integer");
    let list = &document["components"]["schemas"]["Listed_string"];
    assert_eq!(list["properties"]["items"]["items"]["type"], "string");
    assert_eq!(list["properties"]["next_cursor"]["type"], json!(["string", "null"]));
    assert_eq!(list["required"], json!(["items", "next_cursor"]));
    let components = &document["components"];
    assert_eq!(
        keys(&components["schemas"]),
        [
            "FieldError",
            "Listed_string",
            "Look",
            "LookPatch",
            "OfferedTemplate",
            "Problem",
            "ThingIn",
            "ThingInPatch",
            "ThingOut"
        ]
    );
    assert_eq!(components["schemas"]["ThingInPatch"]["required"], Value::Null);
    assert_eq!(
        components["schemas"]["Problem"]["properties"]["errors"]["type"],
        "array"
    );
    // Nothing is referred to that is not there, but for a request that only other documents have.
    let text = document.to_string();
    for reference in text
        .split("\"$ref\":\"#")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
    {
        let elsewhere = reference == "/components/schemas/TemplateUse";
        assert!(document.pointer(reference).is_some() || elsewhere, "{reference}");
    }
    assert_eq!(keys(&components["securitySchemes"]), ["api_key", "bearer"]);
}
