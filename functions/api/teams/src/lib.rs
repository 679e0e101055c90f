//! Teams, which attend to the conversations of the inbox.

use api::{Allowed, Api, Body, Created, IfMatch, Listed, NoContent, Paging, Patch, Path, Tagged, able, permits};
use axum::Router;
use axum::extract::State;
use domain::people::Tag;
use domain::tenants::{Line, Team, TeamIn};
use domain::terms::{Distinct, Resource as _, TeamId};
use kit::{ConfigError, Env, Problem};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?))
}

api::operations! {
    "teams": "Teams of a tenant, which attend to the conversations of its inbox." {
        /// Create a team
        ///
        /// A conversation gets a team when its customer writes or calls and nobody attends to it. Among teams with matching lines,
        /// languages and tags, it gets the team with the most kinds of such conditions, then the oldest. A tenant has at most 50 teams.
        POST "/api/v1/teams" => create_team, "The team";

        /// List teams
        ///
        /// Oldest first.
        GET "/api/v1/teams" => list_teams, "A page of teams";

        /// Get a team
        GET "/api/v1/teams/{team_id}" => get_team, "The team";

        /// Update a team
        ///
        /// Lists are replaced as a whole. Conversations of the team keep their team and assignee.
        PATCH "/api/v1/teams/{team_id}" => update_team, "The updated team";

        /// Delete a team
        ///
        /// Its conversations keep their assignees. A conversation without one gets another team with the next message or
        /// missed call.
        DELETE "/api/v1/teams/{team_id}" => delete_team, "The team is deleted";
    }
}

type Reading = Allowed<permits::TeamsRead>;
type Writing = Allowed<permits::TeamsWrite>;

const TEAMS: &str = "/api/v1/teams";

async fn create_team(
    who: Writing,
    State(api): State<Api>,
    Body(fields): Body<TeamIn>,
) -> Result<Created<Team>, Problem> {
    check(&api, &who, None, &fields).await?;
    api.create(&who, TEAMS, fields).await
}

async fn list_teams(who: Reading, State(api): State<Api>, paging: Paging) -> Result<Listed<Team>, Problem> {
    api.list(&who, &paging).await
}

async fn get_team(who: Reading, State(api): State<Api>, Path(id): Path<TeamId>) -> Result<Tagged<Team>, Problem> {
    api.read(&who, &id).await
}

async fn update_team(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<TeamId>,
    if_match: IfMatch,
    patch: Patch<TeamIn>,
) -> Result<Tagged<Team>, Problem> {
    let (api, who) = (&api, &who);
    let allow = |before: Team, after: Team| async move { check(api, who, Some(&before), &after.fields()).await };
    api.update_if(who, &id, &if_match, &patch, allow).await
}

async fn delete_team(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<TeamId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    api.remove::<Team, _>(&who, &id, &if_match).await
}

/// Refuses members who cannot attend to conversations, and lines and tags that do not exist, unless it has them already.
async fn check(api: &Api, who: &Writing, before: Option<&Team>, after: &TeamIn) -> Result<(), Problem> {
    fn new<const MAX: usize, T: Copy + PartialEq>(
        before: Option<&Distinct<MAX, T>>,
        after: &Distinct<MAX, T>,
    ) -> Vec<T> {
        let known = |id: &&T| before.is_none_or(|before| !before.contains(id));
        after.iter().filter(known).copied().collect()
    }
    let members = new(before.map(|team| &team.members), &after.members);
    let lines = new(before.map(|team| &team.lines), &after.lines);
    let tags = new(before.map(|team| &team.tags), &after.tags);
    let known = api.store().members_named(who.scope(), &members).await?;
    let mut missing = able(known, "members", &members);
    missing.extend(api.unknown::<Line, _>(who, "lines", "line", lines).await?);
    missing.extend(api.unknown::<Tag, _>(who, "tags", "tag", tags).await?);
    if missing.is_empty() {
        Ok(())
    } else {
        Err(missing.into())
    }
}
