//! Receivers of webhooks that call back: their tokens act as a key, on one contact, for a quarter of an hour and from listed addresses, and only
//! where an operation takes them.

use api::AllowedOrRun;
use domain::terms::{Stamp, TenantId};
use testkit::callbacks::make_token;

use super::*;

const OTHER: &str = "ctc_01jcs8q3v4w5x6y7z8a9b0c1d3";

async fn touch(
    who: AllowedOrRun<permits::ContactsWrite>,
    Extension(context): Ctx,
    Path(id): Path<ContactId>,
    Body(input): Body<ThingIn>,
) -> Result<Json<ThingOut>, Problem> {
    let who = who.about(id)?;
    assert_eq!(who.stamp().correlation_id, "evt_00000000010000000000000001");
    Ok(Json(thing(&context, || who.ulid(), input.name.into())))
}

async fn touch_all(who: AllowedOrRun<permits::ContactsWrite>) -> Result<NoContent, Problem> {
    who.about(None).map(|_| NoContent)
}

async fn touch_as_key(_: Allowed<permits::ContactsWrite>, Path(_id): Path<ContactId>) -> NoContent {
    NoContent
}

api::operations! {
    "things": "Things of contacts." {
        /// Touch a thing
        POST "/api/v1/things/{id}" => touch, "The thing";

        /// Touch a thing once more
        PUT "/api/v1/things/{id}" => touch, "The thing";

        /// Touch all things
        DELETE "/api/v1/things" => touch_all, "Touched";

        /// Touch a thing with a key
        DELETE "/api/v1/things/{id}" => touch_as_key, "Touched";
    }
}

/// A receiver of an event about a thing, and the key as which it calls.
struct Setting<'a> {
    town: Town<'a>,
    key: ApiKey,
    token: String,
    context: Arc<Context>,
}

impl<'a> Setting<'a> {
    async fn new(aws: &'a Aws, scopes: &[Permission]) -> Self {
        let context = Arc::new(Context { made: Mutex::default() });
        let with = Arc::clone(&context);
        let routes = |env: &Env| Ok(api::serve(operations(), Api::new(env)?).layer(Extension(with)));
        let town = Town::new(aws, routes).await;
        let (id, _) = town.new_key(Role::Agent, scopes).await;
        let key = aws
            .store()
            .get::<ApiKey>(town.home.scope(), &id)
            .await
            .unwrap()
            .unwrap()
            .value;
        let contact = THING.rsplit('/').next().unwrap().parse().unwrap();
        let token = make_token(aws, town.home.scope(), id, contact).await;
        Self {
            town,
            key,
            token,
            context,
        }
    }

    fn caller(&self) -> Caller<'_> {
        self.town.api_key(&self.token)
    }

    async fn put(&self) -> Answer {
        self.caller().put(THING, json!({"name": "a"})).await
    }
}

#[tokio::test]
async fn callback_acts_as_its_key_on_its_contact_only() {
    let aws = Aws::new().await;
    let setting = Setting::new(&aws, &[]).await;
    let caller = setting.caller();
    setting.put().await.is(200);
    for refused in [
        caller.put(&format!("{THINGS}/{OTHER}"), json!({"name": "a"})),
        // About all of them, and where nothing is said of callbacks.
        caller.delete(THINGS),
        caller.delete(THING),
        caller.put(THING, json!({"name": "a"})).from_address("198.51.100.7"),
        caller.put(THING, json!({"name": "a"})).from_address("unknown"),
        caller
            .clone()
            .in_tenant(setting.town.away.tenant)
            .put(THING, json!({"name": "a"})),
    ] {
        refused.await.is_refused(403, "forbidden");
    }
    assert_eq!(setting.context.effects(), 1);
    let elsewhere = Aws::new().await;
    let scoped = Setting::new(&elsewhere, &[Permission::ContactsRead]).await;
    scoped.put().await.is_refused(403, "forbidden");
}

#[tokio::test]
async fn late_foreign_and_revoked_callbacks_are_refused() {
    let aws = Aws::new().await;
    let setting = Setting::new(&aws, &[]).await;
    let (token, town) = (setting.token.as_str(), &setting.town);
    let foreign = |tenant: TenantId| token.replace(&token[4..30], &tenant.ulid().to_string().to_ascii_lowercase());
    for wrong in [
        foreign(town.away.tenant),
        token[..token.len() - 1].to_owned() + "A",
        token[..40].to_owned(),
    ] {
        let asked = town.api_key(&wrong).put(THING, json!({"name": "a"}));
        asked.await.is_refused(401, "unauthorized");
    }
    aws.pass(15 * 60 - 1);
    setting.put().await.is(200);
    let known = aws
        .store()
        .get::<ApiKey>(town.home.scope(), &setting.key.id)
        .await
        .unwrap()
        .unwrap();
    let stamp: Stamp = aws.stamp();
    aws.store()
        .revoke_api_key(town.home.scope(), &known, &stamp)
        .await
        .unwrap();
    setting.put().await.is_refused(401, "unauthorized");
    let elsewhere = Aws::new().await;
    let other = Setting::new(&elsewhere, &[]).await;
    elsewhere.pass(15 * 60);
    other.put().await.is_refused(401, "unauthorized");
}

/// The run takes the place of an idempotency key, so a workflow that runs again, or an event that comes again with another token, sends nothing
/// twice.
#[tokio::test]
async fn second_callback_finds_the_first_answer() {
    let aws = Aws::new().await;
    let setting = Setting::new(&aws, &[]).await;
    let post = |token: &str, name: &str| setting.town.api_key(token).post(THING, json!({"name": name}));
    let first = post(&setting.token, "a").await;
    let later = {
        let id = THING.rsplit('/').next().unwrap().parse().unwrap();
        make_token(&aws, setting.town.home.scope(), setting.key.id, id).await
    };
    for token in [&setting.token, &later] {
        let again = post(token, "a").await;
        assert_eq!(again.is(200).text(), first.is(200).text());
        assert_eq!(again.header("idempotency-replayed"), "true");
        post(token, "b").await.is_refused(422, "idempotency_key_reused");
    }
    assert_eq!(setting.context.effects(), 1);
    let keyed = setting.caller().post_once(THING, "k1", json!({"name": "a"}));
    keyed.await.is_refused(400, "bad_request");
}
