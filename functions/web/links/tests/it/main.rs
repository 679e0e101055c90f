//! Tracked links, followed by people and by software.

use domain::Timestamp;
use domain::messages::{AttemptState, Ended, Message};
use domain::people::{LINK_LIFETIME, LinkCode};
use domain::tenants::TenantStatus;
use domain::terms::MessageId;
use testkit::business::{CUSTOMER, business};
use testkit::{Answer, Aws, Call, Function, Seeded};

const PHONE: &str =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148";

const CAKE: &str = "https://saffron.example/cake?from=sms";
const MAP: &str = "https://maps.example/7";

/// A message with two tracked links, and the function.
struct World {
    aws: Aws,
    business: Seeded,
    message: MessageId,
    code: LinkCode,
    function: Function,
}

impl World {
    async fn new() -> Self {
        Self::of(TenantStatus::Active).await
    }

    async fn of(status: TenantStatus) -> Self {
        Self::of_age(status, 7 * 24 * 3600).await
    }

    /// A message of a business that began these seconds ago.
    async fn of_age(status: TenantStatus, seconds: i64) -> Self {
        let aws = Aws::new().await;
        let mut business = Box::pin(business(&aws)).await;
        aws.pass(seconds);
        let message = Box::pin(business.follow_up(&aws, CUSTOMER)).await.id;
        let code = business.track(&aws, message, &[CAKE, MAP]).await;
        business.configured.tenant.status = status;
        business.configured.tenant.name = "Saffron Bakery <&>".to_owned();
        business.write(&aws).await;
        let function = Function::new(aws.env(), links::routes);
        let world = Self {
            aws,
            business,
            message,
            code,
            function,
        };
        let sent = world.with_attempt(world.message().await.expect("the message"), AttemptState::Accepted);
        world.write(&sent).await;
        world
    }

    /// The message with one attempt, in this state.
    fn with_attempt(&self, mut message: Message, state: AttemptState) -> Message {
        let timers = self.aws.env().config().timers().expect("timers");
        message.attempts.clear();
        message.claim(0, "claim".to_owned(), self.aws.now(), &timers);
        message.attempts[0].state = state;
        message
    }

    async fn write(&self, message: &Message) {
        let written = self.aws.store().write_message(self.business.scope(), message).await;
        written.expect("the message is written");
    }

    async fn change(&self, change: impl FnOnce(Message) -> Message) {
        let message = self.message().await.expect("the message");
        self.write(&change(message)).await;
    }

    fn path(&self, place: &str) -> String {
        format!("/l/{}{place}", self.code.as_str())
    }

    async fn ask(&self, call: Call) -> Answer {
        self.function.call(&call).await
    }

    /// Follows the first link with these headers.
    async fn follow(&self, headers: &[(&str, &str)]) -> Answer {
        let call = headers.iter().fold(Call::get(&self.path("0")), |call, (name, value)| {
            call.header(name, value)
        });
        self.ask(call).await
    }

    async fn message(&self) -> Option<Message> {
        let store = self.aws.store();
        store
            .message(self.business.scope(), self.message, self.aws.now())
            .await
            .expect("the table answers")
    }

    async fn clicked_at(&self) -> Option<Timestamp> {
        self.message().await.expect("the message").clicked_at
    }
}

#[tokio::test]
async fn person_is_sent_to_the_page_and_recorded_once() {
    let world = World::new().await;
    let first = world.aws.now();
    let answer = world.follow(&[("user-agent", PHONE)]).await;
    assert_eq!((answer.status(), answer.header("location")), (302, CAKE));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(world.clicked_at().await, Some(first));
    world.aws.pass(60);
    let other = world.ask(Call::get(&world.path("1")).header("user-agent", PHONE)).await;
    assert_eq!((other.status(), other.header("location")), (302, MAP));
    let version = world.message().await.unwrap().version;
    world.follow(&[("user-agent", PHONE)]).await;
    let after = world.message().await.unwrap();
    assert_eq!(
        (after.clicked_at, after.version),
        (Some(first), version),
        "nothing is written again"
    );
}

/// Previews, scanners and browsers that fetch ahead get the page, too, but are nobody.
#[tokio::test]
async fn software_is_not_counted() {
    let world = World::new().await;
    for agent in [
        "",
        "WhatsApp/2.23.20.0 A",
        "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
        "Go-http-client/2.0",
        "okhttp/4.12.0",
        "Mozilla/5.0 AppleWebKit/537.36 (compatible; GoogleOther)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "TelegramBot (like TwitterBot)",
        "curl/8.5.0",
        "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/120.0",
    ] {
        assert_eq!(
            world.follow(&[("user-agent", agent)]).await.header("location"),
            CAKE,
            "{agent}"
        );
    }
    for (name, value) in [
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-moz", "prefetch"),
        ("x-purpose", "preview"),
    ] {
        assert_eq!(
            world.follow(&[("user-agent", PHONE), (name, value)]).await.status(),
            302,
            "{name}"
        );
    }
    let head = Call::new("HEAD", &world.path("0")).header("user-agent", PHONE);
    assert_eq!(world.ask(head).await.header("location"), CAKE);
    assert_eq!(world.clicked_at().await, None);
    let phone = "Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) AppleWebKit/537.36 Chrome/88.0 Mobile Safari/537.36";
    world.follow(&[("user-agent", phone)]).await;
    assert!(world.clicked_at().await.is_some());
}

#[tokio::test]
async fn links_of_nobody_lead_nowhere() {
    let world = World::new().await;
    let forged = LinkCode::of([7; 32]);
    let forged = format!("/l/{}0", forged.as_str());
    for path in [
        &forged,
        &world.path("2"),
        &world.path("x"),
        &world.path(""),
        "/l/0",
        "/l/%00",
        "/l/%FF",
    ] {
        let answer = world.ask(Call::get(path).header("user-agent", PHONE)).await;
        assert!(answer.is(404).text().starts_with("<!doctype html>"), "{path}");
    }
    assert_eq!(world.clicked_at().await, None);
    world.aws.pass(LINK_LIFETIME.as_secs());
    assert_eq!(world.follow(&[("user-agent", PHONE)]).await.status(), 404);
}

/// Who signs up to deceive people does so at once.
#[tokio::test]
async fn links_of_a_young_business_say_first_where_they_lead() {
    let world = World::of_age(TenantStatus::Active, 7 * 24 * 3600 - 1).await;
    let asked = world.follow(&[("user-agent", PHONE)]).await;
    let text = asked.is(200).text();
    for part in ["saffron.example", "Saffron Bakery &lt;&amp;&gt;", "lang=\"ar\""] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("cake"), "{text}");
    assert_eq!(world.clicked_at().await, None);
    let (_, go) = text.split_once("href=\"?").expect("a link that goes on");
    let (go, _) = go.split_once('"').expect("its end");
    let ask = async |query: &str, site: &str| {
        let call = Call::get(&format!("{}?{query}", world.path("0"))).header("user-agent", PHONE);
        world.ask(call.header("sec-fetch-site", site)).await
    };
    // Neither what an author can write nor another site's link goes on.
    for (query, site) in [
        ("go", "same-origin"),
        ("go=00000000", "same-origin"),
        (go, "cross-site"),
        (go, "none"),
    ] {
        assert_eq!(ask(query, site).await.status(), 200, "{query} {site}");
    }
    assert_eq!(world.clicked_at().await, None);
    let on = ask(go, "same-origin").await;
    assert_eq!((on.status(), on.header("location")), (302, CAKE));
    assert!(world.clicked_at().await.is_some());
}

/// Whoever plans messages knows their links before anybody is sent one, and could spread them by another way.
#[tokio::test]
async fn links_lead_on_once_their_message_may_be_out() {
    let world = World::new().await;
    let status = async || world.follow(&[("user-agent", PHONE)]).await.status();
    for (state, leads) in [
        (AttemptState::Claimed, 302),
        (AttemptState::Unknown, 302),
        (AttemptState::Refused, 404),
        (AttemptState::Failed, 302),
        (AttemptState::Read, 302),
    ] {
        world.change(|message| world.with_attempt(message, state)).await;
        assert_eq!(status().await, leads, "{state:?}");
    }
    // Blocked or cancelled before anything was sent.
    let ended = |mut message: Message| {
        message.attempts.clear();
        message.ended = Some(Ended::Cancelled("it is not wanted any more".to_owned()));
        message
    };
    world.change(ended).await;
    assert_eq!(status().await, 404);
    // The message that sends it again says the same link.
    world.aws.pass(25 * 3600);
    let again = Box::pin(world.business.follow_up(&world.aws, CUSTOMER)).await;
    world
        .change(|message| Message {
            retried_as: Some(again.id),
            ..message
        })
        .await;
    assert_eq!(status().await, 404);
    world.write(&world.with_attempt(again, AttemptState::Claimed)).await;
    assert_eq!(status().await, 302);
}

/// A suspended business may have deceived people, so its links lead nowhere.
#[tokio::test]
async fn links_of_a_suspended_business_lead_nowhere() {
    let world = World::of(TenantStatus::Suspended).await;
    assert_eq!(world.follow(&[("user-agent", PHONE)]).await.status(), 404);
}

#[tokio::test]
async fn links_of_an_erased_person_lead_nowhere() {
    let world = World::new().await;
    world
        .business
        .remove(&world.aws, "CONTACT", Some(world.message.contact()))
        .await;
    assert_eq!(world.follow(&[("user-agent", PHONE)]).await.status(), 404);
}

/// Each click, whatever else happens to the message at the time, is one of the first or changes nothing.
#[tokio::test]
async fn clicks_at_the_same_time_keep_the_message() {
    let world = World::new().await;
    let before = world.message().await.expect("the message");
    let headers = [("user-agent", PHONE)];
    let (one, other) = tokio::join!(world.follow(&headers), world.follow(&headers));
    assert_eq!((one.status(), other.status()), (302, 302));
    let after = world.message().await.expect("the message");
    let expected = Message {
        clicked_at: Some(world.aws.now()),
        version: before.version + 1,
        ..before
    };
    assert_eq!(after, expected);
}

#[tokio::test]
async fn link_leads_on_when_its_message_is_gone() {
    let world = World::new().await;
    world
        .business
        .remove(&world.aws, "MSG#", Some(world.message.contact()))
        .await;
    assert_eq!(world.follow(&[("user-agent", PHONE)]).await.header("location"), CAKE);
    assert!(world.message().await.is_none(), "nothing is written in its place");
}

/// A message of a newer version keeps nobody from the page, and neither does the loss of the one that sends it again.
#[tokio::test]
async fn link_leads_on_when_its_message_cannot_be_read() {
    let world = World::new().await;
    let status = async || world.follow(&[("user-agent", PHONE)]).await.status();
    world.aws.pass(25 * 3600);
    let again = Box::pin(world.business.follow_up(&world.aws, CUSTOMER)).await;
    let blocked = |mut message: Message| {
        message.attempts.clear();
        message.retried_as = Some(again.id);
        message
    };
    world.change(blocked).await;
    assert_eq!(status().await, 404);
    world.business.spoil(&world.aws, &again, "f").await;
    assert_eq!(status().await, 302);
    let row = format!("MSG#{}", again.id.own().to_string().to_ascii_lowercase());
    world.business.remove(&world.aws, &row, Some(again.id.contact())).await;
    assert_eq!(status().await, 302);
    let first = world.message().await.expect("the message");
    world.business.spoil(&world.aws, &first, "f").await;
    assert_eq!(status().await, 302);
}
