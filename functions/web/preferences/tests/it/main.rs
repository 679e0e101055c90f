mod document;
mod links;
mod look;

use domain::messages::OptFlag;
use domain::people::{
    By, Change, Choice, ConsentCategory, ConsentEntry, Contact, LinkCode, LinkOrigin, Party, Scope, Topic, TopicState,
    Wish, topic_state,
};
use domain::terms::{Channel, MessageId};
use futures::future::join_all;
use store::consent::LinkWrite;
use testkit::business::{CUSTOMER, business_with};
use testkit::{Answer, Aws, Call, Function, Lossy, Seeded, assert_snapshot};

use self::document::Page;

/// A business, a customer of it with a link, and the function.
pub(crate) struct World {
    pub(crate) aws: Aws,
    pub(crate) business: Seeded,
    pub(crate) contact: Contact,
    pub(crate) code: LinkCode,
    function: Function,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with("Harbour Lane", |_| ()).await
    }

    /// With this name of the business, and a customer changed before it is written.
    pub(crate) async fn with(name: &str, change: impl FnOnce(&mut Contact)) -> Self {
        let aws = Aws::new().await;
        let business = Box::pin(business_with(&aws, |configured| {
            name.clone_into(&mut configured.tenant.name);
        }));
        let business = business.await;
        let contact = business.contact_with(&aws, CUSTOMER, change).await;
        let code = LinkCode::of(aws.ids().secret().expect("random bytes"));
        let function = Function::new(aws.env(), preferences::routes);
        let world = Self {
            aws,
            business,
            contact,
            code,
            function,
        };
        world.link(&world.code, &world.contact).await;
        world
    }

    /// Stores a link to the page of a contact, which a message carried that is not retained any more.
    pub(crate) async fn link(&self, code: &LinkCode, contact: &Contact) {
        let message = MessageId::new(contact.id, self.aws.ids().ulid());
        self.link_of(code, contact, LinkOrigin::Message(message)).await;
    }

    /// Makes a link with this origin.
    pub(crate) async fn link_of(&self, code: &LinkCode, contact: &Contact, origin: LinkOrigin) {
        let link = LinkWrite {
            code: code.clone(),
            contact: contact.id,
            origin,
        };
        let (store, scope) = (self.aws.store(), self.business.scope());
        let stored = store.create_preference_link(scope, &link, self.aws.now()).await;
        stored.expect("the link is stored");
    }

    pub(crate) fn path(&self) -> String {
        format!("/p/{}", self.code.as_str())
    }

    pub(crate) async fn call(&self, call: &Call) -> Answer {
        self.function.call(call).await
    }

    pub(crate) async fn get(&self, query: &str) -> Answer {
        self.call(&Call::get(&format!("{}{query}", self.path()))).await
    }

    pub(crate) async fn post(&self, form: &str) -> Answer {
        self.call(&Call::form(&self.path(), form)).await
    }

    /// Saves these topics as the page does that the customer sees now.
    async fn save(&self, topics: &[&str]) -> Answer {
        let seen = self.current_mark().await;
        self.post(&saving(&seen, topics)).await
    }

    /// The mark of the page that the customer sees now.
    pub(crate) async fn current_mark(&self) -> String {
        let page = Page::of(self.get("").await.is(200));
        page.hidden_value("seen").expect("a mark").to_owned()
    }

    pub(crate) async fn stored_contact(&self) -> Contact {
        let (store, scope) = (self.aws.store(), self.business.scope());
        let found = store.contact(scope, self.contact.id).await.expect("the table answers");
        found.expect("the contact")
    }

    /// The ledger, oldest first.
    pub(crate) async fn ledger(&self) -> Vec<ConsentEntry> {
        let (store, scope) = (self.aws.store(), self.business.scope());
        let read = store.consent_ledger(scope, &self.contact, 100, self.aws.now()).await;
        let (entries, _) = read.expect("the table answers");
        let mut entries: Vec<ConsentEntry> = entries.into_iter().map(|recorded| recorded.entry).collect();
        entries.sort_by_key(|entry| (entry.at, entry.channel, entry.category));
        entries
    }

    /// The customer writes a stop word.
    async fn stops(&self) {
        let at = self.aws.now();
        loop {
            let change = |contact: &mut Contact| contact.wish(OptFlag::Stop, "wrote STOP", at);
            let (store, scope) = (self.aws.store(), self.business.scope());
            match store
                .change_contact(scope, self.contact.id, self.aws.ids().ulid(), change)
                .await
            {
                Err(error) if error.is_conflict() => {}
                changed => return assert!(changed.expect("the table answers")),
            }
        }
    }
}

fn saving(seen: &str, topics: &[&str]) -> String {
    let topics: String = topics.iter().map(|topic| format!("&{topic}=on")).collect();
    format!("do=save&seen={seen}{topics}")
}

fn states(contact: &Contact) -> [TopicState; 4] {
    Topic::ALL.map(|topic| topic_state(&contact.consent, topic))
}

/// Apps and scanners fetch links before people do, with all kinds of requests.
#[tokio::test]
async fn looking_at_the_page_changes_nothing() {
    let world = World::new().await;
    for query in [
        "",
        "?lang=ar",
        "?saved=1",
        "?do=stop",
        "?do=save&seen=&sms_utility=on",
        "?fbclid=x&lang=%ff",
    ] {
        world.get(query).await.is(200);
    }
    let head = world.call(&Call::new("HEAD", &world.path())).await;
    assert_eq!((head.status(), head.text()), (200, ""));
    assert_eq!(world.stored_contact().await, world.contact);
    assert_eq!(world.ledger().await, []);
}

#[tokio::test]
async fn pages_look_as_they_should() {
    let world = World::with("Saffron <Bakery> & \"Co\"", |contact| {
        let refused = Scope {
            channel: Some(Channel::Sms),
            category: Some(ConsentCategory::Marketing),
        };
        contact.record(Wish::new(
            Choice::Refused,
            refused,
            By::Key,
            "a register",
            contact.created_at,
        ));
    })
    .await;
    let (english, arabic) = (world.get("").await, world.get("?lang=ar").await);
    for page in [&english, &arabic] {
        Page::of(page.is(200)).is_accessible();
    }
    assert_snapshot("english", &[&english]);
    assert_snapshot("arabic", &[&arabic]);
    let (stopped, refused) = (world.post("do=stop").await, world.call(&Call::get("/p/nothing")).await);
    let after = world.get("?saved=1").await;
    for page in [&refused, &after] {
        Page::of(page).is_accessible();
    }
    assert_snapshot("others", &[&stopped, &after, &refused]);
}

/// A name in another direction of writing, or with markup, stays what it is.
#[tokio::test]
async fn name_of_the_business_is_text_of_its_own() {
    for name in [
        "<script>alert(1)</script>",
        "مخبز الزعفران (دبي)",
        "A & B's \"Bakery\" 123",
    ] {
        let world = World::with(name, |_| ()).await;
        for query in ["", "?lang=ar"] {
            let answer = world.get(query).await;
            let page = Page::of(answer.is(200));
            page.is_accessible();
            assert_eq!(page.only_element("h1").text.matches(name).count(), 1, "{name}");
            // Wherever it is shown, it is isolated.
            let shown = page.only_element("main").text.matches(name).count();
            let isolated = page.all("bdi").filter(|bdi| bdi.text == name).count();
            assert_eq!(shown, isolated, "{name}");
            let title = format!("\u{2068}{name}\u{2069}");
            assert!(page.only_element("title").text.contains(&title), "{name}");
        }
    }
}

#[tokio::test]
async fn page_shows_the_state_and_a_part_of_the_number() {
    let world = World::new().await;
    let page = Page::of(world.get("").await.is(200));
    assert_eq!(page.boxes("checked"), ["whatsapp_utility", "sms_utility"]);
    assert_eq!(page.boxes("disabled"), [""; 0]);
    let main = &page.only_element("main").text;
    assert!(main.contains("+…567") && !main.contains("97150"), "{main}");
    world.stops().await;
    let page = Page::of(world.get("").await.is(200));
    assert_eq!(page.boxes("checked"), [""; 0]);
    assert_eq!(page.all("form").count(), 1, "there is nothing left to stop");
    assert!(
        page.only_element("main")
            .text
            .contains("You have stopped all messages from Harbour Lane")
    );
}

#[tokio::test]
async fn language_is_that_of_the_link_the_browser_or_the_contact() {
    let world = World::with("Harbour Lane", |contact| contact.language = Some("ar-AE".to_owned())).await;
    for (query, accepts, lang) in [
        ("", "", "ar"),
        ("", "fr-FR", "ar"),
        ("", "en-GB,en;q=0.9", "en"),
        ("?lang=ar", "en-GB", "ar"),
        ("?lang=en", "ar", "en"),
        ("?lang=fr", "", "ar"),
        ("?lang=en&lang=ar", "", "en"),
    ] {
        let call = Call::get(&format!("{}{query}", world.path())).header("accept-language", accepts);
        let answer = world.call(&call).await;
        let page = Page::of(answer.is(200));
        assert_eq!(page.only_element("html").get("lang"), Some(lang), "{query} {accepts}");
        assert_eq!(answer.header("content-language"), lang);
        let other = page.only_element("a");
        assert_ne!(other.get("lang"), Some(lang));
        assert_eq!(
            other.get("href").unwrap(),
            format!("?lang={}", other.get("lang").unwrap())
        );
    }
    // The requested language stays.
    let call = Call::form(&format!("{}?lang=en", world.path()), "do=stop");
    let saved = world.call(&call).await;
    saved.is(303);
    assert_eq!(saved.header("location"), format!("{}?lang=en&saved=1", world.path()));
}

#[tokio::test]
async fn ticks_become_opt_ins_with_their_words() {
    let world = World::new().await;
    let saved = world.save(&["sms_marketing", "whatsapp_utility"]).await;
    saved.is(303);
    assert_eq!(
        (saved.header("location"), saved.text()),
        (format!("{}?saved=1", world.path()).as_str(), "")
    );
    use TopicState::{Unwanted, Wanted};
    let stored = world.stored_contact().await;
    assert_eq!(states(&stored), [Unwanted, Wanted, Wanted, Unwanted]);
    let ledger = world.ledger().await;
    let said: Vec<_> = ledger
        .iter()
        .map(|entry| (entry.choice, entry.channel, entry.category))
        .collect();
    let sms = Some(Channel::Sms);
    let offers = (Choice::Granted, sms, Some(ConsentCategory::Marketing));
    let updates = (Choice::Refused, sms, Some(ConsentCategory::Utility));
    assert_eq!(said, [offers, updates]);
    for entry in &ledger {
        assert_eq!(
            (entry.by, entry.actor, entry.by.party()),
            (By::Page, None, Party::Customer)
        );
        let evidence = entry.evidence.as_ref().unwrap().as_str();
        let carried = format!("preference link {} of the message msg_", world.code.name());
        assert!(evidence.starts_with(&carried), "{evidence}");
        assert_eq!(entry.wording.as_ref().unwrap().version.as_str(), "en-2026-11");
    }
    // The very words beside the tick.
    let page = Page::of(world.get("").await.is(200));
    let mut labels = page.all("label");
    let label = labels.find(|label| label.get("for") == Some("sms_marketing")).unwrap();
    let text = ledger[0].wording.as_ref().unwrap().text.as_str();
    assert_eq!(
        (text, label.text.trim()),
        ("I want offers and news from Harbour Lane by text message.", text)
    );
    assert_eq!(page.boxes("checked"), ["whatsapp_utility", "sms_marketing"]);
}

#[tokio::test]
async fn arabic_choice_is_proven_in_arabic() {
    let world = World::new().await;
    let form = saving(
        &world.current_mark().await,
        &["whatsapp_marketing", "whatsapp_utility", "sms_utility"],
    );
    let call = Call::form(&format!("{}?lang=ar", world.path()), form);
    world.call(&call).await.is(303);
    let ledger = world.ledger().await;
    let wording = ledger[0].wording.as_ref().unwrap();
    assert_eq!(
        wording.text.as_str(),
        "أريد أن تصلني العروض والأخبار من Harbour Lane عبر واتساب."
    );
    assert_eq!(wording.version.as_str(), "ar-2026-11");
}

/// Also if the page is old, and once.
#[tokio::test]
async fn everything_can_be_stopped_from_any_page() {
    let world = World::new().await;
    for _ in 0..2 {
        world.post("do=stop").await.is(303);
    }
    let stored = world.stored_contact().await;
    assert!(stored.opted_out().is_some_and(|wish| wish.by == By::Page));
    let ledger = world.ledger().await;
    assert_eq!(ledger.len(), 1);
    let wording = ledger[0].wording.as_ref().unwrap().text.as_str();
    assert!(
        wording.starts_with("Stop all messages: Harbour Lane then sends you no more"),
        "{wording}"
    );
    assert_eq!(
        stored.opted_out().unwrap().sentence(),
        "opted out on 20 November 2026 (stopped all messages on the preference page)"
    );
}

/// A topic chosen after STOP turns on nothing else.
#[tokio::test]
async fn tick_after_stop_turns_on_only_itself() {
    let world = World::new().await;
    world.stops().await;
    world.save(&["whatsapp_utility"]).await.is(303);
    use TopicState::{Unwanted, Wanted};
    let stored = world.stored_contact().await;
    assert_eq!(states(&stored), [Unwanted, Wanted, Unwanted, Unwanted]);
    assert!(stored.opted_out().is_none());
    let (ledger, now) = (world.ledger().await, world.aws.now());
    let refused = ledger.iter().filter(|entry| entry.choice == Choice::Refused);
    let counted = ledger.iter().filter(|entry| entry.is_opt_out(now));
    assert_eq!((refused.count(), counted.count()), (4, 1), "only the stop word is new");
    let page = Page::of(world.get("?saved=1").await.is(200));
    assert_eq!(page.boxes("checked"), ["whatsapp_utility"]);
    let note = page.all("p").find(|note| note.get("role") == Some("status"));
    assert_eq!(note.unwrap().text, "Your choices are saved.");
}

#[tokio::test]
async fn refusal_of_the_business_is_shown_and_stays() {
    let world = World::with("Harbour Lane", |contact| {
        contact.record(Wish::new(
            Choice::Refused,
            Scope::MARKETING,
            By::User,
            "a court",
            contact.created_at,
        ));
    })
    .await;
    let page = Page::of(world.get("").await.is(200));
    page.is_accessible();
    assert_eq!(page.boxes("disabled"), ["whatsapp_marketing", "sms_marketing"]);
    assert_eq!(page.boxes("aria-describedby"), page.boxes("disabled"));
    let all: Vec<&str> = Topic::ALL.iter().map(|topic| topic.as_str()).collect();
    world.save(&all).await.is(303);
    let stored = world.stored_contact().await;
    use TopicState::{Wanted, Withheld};
    assert_eq!(states(&stored), [Withheld, Wanted, Withheld, Wanted]);
    assert_eq!(world.ledger().await, []);
}

/// The page was opened before the customer wrote STOP, and saved afterwards.
#[tokio::test]
async fn tick_on_an_old_page_does_not_undo_stop() {
    let world = World::new().await;
    let seen = world.current_mark().await;
    world.stops().await;
    let late = world.post(&saving(&seen, &["whatsapp_marketing", "sms_utility"])).await;
    let page = Page::of(late.is(409));
    page.is_accessible();
    assert_eq!(page.boxes("checked"), [""; 0]);
    assert!(page.all("p").any(|note| note.get("role") == Some("alert")));
    assert!(world.stored_contact().await.opted_out().is_some());
    assert_eq!(world.ledger().await.len(), 1, "that of the stop word");
    // From the page that says so, it can be meant.
    let seen = page.hidden_value("seen").unwrap();
    world.post(&saving(seen, &["sms_utility"])).await.is(303);
    assert_eq!(states(&world.stored_contact().await)[3], TopicState::Wanted);
}

/// Whoever presses the button twice, or goes back and presses it again, wants the same.
#[tokio::test]
async fn same_choice_again_is_confirmed_without_a_write() {
    let world = World::new().await;
    let form = saving(&world.current_mark().await, &["sms_utility"]);
    world.post(&form).await.is(303);
    let (stored, ledger) = (world.stored_contact().await, world.ledger().await);
    world.post(&form).await.is(303);
    assert_eq!((world.stored_contact().await, world.ledger().await), (stored, ledger));
}

/// Whichever is first, nothing is sent afterwards.
#[tokio::test]
async fn stop_beats_a_choice_at_the_same_time() {
    let world = World::new().await;
    let form = saving(
        &world.current_mark().await,
        &["whatsapp_marketing", "sms_marketing", "sms_utility"],
    );
    let choices = join_all((0..4).map(|_| world.post(&form)));
    let (answers, ()) = tokio::join!(choices, world.stops());
    for answer in answers {
        assert!([303, 409].contains(&answer.status()), "{}", answer.text());
    }
    let stored = world.stored_contact().await;
    assert!(stored.opted_out().is_some());
    assert_eq!(states(&stored), [TopicState::Unwanted; 4]);
}

#[tokio::test]
async fn lost_race_is_repeated() {
    let world = World::new().await;
    let seen = world.current_mark().await;
    let lossy = Lossy::before(&world.aws);
    let function = Function::new(&world.aws.env_behind(lossy.url()), preferences::routes);
    lossy.be_in_the_way_of("TransactWriteItems");
    let form = saving(&seen, &["sms_utility"]);
    function.call(&Call::form(&world.path(), form)).await.is(303);
    assert!(lossy.has_lost_all());
    assert_eq!(world.ledger().await.len(), 1);
}

/// The person is known as another contact of the business, too.
#[tokio::test]
async fn choice_holds_for_all_contacts_of_the_person() {
    let world = World::new().await;
    let other = world.business.contact(&world.aws, "+971501234568").await;
    let (store, scope) = (world.aws.store(), world.business.scope());
    let named = other.id;
    let know = |contact: &mut Contact| {
        contact.same_as.push(named);
        Change::Contact
    };
    world.aws.change_contact(scope, world.contact.id, know).await;
    world.post("do=stop").await.is(303);
    let other = store.contact(scope, other.id).await.unwrap().unwrap();
    assert!(other.opted_out().is_some());
    let (ledger, _) = store.consent_ledger(scope, &other, 9, world.aws.now()).await.unwrap();
    assert_eq!(ledger.len(), 1);
    assert!(ledger[0].entry.repeats, "one refusal counts once");
}

/// Nobody keeps, frames, indexes or passes on what a link shows, and the page runs nothing.
#[tokio::test]
async fn every_answer_has_the_same_strict_headers() {
    let world = World::new().await;
    let long = format!("do=save&seen={}", "x".repeat(4_000));
    for answer in [
        world.get("").await,
        world.post("do=stop").await,
        world.post("do=nothing").await,
        world.post(&long).await,
        world.call(&Call::get("/p/unknown")).await,
        world.call(&Call::new("DELETE", &world.path())).await,
    ] {
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(
            policy.ends_with("'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
            "{policy}"
        );
        assert!(!policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("x-robots-tag", "noindex, nofollow"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.header(name), value, "{} {}", answer.request(), answer.status());
        }
        assert_eq!(answer.cookies(), [""; 0]);
    }
}

/// The hash in the policy is that of the only style in the page.
#[tokio::test]
async fn policy_allows_exactly_the_style_of_the_page() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};
    let world = World::new().await;
    let answer = world.get("").await;
    let page = Page::of(&answer);
    let hash = STANDARD.encode(Sha256::digest(&page.only_element("style").text));
    assert!(
        answer
            .header("content-security-policy")
            .contains(&format!("'sha256-{hash}'"))
    );
}
