//! Conversations that are given to teams.

use domain::accounts::Role;
use domain::tenants::Team;
use domain::terms::UserId;
use futures::future::join;
use serde_json::{Value, json};
use testkit::Aws;

use super::drafts::conversation;
use super::{CONVERSATIONS, ids, list_conversation_ids, town};

#[tokio::test]
async fn team_finds_the_person_by_its_mode() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let users: Vec<UserId> = [Role::Agent, Role::Manager, Role::Admin]
        .map(|role| town.home.person(role).user)
        .into();
    let team = async |name: &str, mode: &str, members: &[UserId]| -> Team {
        let fields = json!({"name": name, "mode": mode, "members": members, "max_open": 2});
        town.home.create_owned(&aws, fields).await
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
    assert_eq!(
        list_conversation_ids(&agent, &format!("?team={}", turns.id))
            .await
            .len(),
        7
    );

    let closed = taken.iter().position(|user| *user == json!(users[1])).unwrap();
    give(closed, json!({"state": "closed"})).await;
    assert_eq!(give(7, json!({"team_id": fewest.id})).await, json!(users[1]));
    // Whoever is named has it, whatever the mode; and a team that works by hand leaves it to its members.
    let named = json!({"team_id": fewest.id, "assignee_id": users[2]});
    assert_eq!(give(6, named).await, json!(users[2]));
    assert_eq!(give(7, json!({"team_id": hand.id})).await, Value::Null);
    assert_eq!(
        list_conversation_ids(&agent, &format!("?team={}", hand.id)).await,
        ids(&all[7..8])
    );
    assert_eq!(give(7, json!({"team_id": null})).await, Value::Null);
    assert_eq!(give(6, json!({"team_id": null})).await, json!(users[2]), "kept");
    // A snoozed one is taken from the former team's person, too.
    let until = aws.now() + jiff::SignedDuration::from_hours(1);
    let snoozed = json!({"state": "snoozed", "snoozed_until": until, "team_id": fewest.id});
    assert_eq!(give(6, snoozed).await, Value::Null);
    give(6, json!({"state": "open", "assignee_id": users[2]})).await;
    // Naming somebody decides, also whoever has it, or nobody.
    let kept = json!({"team_id": hand.id, "assignee_id": users[2]});
    assert_eq!(give(6, kept).await, json!(users[2]));
    let nobody = json!({"team_id": fewest.id, "assignee_id": null});
    assert_eq!(give(8, nobody).await, Value::Null);
    // A closed one has its person when it opens, unless they have left.
    assert_eq!(give(6, json!({"state": "closed"})).await, json!(users[2]));
    assert_eq!(give(6, json!({"state": "open"})).await, json!(users[2]));
    give(6, json!({"state": "closed"})).await;
    aws.has_left(town.home.scope(), users[2]).await;
    assert_eq!(give(6, json!({"state": "open"})).await, Value::Null);
}

#[tokio::test]
async fn only_one_of_two_people_takes_a_conversation() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let id = conversation(&aws, &town.home, 1).await;
    let path = format!("{CONVERSATIONS}/{id}");
    let (agent, manager) = (town.agent(), town.manager());
    let takes = |role: Role| json!({"assignee_id": town.home.person(role).user});
    let first = agent.patch(&path, takes(Role::Agent)).if_match(1);
    let second = manager.patch(&path, takes(Role::Manager)).if_match(1);
    let both = join(first.into_future(), second.into_future()).await;
    let mut statuses = [both.0.status(), both.1.status()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    // Once it is answered, it is among the others of whoever took it, and of nobody else.
    for state in ["closed", "open"] {
        agent.patch(&path, json!({"state": state})).await.is(200);
    }
    let theirs = agent.get(&path).await.is(200).json()["assignee_id"].clone();
    let answered = format!("?waiting=false&assignee={}", theirs.as_str().unwrap());
    assert_eq!(list_conversation_ids(&agent, &answered).await, ids(&[id]));
    assert_eq!(list_conversation_ids(&agent, "?waiting=false").await, ids(&[]));
    let refused = agent.patch(&path, takes(Role::Viewer)).await;
    refused.names_only(&["assignee_id"]);
}

/// Members who can take nothing are not the only ones who are looked at.
#[tokio::test]
async fn large_team_gives_to_whoever_has_room() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let mut users: Vec<UserId> = (0..25).map(|_| UserId::new(aws.ids().ulid())).collect();
    users.sort();
    let fields = json!({"name": "Orders", "mode": "in_turn", "members": users, "max_open": 1});
    let team: Team = town.home.create_owned(&aws, fields).await;
    let (agent, mut taken) = (town.agent(), Vec::new());
    for number in 1..=26 {
        let id = conversation(&aws, &town.home, number).await;
        let change = json!({"team_id": team.id});
        let given = agent.patch(&format!("{CONVERSATIONS}/{id}"), change).await;
        taken.push(given.is(200).json()["assignee_id"].clone());
    }
    let everybody: Vec<Value> = users.iter().map(|user| json!(user)).chain([Value::Null]).collect();
    assert_eq!(taken, everybody);
}
