//! Users of a tenant, and their permissions.

use domain::accounts::{Member, MemberStatus, Permission, granted_permissions};
use domain::tenants::Tenant;
use domain::terms::UserId;
use futures::future::join_all;
use serde_json::json;

use super::*;

const NAMES: &str = "/api/v1/users/names";

#[tokio::test]
async fn managers_list_users_and_only_admins_change_them() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = of_home(&town, Role::Agent);
    for (role, sees, changes) in [
        (Role::Viewer, 403, 403),
        (Role::Agent, 403, 403),
        (Role::Manager, 200, 403),
        (Role::Admin, 200, 200),
    ] {
        let caller = town.role(role);
        assert_eq!(caller.get(USERS).await.status(), sees, "{role}");
        assert_eq!(caller.get(&agent).await.status(), sees, "{role}");
        let change = json!({"role": "agent"});
        assert_eq!(caller.patch(&agent, change).await.status(), changes, "{role}");
    }
    town.anyone().get(USERS).await.is(401);
    let (_, narrow) = town.new_key(Role::Admin, &[Permission::TenantRead]).await;
    town.api_key(&narrow).get(USERS).await.is(403);
    town.key().get(USERS).await.is(200);
}

/// Answers name people by their ids, also those who have left; addresses and roles are for managers.
#[tokio::test]
async fn every_member_reads_names_and_nothing_else_of_users() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let left = of_home(&town, Role::Manager);
    change_user(&town, &left, json!({"status": "deactivated"})).await;
    let known = town.admin().get(USERS).await.items();
    let names: Vec<_> = known
        .iter()
        .map(|user| json!({"id": user["id"], "name": user["name"]}))
        .collect();
    for role in [Role::Viewer, Role::Agent, Role::Admin] {
        assert_eq!(town.role(role).get(NAMES).await.items(), names, "{role}");
    }
    assert_eq!(town.viewer().all(NAMES, 3).await, names);
    let foreign = town.foreign_admin().get(NAMES).await.items();
    assert!(foreign.iter().all(|name| !names.contains(name)));
    town.anyone().get(NAMES).await.is_refused(401, "unauthorized");
    let (_, narrow) = town.new_key(Role::Admin, &[Permission::UsersRead]).await;
    town.api_key(&narrow).get(NAMES).await.is_refused(403, "forbidden");
}

#[tokio::test]
async fn people_are_listed_page_by_page() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let pages = town.admin().pages(&format!("{USERS}?limit=3")).await;
    let roles: Vec<_> = pages.iter().map(|page| page.texts("role")).collect();
    assert_eq!(roles.iter().map(Vec::len).collect::<Vec<_>>(), [3, 1]);
    let mut roles = roles.concat();
    roles.sort_unstable();
    assert_eq!(roles, ["admin", "agent", "manager", "viewer"]);
    let first = pages[0].json();
    let cursor = first["next_cursor"].as_str().unwrap();
    // Another tenant's cursor can only ever page the caller's own rows.
    let foreign = town.foreign_admin().get(&format!("{USERS}?cursor={cursor}")).await;
    let ours = town.home.people.iter().map(|(_, person)| person.user.to_string());
    let text = foreign.text().to_owned();
    assert!(
        foreign.status() == 200 && ours.into_iter().all(|id| !text.contains(&id)),
        "{text}"
    );
    town.admin().get("/api/v1/users?cursor=nonsense").await.is(400);
}

#[tokio::test]
async fn people_of_another_tenant_are_not_there() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let foreign = path(town.away.person(Role::Agent));
    for path in [
        &foreign,
        "/api/v1/users/usr_01hq5c1ynyc0000000000000ab",
        "/api/v1/users/nobody",
    ] {
        town.admin().get(path).await.is(404);
        town.admin().patch(path, json!({"role": "viewer"})).await.is(404);
    }
    let naming = town.admin().in_tenant(town.away.tenant);
    naming.get(&foreign).await.is(403);
}

#[tokio::test]
async fn a_role_is_changed_by_who_knows_the_latest_version() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = of_home(&town, Role::Agent);
    let seen = town.admin().get(&agent).await;
    let version = seen.version();
    let role = json!({"role": "manager"});
    let changed = town.admin().patch(&agent, role).if_match(version).await;
    changed.is(200).has_version(version + 1);
    assert_eq!(changed.json()["role"], "manager");
    let role = json!({"role": "viewer"});
    let stale = town.admin().patch(&agent, role).if_match(version).await;
    stale.is(412);
    for (wrong, field) in [
        (json!({"role": "owner"}), "role"),
        (json!({"role": null}), "role"),
        (json!({"email": "x@y.example"}), "email"),
        (json!({"status": 1}), "status"),
    ] {
        town.admin().patch(&agent, wrong).await.names_field(field);
    }
    assert_eq!(town.admin().get(&agent).await.json()["role"], "manager");
}

#[tokio::test]
async fn who_is_deactivated_is_out_at_once_and_old_tokens_stay_dead() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let path = of_home(&town, Role::Manager);
    aws.pass(1);
    manager.get(USERS).await.is(200);
    change_user(&town, &path, json!({"status": "deactivated"})).await;
    manager.get(USERS).await.is(401);
    assert_eq!(town.manager().get(USERS).await.status(), 403, "a new token");
    let back = change_user(&town, &path, json!({"status": "active"})).await;
    assert_eq!(back["status"], "active");
    assert_eq!(manager.get(USERS).await.status(), 401, "a token of before");
    town.manager().get(USERS).await.is(200);
}

#[tokio::test]
async fn the_last_administrator_cannot_go() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let admin = of_home(&town, Role::Admin);
    for change in [json!({"role": "manager"}), json!({"status": "deactivated"})] {
        town.admin().patch(&admin, change).await.is_refused(409, "last_admin");
    }
    let manager = of_home(&town, Role::Manager);
    change_user(&town, &manager, json!({"role": "admin"})).await;
    change_user(&town, &admin, json!({"role": "viewer"})).await;
    let answer = town.manager().patch(&manager, json!({"role": "agent"})).await;
    answer.is_refused(409, "last_admin");
}

#[tokio::test]
async fn administrators_who_let_each_other_go_at_once_leave_one() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let everybody = [Role::Admin, Role::Manager, Role::Agent, Role::Viewer];
    for role in &everybody[1..] {
        change_user(&town, &of_home(&town, *role), json!({"role": "admin"})).await;
    }
    let callers: Vec<_> = everybody.iter().map(|role| town.role(*role)).collect();
    let paths: Vec<_> = everybody.iter().map(|role| of_home(&town, *role)).collect();
    let change = || json!({"status": "deactivated"});
    let all = callers
        .iter()
        .flat_map(|caller| paths.iter().map(|path| caller.patch(path, change())));
    let answers = join_all(all.map(IntoFuture::into_future)).await;
    for answer in &answers {
        assert!([200, 401, 403, 409].contains(&answer.status()), "{}", answer.text());
    }
    let members = aws.store().page::<Member>(town.home.scope(), None, 10).await;
    let members = members.unwrap().items.into_iter().map(|member| member.value);
    let active = members.filter(|member| member.role == Role::Admin && member.status == MemberStatus::Active);
    assert_eq!(active.count(), 1);
}

#[tokio::test]
async fn a_key_with_narrow_scopes_makes_nobody_more_than_itself() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let viewer = of_home(&town, Role::Viewer);
    let scopes = [Permission::UsersRead, Permission::UsersWrite];
    let (_, narrow) = town.new_key(Role::Admin, &scopes).await;
    let answer = town.api_key(&narrow).patch(&viewer, json!({"role": "admin"})).await;
    answer.names_field("role");
    let invited = json!({"email": "eve@elsewhere.example", "role": "admin"});
    let answer = town.api_key(&narrow).post("/api/v1/users/invitations", invited).await;
    answer.names_field("role");
    let (_, wide) = town.new_key(Role::Admin, &[]).await;
    let made = town.api_key(&wide).patch(&viewer, json!({"role": "agent"})).await;
    made.is(200);
}

#[tokio::test]
async fn a_key_that_ends_lets_nobody_in_who_would_outlast_it() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let ends = aws.now() + jiff::SignedDuration::from_hours(1);
    let (_, secret) = town.new_key_until(Role::Admin, ends).await;
    let ending = town.api_key(&secret);
    let invitations = "/api/v1/users/invitations";
    let invited = json!({"email": "eve@elsewhere.example", "role": "viewer"});
    let answer = ending.post(invitations, invited.clone()).await;
    answer.is_refused(403, "forbidden");
    let open = town.admin().post(invitations, invited).await;
    open.is(201);
    aws.take_mails().await;
    let resend = format!("{}/resend", open.header("location"));
    ending.post(&resend, json!({})).await.is_refused(403, "forbidden");
    assert!(aws.take_mails().await.is_empty());
    let viewer = of_home(&town, Role::Viewer);
    for change in [json!({"role": "admin"}), json!({"role": "agent"})] {
        ending.patch(&viewer, change).await.is_refused(403, "forbidden");
    }
    // Taking away is no gift.
    let manager = of_home(&town, Role::Manager);
    for change in [json!({"role": "agent"}), json!({"status": "deactivated"})] {
        ending.patch(&manager, change).await.is(200);
    }
    let answer = ending.patch(&manager, json!({"status": "active"})).await;
    answer.is_refused(403, "forbidden");
    let lowered_and_let_in = json!({"status": "active", "role": "viewer"});
    let answer = ending.patch(&manager, lowered_and_let_in).await;
    answer.is_refused(403, "forbidden");
    ending.delete(open.header("location")).await.is(204);
    // A key without an end, and people, go on as before.
    let (_, lasting) = town.new_key(Role::Admin, &[]).await;
    let active = json!({"status": "active"});
    town.api_key(&lasting).patch(&manager, active).await.is(200);
}

#[tokio::test]
async fn a_key_with_narrow_scopes_changes_nobody_who_may_do_more() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (admin, manager) = (of_home(&town, Role::Admin), of_home(&town, Role::Manager));
    change_user(&town, &manager, json!({"role": "admin"})).await;
    let scopes = granted_permissions(Role::Viewer, &[]).chain([Permission::UsersRead, Permission::UsersWrite]);
    let (_, narrow) = town.new_key(Role::Admin, &scopes.collect::<Vec<_>>()).await;
    let narrow = town.api_key(&narrow);
    for change in [json!({"status": "deactivated"}), json!({"role": "viewer"})] {
        narrow.patch(&admin, change).await.is_refused(403, "forbidden");
    }
    change_user(&town, &manager, json!({"status": "deactivated"})).await;
    let answer = narrow.patch(&manager, json!({"status": "active"})).await;
    answer.is_refused(403, "forbidden");
    let still = [narrow.get(&admin).await.json(), narrow.get(&manager).await.json()];
    let still = still.map(|user| (user["role"].clone(), user["status"].clone()));
    let expected = [("admin", "active"), ("admin", "deactivated")];
    assert_eq!(still, expected.map(|(role, status)| (json!(role), json!(status))));
    let viewer = of_home(&town, Role::Viewer);
    narrow.patch(&viewer, json!({"status": "deactivated"})).await.is(200);
    // What changes nothing is no change.
    narrow.patch(&admin, json!({"role": "admin"})).await.is(200);
}

#[tokio::test]
async fn answers_about_users_and_invitations_keep_their_shape() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let admin = town.admin();
    let read = admin.get(&of_home(&town, Role::Agent)).await;
    let invitations = "/api/v1/users/invitations";
    let invited = json!({"email": "eve@elsewhere.example", "role": "viewer"});
    let invited = admin.post(invitations, invited).await;
    let listed = admin.get(invitations).await;
    let change = json!({"role": "viewer"});
    let refused = admin.patch(&of_home(&town, Role::Admin), change).await;
    assert_snapshot("users", &[&read, &invited, &listed, &refused]);
}

#[tokio::test]
async fn everybody_says_whether_they_are_available() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let user = town.home.person(Role::Agent).user;
    let all = format!("{USERS}/availability");
    let path = format!("{all}/{user}");
    let reader = town.home.person(Role::Viewer).user;
    let of = async |user: UserId| {
        let all = town.viewer().all(&all, 2).await;
        let found = all.into_iter().find(|one| one["user_id"] == json!(user)).unwrap();
        (found["attends"].clone(), found["available"].clone())
    };
    let available = async || of(user).await.1;
    assert_eq!(of(reader).await, (json!(false), json!(false)), "only reads");
    assert_eq!(of(user).await, (json!(true), json!(true)));
    let away = json!({"available": false});
    let set = town.agent().put(&path, away.clone()).await;
    let since = json!(aws.now());
    let member = town.admin().get(&format!("{USERS}/{user}")).await.json();
    let said = json!({
        "user_id": user, "name": member["name"], "attends": true, "available": false, "since": since, "presence": "offline",
    });
    assert_eq!(set.is(200).json(), said);
    assert_eq!(available().await, json!(false));
    aws.pass(60);
    let hand_over = json!({"available": false, "hand_over": true});
    let set = town.manager().put(&path, hand_over).await;
    assert_eq!(set.is(200).json()["since"], since);
    let desk = async || {
        let desk = aws.store().desk(town.home.scope(), user, aws.now()).await;
        desk.unwrap().value
    };
    assert_eq!(desk().await.hand_over_at, Some(aws.now()));
    // Whoever is back keeps what is left of their conversations.
    town.agent().put(&path, json!({"available": true})).await.is(200);
    assert_eq!(desk().await.hand_over_at, None);
    let both = json!({"available": true, "hand_over": true});
    town.agent().put(&path, both).await.names_only(&["hand_over"]);

    // By itself, if the tenant wants it.
    let inbox = serde_json::from_value(json!({"hand_over_after_minutes": 90})).unwrap();
    let set = |tenant: &mut Tenant| tenant.inbox = Some(inbox);
    aws.change_tenant(town.home.scope(), set).await;
    town.agent().put(&path, away.clone()).await.is(200);
    let later = aws.now() + jiff::SignedDuration::from_mins(90);
    assert_eq!(desk().await.hand_over_at, Some(later));
    let hand_over = json!({"available": false, "hand_over": true});
    town.agent().put(&path, hand_over).await.is(200);
    assert_eq!(desk().await.hand_over_at, Some(aws.now()));
    town.agent().put(&path, json!({"available": true})).await.is(200);

    let colleague = format!("{all}/{}", town.home.person(Role::Manager).user);
    for (caller, path) in [(town.viewer(), &path), (town.agent(), &colleague)] {
        caller.put(path, away.clone()).await.is_refused(403, "forbidden");
    }
    town.foreign_admin().put(&path, away).await.is_refused(404, "not_found");

    // Whoever is deactivated hands over everything, and has nothing to hand over once they are back.
    let member = of_home(&town, Role::Agent);
    change_user(&town, &member, json!({"status": "deactivated"})).await;
    assert_eq!((available().await, desk().await.left), (json!(false), true));
    assert_eq!(desk().await.hand_over_at, Some(aws.now()));
    town.admin().put(&path, json!({"available": true})).await.is(200);
    assert_eq!(desk().await.hand_over_at, Some(aws.now()), "whatever anybody says");
    change_user(&town, &member, json!({"status": "active"})).await;
    assert_eq!((available().await, desk().await.hand_over_at), (json!(true), None));

    // So does whoever only reads from now on.
    change_user(&town, &member, json!({"role": "viewer"})).await;
    assert_eq!((available().await, desk().await.left), (json!(false), true));
    change_user(&town, &member, json!({"role": "manager"})).await;
    assert_eq!((available().await, desk().await.left), (json!(true), false));
}
