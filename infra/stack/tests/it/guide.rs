//! Runs the commands of the guides unchanged.

use anyhow::{Context as _, Result, ensure};
use domain::accounts::Role;
use futures::future::try_join_all;
use stack::api::log_in;
use stack::place::Place;

use crate::stage::{Stage, on_stage};

/// A page with commands.
struct Guide {
    page: &'static str,
    /// Texts that the page has before its commands.
    names: &'static [&'static str],
    /// Part of the last line that the commands print.
    last: &'static str,
}

const fn guide(page: &'static str, names: &'static [&'static str], last: &'static str) -> Guide {
    Guide { page, names, last }
}

/// Where the stack is.
static FIRST: Guide = guide(
    "docs/first-quarter-of-an-hour.md",
    &["\"api\"", "\"simulators\"", ".stack/endpoints.json", "cargo stack up"],
    "Corner Bakery: sorry, we missed your call",
);

/// Named by all other guides.
const OF_A_BUSINESS: [&str; 3] = ["API=", "KEY=", "first-quarter-of-an-hour.md"];

/// Guides for a business with an API key.
static GUIDES: [Guide; 13] = [
    guide("docs/contacts.md", &[], r#""state":"done""#),
    guide("docs/calls.md", &["SIMULATORS="], r#""code":"follow_up""#),
    guide(
        "docs/automations.md",
        &["SIMULATORS="],
        r#""automation":{"name":"New customers""#,
    ),
    guide("docs/messages.md", &[], r#""cancelled":"all""#),
    guide("docs/templates.md", &[], r#""status":404"#),
    guide("docs/metrics.md", &[], r#""currencies""#),
    guide("docs/media.md", &["SIMULATORS="], r#""items":[]"#),
    guide("docs/caps.md", &[], "204"),
    guide("docs/campaigns.md", &[], "204"),
    guide("docs/orders.md", &[], r#""fulfilment":"fulfilled""#),
    guide("docs/inbox.md", &["SIMULATORS=", "TOKEN="], r#""close_after_days":14"#),
    guide("docs/live.md", &["SIMULATORS="], r#""more":false"#),
    guide("docs/answers.md", &["SIMULATORS="], r#""answer":"help""#),
];

fn text(place: &Place, page: &str) -> Result<String> {
    let file = place.root.join(page);
    std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))
}

/// The blocks to run. Earlier blocks start a stack, which runs already, or say where it is.
fn commands(page: &str) -> Vec<&str> {
    let blocks = page.split("```sh run\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split_once("```"));
    blocks.map(|(block, _)| block).collect()
}

/// Runs all commands of a guide, with these variables and the addresses of the stack.
async fn works(stage: &Stage, guide: &Guide, variables: &[(&str, &str)]) -> Result<()> {
    let Guide { page, last, .. } = guide;
    let text = text(&stage.place, page)?;
    let commands = commands(&text);
    ensure!(commands.len() >= 5, "{page} has {} blocks to run", commands.len());
    // Some of them use Node.js.
    let mut bash = stage.contract().await?.program("bash");
    let output = bash
        .args(["-euo", "pipefail", "-c", &commands.join("\n")])
        .env("API", &stage.play.endpoints.api)
        .env("SIMULATORS", &stage.play.endpoints.simulators)
        .env("no_proxy", "127.0.0.1")
        .envs(variables.iter().copied())
        .output()
        .await
        .context("starting bash")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    let status = output.status;
    ensure!(status.success(), "{page}: {status}\n{said}\n{complained}");
    let end = said.lines().last().unwrap_or_default();
    ensure!(end.contains(last), "{page} has not {last}: {said}\n{complained}");
    Ok(())
}

/// Runs all commands of a guide in a business of its own, with its key.
async fn works_for_a_business(stage: &Stage, guide: &Guide) -> Result<()> {
    let business = stage.business("Guided").await?;
    let mut variables = vec![("KEY", business.tenant.api_key.as_str())];
    let token;
    if guide.names.contains(&"TOKEN=") {
        token = log_in(&stage.play, business.tenant.users.of(Role::Agent)).await?;
        variables.push(("TOKEN", token.as_str()));
    }
    works(stage, guide, &variables).await
}

#[test]
fn commands_of_the_first_quarter_of_an_hour_work() {
    on_stage(async |stage| works(stage, &FIRST, &[]).await);
}

#[test]
fn commands_of_the_other_guides_work() {
    on_stage(async |stage| {
        let guides = GUIDES.iter().map(|guide| works_for_a_business(stage, guide));
        try_join_all(guides).await.map(drop)
    });
}

#[test]
fn the_guides_begin_with_where_the_stack_is() -> Result<()> {
    let place = Place::new(None)?;
    let says = |page: &str, names: &[&str]| -> Result<()> {
        let text = text(&place, page)?;
        for name in names {
            ensure!(text.contains(name), "{page} does not say {name}");
        }
        Ok(())
    };
    says(FIRST.page, FIRST.names)?;
    for Guide { page, names, .. } in &GUIDES {
        says(page, &OF_A_BUSINESS)?;
        says(page, names)?;
    }
    Ok(())
}
