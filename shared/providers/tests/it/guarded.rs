//! The guarded client against names whose addresses change, and receivers that send it elsewhere or never end.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use providers::guarded::{Guard, GuardedAnswer, GuardedClient, MAX_ANSWER, Refused, Unreached};
use reqwest::Method;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use wiremock::ResponseTemplate;

use crate::server::{answering, assert_unasked, last};

const PUBLIC: &str = "93.184.216.34:0";
const LOOPBACK: &str = "127.0.0.1:0";

/// Gives other addresses each time that it is asked: those of the next entry. Behind the last one, a name has none.
#[derive(Clone, Default)]
struct Changing(Arc<Mutex<VecDeque<&'static [&'static str]>>>);

impl Changing {
    fn answers(answers: impl IntoIterator<Item = &'static [&'static str]>) -> Self {
        Self(Arc::new(Mutex::new(answers.into_iter().collect())))
    }

    fn answers_left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Resolve for Changing {
    fn resolve(&self, _: Name) -> Resolving {
        let next = self.0.lock().unwrap().pop_front().unwrap_or_default();
        let found: Vec<SocketAddr> = next.iter().map(|address| address.parse().unwrap()).collect();
        Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
    }
}

fn client(guard: Guard, names: &Changing) -> GuardedClient {
    let timeout = Duration::from_secs(3);
    GuardedClient::with_names(guard, "ringback/test".to_owned(), timeout, Arc::new(names.clone()))
}

/// A client that may reach `receiver.example` at this server, and no other machine of the network.
fn local_client(server: &wiremock::MockServer, names: &Changing) -> (GuardedClient, String) {
    let address = format!("http://receiver.example:{}/hook", server.address().port());
    let origin = address.trim_end_matches("/hook");
    (client(Guard::of_local_stack(origin).unwrap(), names), address)
}

async fn post(client: &GuardedClient, address: &str) -> Result<GuardedAnswer, Unreached> {
    let sent = client.send(Method::POST, address, |request| {
        request.header("x-token", "a").body("{}")
    });
    sent.await
}

fn is_refused(sent: &Result<GuardedAnswer, Unreached>, why: Refused) -> bool {
    matches!(sent, Err(Unreached::Refused(refused)) if *refused == why)
}

/// A name that had a public address when it was saved leads nowhere else.
#[tokio::test]
async fn name_that_changes_to_a_private_address_is_refused() {
    for private in [
        "127.0.0.1:0",
        "10.0.0.5:0",
        "169.254.169.254:0",
        "[::1]:0",
        "[::ffff:127.0.0.1]:0",
        "[64:ff9b::7f00:1]:0",
        "[fd00:ec2::254]:0",
    ] {
        let private: &'static [&'static str] = Box::leak(Box::new([private]));
        let names = Changing::answers([&[PUBLIC][..], private]);
        let client = client(Guard::default(), &names);
        assert_eq!(client.check("https://rebind.example.net/").await, Ok(()));
        let sent = post(&client, "https://rebind.example.net/").await;
        assert!(is_refused(&sent, Refused::NotPublic), "{private:?}: {sent:?}");
        assert_eq!(names.answers_left(), 0);
    }
}

#[tokio::test]
async fn one_private_address_among_others_is_enough() {
    let names = Changing::answers([&[PUBLIC, "10.0.0.5:0"][..], &[]]);
    let client = client(Guard::default(), &names);
    assert_eq!(
        client.check("https://mixed.example.net/").await,
        Err(Refused::NotPublic)
    );
    assert_eq!(
        client.check("https://nxdomain.example.net/").await,
        Err(Refused::NoAddress)
    );
}

/// The second answer is never asked for: the connection is made to the address that was checked.
#[tokio::test]
async fn connection_is_made_to_the_address_that_was_checked() {
    let server = answering("POST", ResponseTemplate::new(202)).await;
    let names = Changing::answers([&[LOOPBACK][..], &["169.254.169.254:0"]]);
    let (client, address) = local_client(&server, &names);
    assert_eq!(post(&client, &address).await.unwrap().status, 202);
    assert_eq!(names.answers_left(), 1, "resolved once");
    let request = last(&server).await;
    assert_eq!(
        request.headers["host"],
        address["http://".len()..].trim_end_matches("/hook")
    );
    assert_eq!(request.headers["x-token"], "a");
}

#[tokio::test]
async fn refused_urls_are_never_looked_up() {
    let server = answering("POST", ResponseTemplate::new(202)).await;
    let names = Changing::answers([&[LOOPBACK][..]]);
    let (client, address) = local_client(&server, &names);
    for (address, why) in [
        (address.replace("receiver.example", "127.0.0.1"), Refused::Literal),
        (address.replace("/hook", "0/hook"), Refused::NotAUrl),
        (address.replace("receiver", "other"), Refused::Port),
        ("https://127.1/".to_owned(), Refused::Literal),
        ("https://user@receiver.example/".to_owned(), Refused::UserInfo),
    ] {
        assert_eq!(client.check(&address).await, Err(why), "{address}");
        let sent = post(&client, &address).await;
        assert!(is_refused(&sent, why), "{address}: {sent:?}");
    }
    assert_eq!(names.answers_left(), 1);
    assert_unasked(&server).await;
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = answering("POST", ResponseTemplate::new(200)).await;
    for status in [301, 302, 307, 308] {
        let moved = ResponseTemplate::new(status).insert_header("location", elsewhere.uri().as_str());
        let server = answering("POST", moved).await;
        let (client, address) = local_client(&server, &Changing::answers([&[LOOPBACK][..]]));
        assert_eq!(post(&client, &address).await.unwrap().status, status);
    }
    assert_unasked(&elsewhere).await;
}

#[tokio::test]
async fn only_the_beginning_of_an_answer_is_read() {
    let long = ResponseTemplate::new(200)
        .set_body_raw(vec![b'a'; 40 * MAX_ANSWER], "Text/Plain; charset=utf-8")
        .insert_header("retry-after", "120");
    let server = answering("POST", long).await;
    let (client, address) = local_client(&server, &Changing::answers([&[LOOPBACK][..]]));
    let answer = post(&client, &address).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, MAX_ANSWER));
    assert_eq!(answer.content_type, "text/plain");
    assert_eq!(answer.retry_after.map(|wait| wait.as_secs()), Some(120));
}

#[tokio::test]
async fn receiver_without_an_answer_has_failed() {
    let slow = answering("POST", ResponseTemplate::new(200).set_delay(Duration::from_secs(30))).await;
    let (client, address) = local_client(&slow, &Changing::answers([&[LOOPBACK][..]]));
    let sent = post(&client, &address).await;
    assert!(
        matches!(&sent, Err(Unreached::Failed(failure)) if !failure.nothing_left()),
        "{sent:?}"
    );
}
