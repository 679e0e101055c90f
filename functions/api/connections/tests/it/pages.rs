//! The commands in the documentation create the connections that they describe.

use serde_json::{Value, from_str};
use testkit::Aws;

use super::world::World;
use super::{ALL, at, id};

const PAGES: [&str; 2] = [
    include_str!("../../../../../docs/webhooks.md"),
    include_str!("../../../../../docs/generic-telephony.md"),
];

/// The bodies of a page's commands with this label, with something in the place of each of the shell's variables.
fn bodies(page: &str, label: &str) -> Vec<Value> {
    let begin = format!("```sh {label}\n");
    let blocks = page.split(begin.as_str()).skip(1);
    let block = |rest: &str| {
        let (block, _) = rest.split_once("\n```").expect("a block has an end");
        let (_, data) = block.split_once("--data '").expect("it sends something");
        let mut pieces = data.strip_suffix('\'').expect("it is quoted").split("'\"$");
        let mut text = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let (_, rest) = piece.split_once("\"'").expect("a variable has an end");
            text.push_str("of-the-provider-1");
            text.push_str(rest);
        }
        from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    };
    blocks.map(block).collect()
}

#[tokio::test]
async fn the_commands_of_the_pages_connect_every_kind() {
    let aws = Aws::new().await;
    let (_world, town) = World::start(&aws).await;
    let manager = town.manager();
    let mut connected: Vec<(String, String)> = Vec::new();
    for body in PAGES.iter().flat_map(|page| bodies(page, "connect")) {
        let kind = body["kind"].as_str().unwrap_or_default().to_owned();
        connected.push((kind, id(&manager.post(ALL, body).await)));
    }
    let kinds: Vec<&str> = connected.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "whatsapp",
            "twilio",
            "aircall",
            "vonage",
            "exotel",
            "plivo",
            "telephony"
        ]
    );
    let mut set = 0;
    for body in PAGES.iter().flat_map(|page| bodies(page, "credentials")) {
        let (_, id) = connected
            .iter()
            .find(|(kind, _)| body["kind"] == kind.as_str())
            .expect("it is connected");
        manager.put(&at(id, "/credentials"), body).await.is(200);
        set += 1;
    }
    assert_eq!(set, 1);
}
