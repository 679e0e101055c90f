//! Runs the commands of the guides unchanged.

use anyhow::{Context as _, Result, ensure};
use domain::accounts::permission::Role;
use futures::future::try_join_all;
use stack::{api::log_in, place::Place};

use crate::stage::{Stage, on_stage};

/// A page with commands.
struct Guide {
    page: &'static str,
    /// What it names before its commands: where the stack is.
    names: &'static [&'static str],
    /// Part of the last line that its commands print.
    last: &'static str,
}

static FIRST: Guide = Guide {
    page: "docs/first-quarter-of-an-hour.md",
    names: &["\"api\"", "\"simulators\"", ".stack/endpoints.json", "cargo stack up"],
    last: "Corner Bakery: sorry, we missed your call",
};

/// Guides for a business with an API key.
static GUIDES: [Guide; 12] = [
    Guide {
        page: "docs/contacts.md",
        names: &["API=", "KEY=", "first-quarter-of-an-hour.md"],
        last: r#""state":"done""#,
    },
    Guide {
        page: "docs/calls.md",
        names: &["API=", "SIMULATORS=", "KEY=", "first-quarter-of-an-hour.md"],
        last: r#""code":"follow_up""#,
    },
    Guide {
        page: "docs/automations.md",
        names: &["API=", "SIMULATORS=", "KEY=", "first-quarter-of-an-hour.md"],
        last: r#""automation":{"name":"New customers""#,
    },
    Guide {
        page: "docs/messages.md",
        names: &["API=", "KEY=", "first-quarter-of-an-hour.md"],
        last: r#""cancelled":"all""#,
    },
    Guide {
        page: "docs/templates.md",
        names: &["API=", "KEY=", "first-quarter-of-an-hour.md"],
        last: r#""status":404"#,
    },
    Guide {
        page: "docs/metrics.md",
        names: &["API=", "KEY=", "first-quarter-of-an-hour.md"],
        last: r#""currencies""#,
    },
    Guide {
        page: "docs/media.md",
        names: &["API=", "SIMULATORS=", "KEY=", "first-quarter-of-an-hour.md"],
        last: r#""items":[]"#,
    },
    Guide {
        page: "docs/caps.md",
        names: &["API=", "KEY=", "first-quarter-of-an-hour.md"],
        last: "204",
    },
    Guide {
        page: "docs/campaigns.md",
        names: &["API=", "KEY=", "first-quarter-of-an-hour.md"],
        last: "204",
    },
    Guide {
        page: "docs/inbox.md",
        names: &["API=", "SIMULATORS=", "KEY=", "TOKEN=", "first-quarter-of-an-hour.md"],
        last: r#""close_after_days":14"#,
    },
    Guide {
        page: "docs/live.md",
        names: &["API=", "SIMULATORS=", "KEY=", "first-quarter-of-an-hour.md"],
        last: r#""more":false"#,
    },
    Guide {
        page: "docs/answers.md",
        names: &["API=", "SIMULATORS=", "KEY=", "first-quarter-of-an-hour.md"],
        last: r#""answer":"help""#,
    },
];

fn text(place: &Place, page: &str) -> Result<String> {
    let file = place.root.join(page);
    std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))
}

/// The blocks to run. Earlier blocks start a stack, which runs already, or say where it is.
fn commands(page: &str) -> Vec<&str> {
    let blocks = page.split("```sh run\n").skip(1);
    blocks
        .filter_map(|rest| rest.split_once("```"))
        .map(|(block, _)| block)
        .collect()
}

/// Runs all commands of a guide, with these variables and the addresses of the stack.
async fn works(stage: &Stage, guide: &Guide, variables: &[(&str, &str)]) -> Result<()> {
    let Guide { page, last, .. } = *guide;
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
    ensure!(
        output.status.success(),
        "{page}: {}\n{said}\n{complained}",
        output.status
    );
    ensure!(
        said.lines().last().unwrap_or_default().contains(last),
        "{page} does not end with {last}: {said}\n{complained}"
    );
    Ok(())
}

/// The same in a business of its own, with its key.
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
    for Guide { page, names, .. } in GUIDES.iter().chain([&FIRST]) {
        let page_text = text(&place, page)?;
        for name in *names {
            ensure!(page_text.contains(name), "{page} does not say {name}");
        }
    }
    Ok(())
}
