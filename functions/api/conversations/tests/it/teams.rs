//! Conversations that are given to teams.

use domain::{accounts::permission::Role, base::ids::UserId, inbox::team::Team};
use serde_json::{Value, json};
use testkit::Aws;

use crate::{CONVERSATIONS, drafts::conversation, ids, listed, town};

#[tokio::test]
async fn team_finds_the_person_by_its_mode() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let users: Vec<UserId> = [Role::Agent, Role::Manager, Role::Viewer]
        .map(|role| town.home.person(role).user)
        .into();
    let team = async |name: &str, mode: &str, members: &[UserId]| -> Team {
        let fields = json!({"name": name, "mode": mode, "members": members, "max_open": 2});
        town.home.own(&aws, fields).await
    };
    let turns = team("Orders", "in_turn", &users).await;
    let fewest = team("Prices", "fewest_open", &users[..2]).await;
    let hand = team("Others", "by_hand", &users).await;
    let mut all = Vec::new();
    for number in 1..=9 {
        all.push(conversation(&aws, &town.home, number).await);
        aws.pass(1);
    }
    let give = async |place: usize, change: Value| -> Value {
        let given = agent.patch(&format!("{CONVERSATIONS}/{}", all[place]), change).await;
        given.is(200).json()["assignee_id"].clone()
    };
    // Everybody has two, then nobody can take a further one.
    let mut taken = Vec::new();
    for place in 0..7 {
        taken.push(give(place, json!({"team_id": turns.id})).await);
        aws.pass(1);
    }
    let mut sorted = users.clone();
    sorted.sort();
    let turn: Vec<Value> = sorted.iter().chain(&sorted).map(|user| json!(user)).collect();
    assert_eq!(taken[..6], turn);
    assert_eq!(taken[6], Value::Null);
    assert_eq!(listed(&agent, &format!("?team={}", turns.id)).await.len(), 7);

    let closed = taken.iter().position(|user| *user == json!(users[1])).unwrap();
    give(closed, json!({"state": "closed"})).await;
    assert_eq!(give(7, json!({"team_id": fewest.id})).await, json!(users[1]));
    // Whoever is named has it, whatever the mode; and a team that works by hand leaves it to its members.
    let named = json!({"team_id": fewest.id, "assignee_id": users[2]});
    assert_eq!(give(6, named).await, json!(users[2]));
    assert_eq!(give(7, json!({"team_id": hand.id})).await, Value::Null);
    assert_eq!(listed(&agent, &format!("?team={}", hand.id)).await, ids(&all[7..8]));
    assert_eq!(give(7, json!({"team_id": null})).await, Value::Null);
}
